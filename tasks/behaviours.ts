/**
 * `deno task check:behaviours [--write]`: compares `docs/behaviours.md`, the list of the promised behaviours, with the
 * tests. A test shows a behaviour if its name begins with the behaviour's id: `"A1: a job that throws …"`,
 * `"bad input 3: …"`. `--write` writes the page from the names of the tests.
 *
 * The check fails if a behaviour of {@linkcode LISTS} has no test, if a test names an id that is not in the lists, or
 * if the page differs from the tests.
 */
import { filesUnder, root } from "./process.ts";

/** One list of behaviours: a section of the page. */
interface List {
  readonly title: string;
  /** The start of each id: `"A"`. */
  readonly prefix: string;
  /** The numbers that must have a test. Numbers that are left out here belong to behaviours that are not built. */
  readonly numbers: readonly number[];
}

/** Every behaviour that must have a test, in the order of the page. */
const LISTS: readonly List[] = [
  { title: "Jobs", prefix: "A", numbers: [...span(1, 11), ...span(13, 16)] },
  { title: "Retry and backoff", prefix: "R", numbers: span(1, 9) },
  { title: "Dead letter queue", prefix: "D", numbers: span(1, 8) },
  { title: "Stopping", prefix: "S", numbers: span(1, 7) },
  { title: "Rebalance", prefix: "B", numbers: span(1, 13) },
  { title: "Producing", prefix: "W", numbers: span(1, 7) },
  { title: "Keys", prefix: "P", numbers: span(1, 13) },
  { title: "Delays", prefix: "T", numbers: span(1, 16) },
  { title: "Orders and limits", prefix: "O", numbers: span(1, 7) },
  { title: "Recurring jobs", prefix: "J", numbers: span(1, 10) },
  { title: "Age, encryption and schemas", prefix: "F", numbers: span(1, 5) },
  { title: "Cluster", prefix: "C", numbers: span(1, 12) },
  { title: "Status", prefix: "status ", numbers: span(1, 9) },
  { title: "Worker reports", prefix: "report ", numbers: span(1, 5) },
  { title: "Bad input", prefix: "bad input ", numbers: span(1, 26) },
];

/** A test that shows a behaviour. */
export interface BehaviourTest {
  /** `"A1"`, `"bad input 3"`. */
  readonly id: string;
  /** The name of the test without its id. `…` replaces a part that is computed. */
  readonly sentence: string;
  /** The test's file, relative to the root. */
  readonly path: string;
}

const PAGE = "docs/behaviours.md";

const HEAD = `<!-- deno-fmt-ignore-file -->
<!-- Written by "deno task check:behaviours" from the names of the tests. -->

# Promised behaviours

Each line is a behaviour that the library promises, and a test that shows it. Tests, commits and comments refer to a
behaviour by its id. Numbers that are missing belong to behaviours that are not built.

Each test runs on every broker that can show the behaviour: in memory, on an SQLite file, and on Apache Kafka.
\`deno task test tests/behaviours\` runs them. Those of a cluster run on three brokers: \`deno task test:cluster\`.
`;

function span(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

/**
 * Finds the tests that show a behaviour. A test that is always ignored shows nothing.
 *
 * @param sources the sources of the tests by path
 * @returns one entry for each id, sentence and file, in the order of the files
 */
export function findBehaviourTests(sources: ReadonlyMap<string, string>): BehaviourTest[] {
  // The first argument of a call that ignores nothing, or the `name` of a definition.
  const name =
    /(?:(?<!\.(?:ignore|skip))\(|\bname:)\s*(["'`])((?:[A-Z]|bad input |report |status )\d{1,2}): ((?:\\.|(?!\1).)*)\1/g;
  return [...sources].flatMap(([path, source]) =>
    [...source.matchAll(name)].map(([, , id, text]) => ({ id: id!, sentence: parseSentence(text!), path }))
  );
}

/** A test's name as it is shown, from its source. */
function parseSentence(source: string): string {
  return source.replaceAll(/\$\{[^}]*\}/g, "…").replaceAll(/\\(.)/g, "$1");
}

/** The text that `docs/behaviours.md` must have. */
export function formatPage(tests: readonly BehaviourTest[]): string {
  const sections = LISTS.map((list) => {
    const rows = idsOf(list).flatMap((id) => tests.filter((test) => test.id === id).map(formatRow));
    return `\n## ${list.title}\n\n| Id | Behaviour | Test |\n| --- | --- | --- |\n${rows.join("")}`;
  });
  return HEAD + sections.join("");
}

function formatRow({ id, sentence, path }: BehaviourTest): string {
  // Markdown would read these as markup: a row's columns, emphasis as in "__proto__", HTML.
  const text = sentence.replaceAll(/[|_*<\[\]]/g, "\\$&");
  return `| ${id} | ${text} | [${path.replace(/^.*\//, "")}](../${path}) |\n`;
}

function idsOf({ prefix, numbers }: List): string[] {
  return numbers.map((number) => `${prefix}${number}`);
}

/**
 * Compares the tests with the lists and with the page.
 *
 * @param page the text of `docs/behaviours.md`, `""` if there is none
 * @returns a sentence for each problem, none if all is well
 */
export function findProblems(tests: readonly BehaviourTest[], page: string): string[] {
  const promised = new Set(LISTS.flatMap(idsOf));
  const shown = new Set(tests.map(({ id }) => id));
  const [wanted, found] = [formatPage(tests), page].map((text) => new Set(text.split("\n")));
  const lacks = [...wanted!].filter((line) => !found!.has(line));
  const outdated = [...found!].filter((line) => !wanted!.has(line));
  return [
    ...[...promised].filter((id) => !shown.has(id)).map((id) => `Behaviour ${id} has no test`),
    ...tests.filter(({ id }) => !promised.has(id)).map(({ id, path }) =>
      `${path} shows behaviour ${id}, which is not in LISTS of tasks/behaviours.ts`
    ),
    ...lacks.map((line) => `${PAGE} lacks the line "${line}"`),
    ...outdated.map((line) => `${PAGE} has the line "${line}", which the tests do not give`),
    ...(lacks.length === 0 && outdated.length === 0 && page !== formatPage(tests)
      ? [`${PAGE} has its lines in another order`]
      : []),
  ];
}

/** The sources of all tests, by path. */
export function readTestSources(): Map<string, string> {
  return new Map(filesUnder("tests/", ".ts").map((path) => [path, Deno.readTextFileSync(new URL(path, root))]));
}

/** The text of `docs/behaviours.md`, `""` if there is none. */
export function readPage(): string {
  try {
    return Deno.readTextFileSync(new URL(PAGE, root));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

if (import.meta.main) {
  const tests = findBehaviourTests(readTestSources());
  if (Deno.args.includes("--write")) Deno.writeTextFileSync(new URL(PAGE, root), formatPage(tests));
  const problems = findProblems(tests, readPage());
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) {
    console.error("If the tests are right: deno task check:behaviours --write");
    Deno.exit(1);
  }
  console.log(`${LISTS.flatMap(idsOf).length} behaviours, ${tests.length} tests: ${PAGE} is up to date`);
}
