/**
 * The plan of `deno task test`: which files run together, in which order, and how long that takes. It is pure; the
 * files' times come from `times.json`, which `deno task test --record-times` writes.
 *
 * A _run_ is one `deno test` process. A long file is a run of its own; short files of a module share one, since a
 * process costs 0.2 s. The longest runs start first, so that none of them is left alone at the end.
 */

/** A file of tests. */
export interface TestFile {
  /** Relative to the root: `"tests/worker/drain_test.ts"`. */
  readonly path: string;
  /** Whether no other file may run at the same time, since it measures time: always, or where it runs on Kafka. */
  readonly alone: "always" | "on Kafka" | "never";
}

/** One `deno test` process. */
export interface Run {
  /** Shown while it runs: `"tests/worker/drain_test.ts"`, `"tests/behaviours (3 files) on Kafka"`. */
  readonly name: string;
  readonly paths: readonly string[];
  readonly onKafka: boolean;
  readonly isAlone: boolean;
  /** The expected time, in seconds. */
  readonly seconds: number;
}

/** The expected seconds of files by {@linkcode timeKey}; files that are not listed take {@linkcode SHORT_SECONDS}. */
export type Times = Readonly<Record<string, number>>;

/** The expected seconds of a file that is too short to be listed. */
export const SHORT_SECONDS = 0.4;

/** A file that takes at least so long is a run of its own, and short files share a run up to this time. In seconds. */
const RUN_SECONDS = 5;

/** Folders and files whose tests run on a Kafka. Those that are not in `tests/kafka` run without one as well. */
const KAFKA_FOLDERS = ["tests/kafka", "tests/behaviours", "tests/rails/kafka_test.ts"];

/** The folder whose tests start a cluster of their own: `deno task test:cluster` runs them. */
export const CLUSTER_FOLDER = "tests/kafka/cluster";

/** The key of a file's time: its path, and whether it is run on Kafka. */
export function timeKey(path: string, onKafka: boolean): string {
  return onKafka ? `${path} on Kafka` : path;
}

/** Whether a path is a folder or lies in it. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

/**
 * Makes the runs, longest first.
 *
 * @param files in the order of their paths
 * @param options `groupShort` whether short files share a run; `maxSeconds` leaves out files that take longer
 */
export function planRuns(
  files: readonly TestFile[],
  times: Times,
  options: { readonly groupShort: boolean; readonly maxSeconds?: number },
): Run[] {
  const { groupShort, maxSeconds = Infinity } = options;
  const runs = [false, true].flatMap((onKafka) => {
    const single = files.filter(({ path }) => runsOn(path, onKafka))
      .map(({ path, alone }) => {
        const isAlone = alone === "always" || (onKafka && alone === "on Kafka");
        return makeRun([path], onKafka, isAlone, times[timeKey(path, onKafka)] ?? SHORT_SECONDS);
      })
      .filter(({ seconds }) => seconds <= maxSeconds);
    return groupShort ? groupShortRuns(single) : single;
  });
  return runs.sort((a, b) => b.seconds - a.seconds);
}

function runsOn(path: string, onKafka: boolean): boolean {
  return onKafka ? KAFKA_FOLDERS.some((folder) => isWithin(path, folder)) : !isWithin(path, "tests/kafka");
}

/** Short files of a module share a run until it is long enough. */
function groupShortRuns(runs: readonly Run[]): Run[] {
  const open = new Map<string, Run>();
  const done: Run[] = [];
  for (const run of runs) {
    const key = `${moduleOf(run.paths[0]!)} ${run.isAlone}`;
    const before = open.get(key);
    const joined = before === undefined || run.seconds >= RUN_SECONDS ? run : joinRuns(before, run);
    if (joined.seconds >= RUN_SECONDS) {
      done.push(joined);
      if (joined !== run) open.delete(key);
    } else open.set(key, joined);
  }
  return [...done, ...open.values()];
}

function joinRuns(a: Run, b: Run): Run {
  return makeRun([...a.paths, ...b.paths], a.onKafka, a.isAlone, a.seconds + b.seconds);
}

function makeRun(paths: readonly string[], onKafka: boolean, isAlone: boolean, seconds: number): Run {
  const name = paths.length === 1 ? paths[0]! : `${moduleOf(paths[0]!)} (${paths.length} files)`;
  return { name: onKafka ? `${name} on Kafka` : name, paths, onKafka, isAlone, seconds };
}

/** The module whose tests a file has: `"tests/worker"`, also for a file in a folder below. */
function moduleOf(path: string): string {
  return path.split("/").slice(0, -1).slice(0, 2).join("/");
}

/**
 * The seconds that runs take if so many of them run at once, started in their order. Runs that must be alone follow one
 * by one.
 */
export function estimateSeconds(runs: readonly Run[], atOnce: number): number {
  const ends = new Array<number>(atOnce).fill(0);
  for (const { seconds } of runs.filter(({ isAlone }) => !isAlone)) {
    const first = ends.indexOf(Math.min(...ends));
    ends[first]! += seconds;
  }
  return Math.max(...ends) + runs.filter(({ isAlone }) => isAlone).reduce((sum, { seconds }) => sum + seconds, 0);
}

/** `"3 min 5 s"`, `"12 s"`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(1, Math.round(seconds));
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** `"1 file"`, `"2 files"`. */
export function formatCount(items: readonly unknown[], noun: string): string {
  return `${items.length} ${noun}${items.length === 1 ? "" : "s"}`;
}
