/** Runs the plan of `deno task test`, one `deno test` process for each run, and counts what passed and failed. */
import { deno, type Ended } from "../process.ts";
import type { Run } from "./plan.ts";

/** The number of tests that passed and failed. */
export interface Counts {
  passed: number;
  failed: number;
}

/** The outcome of a run. */
export interface RunResult extends Counts {
  readonly run: Run;
  readonly seconds: number;
  /** The output of `deno test`, empty if it was shown as it came. */
  readonly output: string;
}

/** The settings of all runs. */
export interface RunSettings {
  /** Options for `deno test`. */
  readonly options: readonly string[];
  /** Whether the output is shown as it comes. */
  readonly echo: boolean;
  /** Ends the runs early. */
  readonly signal: AbortSignal;
}

/** Executes one run. */
export async function execute(run: Run, kafkaUrl: string | null, settings: RunSettings): Promise<RunResult> {
  const { options, echo, signal } = settings;
  const env = run.onKafka
    ? { BROKER_URL: kafkaUrl ?? undefined, TEST_BROKERS: "kafka" }
    : { BROKER_URL: undefined, TEST_BROKERS: Deno.env.get("TEST_BROKERS") ?? "memory,sqlite" };
  const startedMs = performance.now();
  // The types were checked for all files at once.
  const ended = await deno(["test", "-A", "--no-check", ...options, ...run.paths], { echo, env, signal });
  const seconds = (performance.now() - startedMs) / 1000;
  return { run, seconds, output: echo ? "" : ended.stdout + ended.stderr, ...readCounts(ended) };
}

/**
 * Reads the last line of `deno test`. A process that prints none, or fails in another way, counts as one failed test.
 */
export function readCounts({ code, stdout }: Pick<Ended, "code" | "stdout">): Counts {
  // deno-lint-ignore no-control-regex
  const text = stdout.replaceAll(/\x1b\[[0-9;]*m/g, "");
  const summary = [...text.matchAll(/^(?:ok|FAILED) \| (\d+) passed(?: \([^)]*\))? \| (\d+) failed/gm)].at(-1);
  const failed = Number(summary?.[2] ?? 0);
  return { passed: Number(summary?.[1] ?? 0), failed: code !== 0 && failed === 0 ? 1 : failed };
}

/**
 * Performs runs side by side, in their order. Half of them are on Kafka as long as there are enough of both kinds: runs
 * on Kafka mostly wait, and would slow each other down. They start once the Kafka is up; if it does not come up they
 * are dropped.
 *
 * @param kafka settles when it is known whether there is a Kafka
 */
export async function sideBySide(
  runs: readonly Run[],
  atOnce: number,
  kafka: Promise<boolean>,
  perform: (run: Run) => Promise<void>,
): Promise<void> {
  const onKafka = runs.filter((run) => run.onKafka);
  const others = runs.filter((run) => !run.onKafka);
  let runningOnKafka = 0;
  let hasKafka: boolean | undefined;
  const known = kafka.then((has) => {
    hasKafka = has;
    if (!has) onKafka.length = 0;
  });
  const take = (): Run | undefined => {
    const ready = hasKafka ? onKafka : [];
    return runningOnKafka * 2 < atOnce ? ready.shift() ?? others.shift() : others.shift() ?? ready.shift();
  };
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (let run = take(); run !== undefined || onKafka.length > 0; run = take()) {
      if (run === undefined) {
        await known;
        continue;
      }
      if (run.onKafka) runningOnKafka++;
      await perform(run);
      if (run.onKafka) runningOnKafka--;
    }
  }));
}
