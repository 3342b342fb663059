/**
 * The pages are written in plain technical English: one word for one thing, and no sentence that has to be read twice.
 */
import { assertEquals } from "@std/assert";
import { filesUnder, root } from "../../tasks/process.ts";
import { prose } from "./markdown.ts";

const read = (path: string) => Deno.readTextFileSync(new URL(path, root));
const PAGES = [
  ...["README.md", "CONTRIBUTING.md", "SECURITY.md", "examples/README.md"],
  ...filesUnder("docs/", ".md").filter((page) => page !== "docs/behaviours.md"),
];

/** Words that the pages do not use, and the words that they use instead. */
const WORDS: readonly (readonly [pattern: RegExp, instead: string])[] = [
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

/** The sentences of a page, without code: of paragraphs, list items, headings and the cells of tables. */
function sentencesOf(page: string): string[] {
  const text = prose(page).replaceAll(/<!--[\s\S]*?-->/g, "").replaceAll(/`[^`]*`/g, "x");
  const parts = text.split(/\n\s*\n|\n(?=\s*(?:[-*#|]|\d+\. ))|\|/);
  return parts.flatMap((part) => part.replace(/^[\s#*-]+|\s+$/g, "").replaceAll(/\s+/g, " ").split(/(?<=[.:;!?]) /))
    .filter((sentence) => sentence !== "");
}

Deno.test("the pages use one word for one thing, and no metaphors", () => {
  const found = PAGES.flatMap((page) =>
    sentencesOf(read(page)).flatMap((sentence) =>
      WORDS.filter(([pattern]) => pattern.test(sentence)).map(([, instead]) =>
        `${page}: "${sentence}" (say: ${instead})`
      )
    )
  );
  assertEquals(found, []);
});

Deno.test("no sentence of the pages begins with a question word, unless it is a question", () => {
  const found = PAGES.flatMap((page) =>
    sentencesOf(read(page)).filter((sentence) => /^(?:What|Who|Whose|Where|How)\b(?!.*\?$)/.test(sentence))
      .map((sentence) => `${page}: ${sentence}`)
  );
  assertEquals(found, []);
});

Deno.test("sentencesOf() finds the sentences of paragraphs, lists and tables, and leaves code out", () => {
  const page =
    "# A title\n\nOne. Two `code`: three\nfour.\n\n- a point\n\n| A cell | B |\n| --- | --- |\n\n```ts\nfive;\n```\n";
  assertEquals(sentencesOf(page).filter((sentence) => /[a-z]/.test(sentence)), [
    ...["A title", "One.", "Two x:", "three four.", "a point", "A cell"],
  ]);
});
