/**
 * Runs mutants. For each one:
 *
 * 1. its tests run in a copy of the project, where they must pass;
 * 2. the guard is taken away in the copy;
 * 3. the tests run again, where one of them must fail. If they all pass twice, the guard could be lost without a notice:
 *    some guards are against a race, which one run of the tests may win by chance.
 *
 * Mutants with the same tests share the first step. Types are not checked: a test has to notice, not the compiler.
 */
import { copyProject, type ProjectCopy } from "../copy.ts";
import { deno } from "../process.ts";
import type { Mutant } from "./mutant.ts";

/** The most time that tests may take, in milliseconds. Far more than they need, also on a busy machine. */
const LIMIT_MS = 180_000;

/** Tests that take this many times as long as without the change wait for something that no longer comes. */
const TOO_LONG = 4;

/** The least time before tests count as too long, in milliseconds. */
const LEAST_LIMIT_MS = 15_000;

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

/** Runs the mutants, those with the same tests one after the other. */
export async function runMutants(mutants: readonly Mutant[], settings: MutationSettings): Promise<void> {
  const groups = [...Map.groupBy(mutants, formatTests).values()].sort((a, b) => b.length - a.length);
  await Promise.all(Array.from({ length: Math.min(settings.atOnce, groups.length) }, async () => {
    await using copy = await copyProject();
    for (let group = groups.shift(); group !== undefined && !settings.signal.aborted; group = groups.shift()) {
      await runGroup(copy, group, settings);
    }
  }));
}

async function runGroup(copy: ProjectCopy, group: readonly Mutant[], settings: MutationSettings): Promise<void> {
  const { ended } = settings;
  const startedMs = performance.now();
  const { outcome: unchanged, output } = await runTests(copy.url, group[0]!, LIMIT_MS, settings);
  // The tests themselves have a fault then, perhaps one that shows only here.
  if (unchanged !== "passed") console.error(output);
  const limitMs = Math.min(LIMIT_MS, Math.max(LEAST_LIMIT_MS, TOO_LONG * (performance.now() - startedMs)));
  for (const mutant of group) {
    if (settings.signal.aborted) return;
    if (unchanged !== "passed") {
      ended(mutant, `without any change, ${formatTests(mutant)} ${unchanged}`);
      continue;
    }
    const { file, find, replace } = mutant;
    const url = new URL(file, copy.url);
    const source = await Deno.readTextFile(url);
    // A function, since "$&" and its like have a meaning in a string.
    await Deno.writeTextFile(url, source.replace(find, () => replace));
    let { outcome } = await runTests(copy.url, mutant, limitMs, settings);
    if (outcome === "passed") ({ outcome } = await runTests(copy.url, mutant, limitMs, settings));
    await Deno.writeTextFile(url, source);
    if (settings.signal.aborted) return;
    const isNoticed = outcome === "failed" || outcome === "did not end";
    ended(mutant, isNoticed ? null : `without the guard in ${file}, ${formatTests(mutant)} ${outcome}`);
  }
}

/** The tests of a mutant, as shown. Mutants with the same tests have the same text. */
function formatTests({ tests, only }: Mutant): string {
  return only === undefined ? tests.join(" ") : `"${only}" in ${tests.join(" ")}`;
}

async function runTests(
  cwd: URL,
  { tests, only }: Mutant,
  limitMs: number,
  settings: MutationSettings,
): Promise<{ outcome: Outcome; output: string }> {
  const signal = AbortSignal.any([settings.signal, AbortSignal.timeout(limitMs)]);
  const env = { BROKER_URL: settings.kafkaUrl };
  const filter = only === undefined ? [] : [`--filter=${only}`];
  const args = ["test", "-A", "--no-check", "--fail-fast", ...filter, ...tests];
  const { code, stdout, stderr } = await deno(args, { cwd, env, signal, ownsGroup: true });
  return { outcome: signal.aborted ? "did not end" : readOutcome(code, stdout), output: stdout + stderr };
}

function readOutcome(code: number, stdout: string): Outcome {
  // A file that cannot be loaded fails as well, but none of its tests does. An uncaught error cancels the running test.
  if (/ \.\.\. (FAILED|cancelled) \(/.test(stdout)) return "failed";
  return code === 0 && / [1-9]\d* passed/.test(stdout) ? "passed" : "could not be run";
}
