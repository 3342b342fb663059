/**
 * Pages and comments are written in plain technical English: one word for one thing, and no sentence that has to be
 * read twice.
 */
import { assertEquals } from "@std/assert";
import { filesUnder, root } from "../../tasks/process.ts";
import { prose, rowsHeaded } from "./markdown.ts";

const read = (path: string) => Deno.readTextFileSync(new URL(path, root));

const PAGES = [
  ...["README.md", "CONTRIBUTING.md", "SECURITY.md", "examples/README.md"],
  ...filesUnder("docs/", ".md").filter((page) => page !== "docs/behaviours.md"),
];

const SOURCES = ["src/", "tests/", "tasks/", "bench/", "examples/"].flatMap((folder) => filesUnder(folder, ".ts"));

type Rule = readonly [pattern: RegExp, instead: string];

/** Words that are not used, and the words that are used instead. */
const WORDS: readonly Rule[] = [
  [/\bhouses?\b/i, "module or layer"],
  [/\brooms?\b/i, "module, or space in a buffer"],
  [/\bfloors?\b/i, "layer"],
  [/\bdoors?\b/i, "entry point"],
  [/\bseams?\b/i, "interface"],
  [/\banew\b/i, "again"],
  [/\banswers\b/i, "returns"],
  [/\btexts\b/i, "strings"],
  [/(?<!\bthere )\bis no [a-z]/i, "is not a"],
  [/\b(?:nobody|somebody|whoever)\b/i, "the process, the caller or the operator"],
  [/\bbelieved\b/i, "accepted"],
  [/\bdear\b/i, "expensive"],
];

/** Words that comments and the names of tests do not use either. */
const WORDS_OF_CODE: readonly Rule[] = [
  ...WORDS,
  [/\b(?:said|told|heard|hears)\b/i, "reported, logged or received"],
  [/\btells\b/i, "reports"],
  [/\bstands\b/i, "is"],
  [/\bmend(?:s|ed)?\b/i, "fix"],
  [/\bany?body\b/i, "any client"],
];

/** The sentences of a page, without code: of paragraphs, list items, headings and the cells of tables. */
function sentencesOf(page: string): string[] {
  const text = prose(page).replaceAll(/<!--[\s\S]*?-->/g, "").replaceAll(/`[^`]*`/g, "x");
  const parts = text.split(/\n\s*\n|\n(?=\s*(?:[-*#|]|\d+\. ))|\|/);
  return parts.flatMap((part) => part.replace(/^[\s#*-]+|\s+$/g, "").replaceAll(/\s+/g, " ").split(/(?<=[.:;!?]) /))
    .filter((sentence) => sentence !== "");
}

/** The sentences of the comments of a file: of blocks and of whole lines, with the descriptions of their tags. */
function commentsOf(source: string): string[] {
  const comments = source.matchAll(/^[ \t]*\/\*\*?[\s\S]*?\*\/|(?:^[ \t]*\/\/.*\n?)+/gm);
  return [...comments].flatMap(([comment]) =>
    sentencesOf(
      comment.replaceAll(/^[ \t]*(?:\/\*\*?|\*\/|\*|\/\/) ?|\*\/$/gm, "").replaceAll(/ ?@(\w+)/g, "\n\n@$1: "),
    )
  );
}

/** The names of the tests of a file, and those of the guards that tests must notice. */
function namesOf(source: string): string[] {
  const names = source.matchAll(
    /(?:\b(?:Deno\.test|behaviour|withLog)\(\s*|\b(?:name|what): )(["`])((?:\\.|(?!\1).)*)\1/g,
  );
  return [...names].map(([, , name]) => name!.replaceAll(/\$\{[^}]*\}/g, "x"));
}

/** Each sentence that has a word of a rule. */
function findWords(path: string, sentences: readonly string[], rules: readonly Rule[]): string[] {
  return sentences.flatMap((sentence) =>
    rules.filter(([pattern]) => pattern.test(sentence)).map(([, instead]) => `${path}: "${sentence}" (say: ${instead})`)
  );
}

/** Each sentence that begins with a question word, and is not a question. */
function findQuestionWords(path: string, sentences: readonly string[]): string[] {
  return sentences.filter((sentence) => /^(?:What|Who|Whose|Whoever|Where|How)\b(?!.*\?$)/.test(sentence))
    .map((sentence) => `${path}: ${sentence}`);
}

Deno.test("the pages use one word for one thing, and no metaphors", () => {
  assertEquals(PAGES.flatMap((page) => findWords(page, sentencesOf(read(page)), WORDS)), []);
});

Deno.test("no sentence of the pages begins with a question word, unless it is a question", () => {
  assertEquals(PAGES.flatMap((page) => findQuestionWords(page, sentencesOf(read(page)))), []);
});

Deno.test("comments and the names of tests use one word for one thing, and no metaphors", () => {
  const found = SOURCES.flatMap((path) => {
    const source = read(path);
    const names = path.startsWith("tests/") ? namesOf(source) : [];
    return findWords(path, [...commentsOf(source), ...names], WORDS_OF_CODE);
  });
  assertEquals(found, []);
});

Deno.test("no sentence of a comment begins with a question word, unless it is a question", () => {
  assertEquals(SOURCES.flatMap((path) => findQuestionWords(path, commentsOf(read(path)))), []);
});

Deno.test("the glossary lists each word once, in order, and the source uses each", () => {
  const words = rowsHeaded(read("docs/architecture.md"), "Word", "Meaning").map(([word]) => word!);
  assertEquals(words, [...new Set(words)].sort());
  // In names the words of a term have no space between them: `commitMetadata`, `commit_metadata.ts`.
  const source = filesUnder("src/", ".ts").map(read).join("\n").toLowerCase().replaceAll(/[ _]/g, "");
  assertEquals(words.filter((word) => !source.includes(word.replaceAll(" ", ""))), []);
});

Deno.test("sentencesOf() finds the sentences of paragraphs, lists and tables, and leaves code out", () => {
  const page =
    "# A title\n\nOne. Two `code`: three\nfour.\n\n- a point\n\n| A cell | B |\n| --- | --- |\n\n```ts\nfive;\n```\n";
  assertEquals(sentencesOf(page).filter((sentence) => /[a-z]/.test(sentence)), [
    ...["A title", "One.", "Two x:", "three four.", "a point", "A cell"],
  ]);
});

Deno.test("commentsOf() and namesOf() find the sentences of comments, and the names of tests and guards", () => {
  const source = [
    ...[
      "/** One. Two\n * three. @returns `four` five */",
      "const a = 1; // not this",
      "// Six\n// seven.",
      "/* Eight */",
    ],
    ...['Deno.test("nine", () => {});', "behaviour(\n  `W5: ten ${eleven}`,", 'what: "cli: twelve",'],
  ].join("\n");
  assertEquals(commentsOf(source), ["One.", "Two three.", "@returns:", "x five", "Six seven.", "Eight"]);
  assertEquals(namesOf(source), ["nine", "W5: ten x", "cli: twelve"]);
});
