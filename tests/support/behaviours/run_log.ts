/**
 * Worker processes that share one file, the run log: their jobs write the start and the end of each run to it. The
 * processes run `children/run_log_worker.ts`. Also a watch over the committed offset of their group.
 */
import type { Ordering } from "../../../mod.ts";
import { Child } from "../child.ts";
import type { World } from "./world.ts";
import type { RunLogJobOptions, RunLogWorkerSettings } from "./children/run_log_worker.ts";

const PROGRAM = new URL("children/run_log_worker.ts", import.meta.url).pathname;
const WATCH_MS = 50;

/** A line of the run log. */
export interface RunLogLine {
  readonly what: "start" | "end";
  readonly n: number;
  readonly pid: number;
}

/** A run log and its workers. */
export class RunLog implements AsyncDisposable {
  readonly #world: World;
  readonly #path = Deno.makeTempFileSync({ prefix: "run-log-" });
  readonly #workers: Child[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  /** Starts a worker process with a session timeout of two seconds. */
  start(ordering: Ordering = "partition", { control = false }: { readonly control?: boolean } = {}): Child {
    const settings: RunLogWorkerSettings = {
      url: this.#world.url,
      group: this.#world.group,
      runLog: this.#path,
      sessionTimeoutMs: 2000,
      ordering,
      control,
    };
    const worker = new Child([PROGRAM, JSON.stringify(settings)]);
    this.#workers.push(worker);
    return worker;
  }

  /** Returns the lines that the jobs have written so far. */
  lines(): RunLogLine[] {
    return Deno.readTextFileSync(this.#path).split("\n").slice(0, -1).map((line) => {
      const [what, n, pid] = line.split(" ");
      return { what: what as RunLogLine["what"], n: Number(n), pid: Number(pid) };
    });
  }

  /** Returns the numbers of the jobs that ended, once for each end. */
  ended(): number[] {
    return this.lines().filter(({ what }) => what === "end").map(({ n }) => n);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const worker of this.#workers) await worker[Symbol.asyncDispose]();
    await Deno.remove(this.#path);
  }
}

/** Returns the record of a job that writes to the run log. */
export function runLogRecord(
  n: number,
  options: RunLogJobOptions = {},
): { partition?: number; key?: string; value: string } {
  return { value: JSON.stringify({ job_class: "RunLogJob", job_id: `job-${n}`, arguments: [n, options] }) };
}

/** Parses the line of an event. */
export function eventOf(line: string): Record<string, unknown> {
  return JSON.parse(line.slice(line.indexOf(" ") + 1));
}

/** Reads the committed offset of the group every 50 ms, and once more when it is stopped. */
export class OffsetWatch {
  readonly #seen: number[] = [];
  readonly #stop = Promise.withResolvers<void>();
  readonly #done: Promise<void>;

  constructor(world: World, partition = 0) {
    this.#done = this.#watch(world, partition);
    // A test that fails does not stop it, and its own error is the one to show.
    this.#done.catch(() => {});
  }

  /**
   * Stops the watch.
   *
   * @returns the committed offsets, in the order in which they were read
   */
  async stop(): Promise<number[]> {
    this.#stop.resolve();
    await this.#done;
    return this.#seen;
  }

  async #watch(world: World, partition: number): Promise<void> {
    let stopped = false;
    void this.#stop.promise.then(() => stopped = true);
    const look = async () => {
      const { offset } = await world.committed("default", partition);
      if (offset !== null && offset !== this.#seen.at(-1)) this.#seen.push(offset);
    };
    while (!stopped) {
      await look();
      let timer: ReturnType<typeof setTimeout> | undefined;
      await Promise.race([new Promise((resolve) => timer = setTimeout(resolve, WATCH_MS)), this.#stop.promise]);
      clearTimeout(timer);
    }
    await look();
  }
}

/** Whether the committed offset never fell. */
export function neverFell(offsets: readonly number[]): boolean {
  return offsets.every((offset, index) => index === 0 || offset > offsets[index - 1]!);
}
