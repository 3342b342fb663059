/** Files of jobs for the benches on SQLite: the library's and bare ones, each bench in a folder of its own. */
import { sqlite } from "@activejob/kafka";
import { Monitor } from "../src/monitor/monitor.ts";
import { bareWriter, openBare } from "./bare_sqlite.ts";
import { records } from "./payload.ts";

/** The topic of the benches on SQLite. */
export const TOPIC = "bench";

/** The contents of a file. */
export interface FilePlan {
  /** The number of jobs. */
  readonly jobs: number;
  /** The size of each envelope in bytes. @default `ENVELOPE_BYTES` */
  readonly bytes?: number;
  /** The topic. @default `TOPIC` */
  readonly topic?: string;
  /** The number of its partitions. @default 1 */
  readonly partitions?: number;
}

/** Fills a topic of the library's file with ready envelopes. */
export async function fill(path: string, { topic = TOPIC, partitions = 1, ...plan }: FilePlan): Promise<void> {
  await using broker = await sqlite(path).open({ clientId: "bench", monitor: new Monitor() });
  await broker.admin.create([{ name: topic, partitions }]);
  for (const list of records(plan)) {
    for (const outcome of await broker.append(topic, list)) if (!outcome.ok) throw outcome.error;
  }
}

/** Fills a bare file with the same. */
export function fillBare(path: string, plan: FilePlan): void {
  using database = openBare(path);
  const write = bareWriter(database);
  for (const list of records(plan)) write(list);
}

/** Removes a file and its log. */
export async function remove(path: string): Promise<void> {
  for (const suffix of ["", "-wal", "-shm"]) await Deno.remove(path + suffix).catch(() => {});
}

/** Calls a function with the path of a folder that is removed afterwards. The disk under `TMPDIR` is what is measured. */
export async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir();
  try {
    return await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
