/**
 * `deno task rows [--write]`: which of the promised behaviours are tests. A row is proved by a test whose name starts with its
 * id: `"A1: a job that throws …"`, `"bad input 3: …"`; a test that is always left out proves nothing. `docs/progress.md`
 * lists each row with its test, or as open; the check fails where it says anything else than the tests do. Without that file
 * no row may be open.
 */
import { filesUnder, root } from "./process.ts";

/** The rows by the name of their list; `docs/progress.md` has them in this order. */
const ROWS: readonly string[] = [
  ...ids("A", [1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 13, 14, 15, 16]),
  ...ids("R", span(1, 9)),
  ...ids("D", span(1, 7)),
  ...ids("S", span(1, 7)),
  ...ids("B", span(1, 13)),
  ...ids("W", span(1, 7)),
  "P6",
  ...ids("bad input ", [...span(1, 15), ...span(17, 25)]),
];

const PROGRESS = "docs/progress.md";

const HEAD = `<!-- deno-fmt-ignore-file -->
# Progress

The behaviours that the library promises, each with the tests that prove it. \`deno task rows --write\` writes this file from the tests.

`;

function ids(prefix: string, numbers: readonly number[]): string[] {
  return numbers.map((number) => `${prefix}${number}`);
}

function span(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

/**
 * Finds the rows that tests prove.
 *
 * @param sources the tests' sources by path
 * @returns for each proved row the paths of its tests, in order
 */
export function provedRows(sources: ReadonlyMap<string, string>): Map<string, string[]> {
  // The start of a name: the first argument of a call that leaves nothing out, or the `name` of a definition.
  const name = /(?:(?<!\.(?:ignore|skip))\(|\bname:)\s*["'`]([A-Z]\d{1,2}|bad input \d{1,2}): /g;
  const proved = new Map<string, string[]>();
  for (const [path, source] of sources) {
    for (const id of new Set([...source.matchAll(name)].map((match) => match[1]!))) {
      proved.set(id, [...proved.get(id) ?? [], path]);
    }
  }
  return proved;
}

/** What `docs/progress.md` must say of these rows. */
export function progressPage(proved: ReadonlyMap<string, readonly string[]>): string {
  return HEAD + ROWS.map((id) => `- ${id}: ${proved.get(id)?.join(", ") ?? "open"}\n`).join("");
}

/**
 * Compares what is proved with what `docs/progress.md` says.
 *
 * @param page its text, `null` where there is none
 * @returns a sentence for each row that does not fit, none if all is well
 */
export function wrongRows(proved: ReadonlyMap<string, readonly string[]>, page: string | null): string[] {
  const lines = [...(page ?? "").matchAll(/^- ([A-Z]\d+|bad input \d+): (.*)$/gm)];
  const said = new Map(lines.map((match) => [match[1]!, match[2]!]));
  return ROWS.flatMap((id) => {
    const tests = proved.get(id)?.join(", ");
    if (tests === undefined) return said.get(id) === "open" ? [] : [`Row ${id} has no test, and is not listed as open`];
    if (page === null || said.get(id) === tests) return [];
    return [`Row ${id} is proved by ${tests}, but ${PROGRESS} says "${said.get(id) ?? "nothing"}"`];
  });
}

/** The sources of all tests, by path. */
export function testSources(): Map<string, string> {
  return new Map(filesUnder("tests/", ".ts").map((path) => [path, Deno.readTextFileSync(new URL(path, root))]));
}

/** The text of `docs/progress.md`, `null` where there is none. */
export function readProgress(): string | null {
  try {
    return Deno.readTextFileSync(new URL(PROGRESS, root));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

if (import.meta.main) {
  const proved = provedRows(testSources());
  if (Deno.args.includes("--write")) Deno.writeTextFileSync(new URL(PROGRESS, root), progressPage(proved));
  const wrong = wrongRows(proved, readProgress());
  for (const line of wrong) console.error(line);
  if (wrong.length > 0) {
    console.error("If the tests are right: deno task rows --write");
    Deno.exit(1);
  }
  const open = ROWS.filter((id) => !proved.has(id));
  console.log(`${ROWS.length - open.length} of ${ROWS.length} rows are proved`);
  if (open.length > 0) console.log(`Open: ${open.join(", ")}`);
}
