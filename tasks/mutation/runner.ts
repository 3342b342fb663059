/**
 * Runs mutants. For each one:
 *
 * 1. its tests run in a copy of the project, where they must pass;
 * 2. the guard is taken away in the copy;
 * 3. the tests run again, where one of them must fail. If they all pass twice, the guard could be lost without a notice:
 *    some guards are against a race, which one run of the tests may win by chance.
 *
 * Mutants with the same test files share the first step. Types are not checked: a test has to notice, not the compiler.
 *
 * A test that waits in vain fails some seconds after it would have ended (`limit_tests.ts`). Only tests that never leave
 * the processor are ended from outside, which counts as noticed, too.
 */
import { copyProject, type ProjectCopy } from "../copy.ts";
import { deno } from "../process.ts";
import type { Mutant } from "./mutant.ts";

/** The most time that tests may take, in milliseconds. Far more than they need, also on a busy machine. */
const LIMIT_MS = 180_000;

/** Tests that take this many times as long as without the change do not end. */
const TOO_LONG = 4;

/** The least time before tests count as too long, in milliseconds. */
const LEAST_LIMIT_MS = 15_000;

/** The time that a test gets beyond twice the longest one without the change, in milliseconds. */
const GRACE_MS = 4000;

/** The settings of a run. */
export interface MutationSettings {
  /** The number of mutants at once, each in a copy of its own. */
  readonly atOnce: number;
  /** The Kafka for mutants that need one. */
  readonly kafkaUrl?: string;
  /** Ends the run early. */
  readonly signal: AbortSignal;
  /** Called when the outcome of a mutant is known; `problem` is `null` if a test has noticed it. */
  readonly ended: (mutant: Mutant, problem: string | null) => void;
}

/** The outcome of one run of the tests. */
type Outcome = "passed" | "failed" | "did not end" | "could not be run";

/** Runs the mutants, those with the same test files one after the other. */
export async function runMutants(mutants: readonly Mutant[], settings: MutationSettings): Promise<void> {
  const groups = [...Map.groupBy(mutants, ({ tests }) => tests.join(" ")).values()].sort((a, b) => b.length - a.length);
  await Promise.all(Array.from({ length: Math.min(settings.atOnce, groups.length) }, async () => {
    await using copy = await copyProject();
    for (let group = groups.shift(); group !== undefined && !settings.signal.aborted; group = groups.shift()) {
      await runGroup(copy, group, settings);
    }
  }));
}

async function runGroup(copy: ProjectCopy, group: readonly Mutant[], settings: MutationSettings): Promise<void> {
  const { kafkaUrl, signal, ended } = settings;
  const { tests } = group[0]!;
  const project = { cwd: copy.url, kafkaUrl, signal };
  const startedMs = performance.now();
  const { outcome: unchanged, output } = await runTests(tests, {
    ...project,
    filter: formatFilter(group),
    testMs: LIMIT_MS,
    limitMs: LIMIT_MS,
  });
  // The tests themselves have a fault then, perhaps one that shows only here.
  if (unchanged !== "passed") console.error(output);
  const tookMs = performance.now() - startedMs;
  const limits = {
    testMs: GRACE_MS + 2 * readLongestMs(output),
    limitMs: Math.max(LEAST_LIMIT_MS, TOO_LONG * tookMs),
  };
  for (const mutant of group) {
    if (signal.aborted) return;
    if (unchanged !== "passed") {
      ended(mutant, `without any change, ${tests.join(" ")} ${unchanged}`);
      continue;
    }
    const { file, find, replace } = mutant;
    const url = new URL(file, project.cwd);
    const source = await Deno.readTextFile(url);
    const run = () => runTests(tests, { ...project, filter: formatFilter([mutant]), ...limits });
    // A function, since "$&" and its like have a meaning in a string.
    await Deno.writeTextFile(url, source.replace(find, () => replace));
    let { outcome } = await run();
    if (outcome === "passed") ({ outcome } = await run());
    await Deno.writeTextFile(url, source);
    if (signal.aborted) return;
    const isNoticed = outcome === "failed" || outcome === "did not end";
    ended(mutant, isNoticed ? null : `without the guard in ${file}, ${formatTests(mutant)} ${outcome}`);
  }
}

/** The tests of a mutant, as shown. */
function formatTests({ tests, only }: Mutant): string {
  return only === undefined ? tests.join(" ") : `"${only}" in ${tests.join(" ")}`;
}

/** The option with which `deno test` runs the tests of these mutants, and no others of their files. */
function formatFilter(mutants: readonly Mutant[]): readonly string[] {
  const names = mutants.map(({ only }) => only);
  if (names.includes(undefined)) return [];
  return [`--filter=/${[...new Set(names)].map((name) => RegExp.escape(name!)).join("|")}/`];
}

/** The settings of one run of the tests. */
interface TestSettings {
  readonly cwd: URL;
  readonly kafkaUrl: string | undefined;
  /** Ends it early. */
  readonly signal: AbortSignal;
  readonly filter: readonly string[];
  /** The most time for one test, in milliseconds that its process had. */
  readonly testMs: number;
  /** The most time for all, in milliseconds. */
  readonly limitMs: number;
}

async function runTests(
  tests: readonly string[],
  { cwd, kafkaUrl, filter, testMs, limitMs, signal: interrupted }: TestSettings,
): Promise<{ outcome: Outcome; output: string }> {
  const signal = AbortSignal.any([interrupted, AbortSignal.timeout(limitMs)]);
  const env = { BROKER_URL: kafkaUrl, TEST_LIMIT_MS: `${testMs}` };
  const options = ["-A", "--no-check", "--fail-fast", "--preload=tasks/mutation/limit_tests.ts", ...filter];
  const { code, stdout, stderr } = await deno(["test", ...options, ...tests], { cwd, env, signal, ownsGroup: true });
  return { outcome: signal.aborted ? "did not end" : readOutcome(code, stdout), output: stdout + stderr };
}

function readOutcome(code: number, stdout: string): Outcome {
  // A file that cannot be loaded fails as well, but none of its tests does. An uncaught error cancels the running test.
  if (/ \.\.\. (FAILED|cancelled) \(/.test(stdout)) return "failed";
  return code === 0 && / [1-9]\d* passed/.test(stdout) ? "passed" : "could not be run";
}

/** Reads how long the longest test took, at least a second: `deno test` prints whole seconds. */
function readLongestMs(output: string): number {
  const found = [...output.matchAll(/ \.\.\. ok \((?:(\d+)m)?(\d+)s\)/g)];
  const seconds = found.map(([, minutes = 0, seconds]) => 60 * Number(minutes) + Number(seconds));
  return 1000 * (1 + Math.max(0, ...seconds));
}
