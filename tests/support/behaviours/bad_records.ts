/** What the rows of bad input share: bad records among good jobs, and what must become of both. */
import { assertEquals } from "@std/assert";
import { activeJobTopic, Job, type TopicOptions } from "../../../mod.ts";
import type { NewRecord } from "../../../src/broker/broker.ts";
import type { AppProcess, LogRecord, ProcessOptions, World } from "./world.ts";
import { text, texts } from "./world.ts";

/** A job that says what it got. */
export class EchoJob extends Job {
  /** What each run got, in order. */
  static got: unknown[][] = [];

  perform(...args: unknown[]) {
    EchoJob.got.push(args);
  }
}

/** The envelope of an EchoJob, as text. */
export function echo(args: readonly unknown[] = [], more: object = {}): string {
  return JSON.stringify({ job_class: "EchoJob", arguments: args, ...more });
}

/** A process that performs EchoJobs of topic "default", with dead letters in "dead". */
export async function echoProcess(
  world: World,
  options: Partial<ProcessOptions> & { topic?: TopicOptions } = {},
): Promise<AppProcess> {
  const { topic, ...rest } = options;
  EchoJob.got = [];
  return await world.process({
    jobs: [EchoJob],
    topics: [
      activeJobTopic("default", { partitions: 1, deadLetterQueue: { topic: "dead", maxRetries: 1 }, ...topic }),
    ],
    ...rest,
  });
}

/** A dead letter and why it is one. */
export interface Dead {
  readonly record: LogRecord;
  readonly errorClass: string;
  readonly message: string;
  readonly attempts: string;
}

/**
 * Appends poison, each record followed by a good job, and performs all: each must be dead-lettered at once as it came,
 * without a run and without a pause, and every good job performed once.
 *
 * @returns the dead letters in order
 */
export async function assertPoison(
  world: World,
  process: AppProcess,
  values: readonly (Uint8Array | string)[],
  record: Partial<NewRecord> = {},
): Promise<Dead[]> {
  for (const [n, value] of values.entries()) await world.append([{ ...record, value }, { value: echo([n]) }]);
  await process.start();
  await world.untilCommitted(2 * values.length);
  await process.stop();
  assertEquals(EchoJob.got, values.map((_, n) => [n]));
  assertEquals(process.events("partition.paused"), []);
  assertEquals(process.events("job.failed"), []);
  const source = await world.records();
  const dead = await world.records("dead");
  assertEquals(dead.map(({ value }) => value), values.map((_, n) => source[2 * n]!.value));
  return dead.map((letter) => {
    const headers = texts(letter.headers.filter(([name]) => name.startsWith("dead-letter-")));
    return {
      record: letter,
      errorClass: headers["dead-letter-error-class"]!,
      message: headers["dead-letter-error-message"]!,
      attempts: headers["dead-letter-attempts"]!,
    };
  });
}

/** Performs records that are odd but good, and checks what the jobs got. */
export async function assertPerformed(
  world: World,
  process: AppProcess,
  records: readonly NewRecord[],
  got: readonly unknown[][],
): Promise<void> {
  await world.append(records);
  await process.start();
  await world.untilCommitted(records.length);
  await process.stop();
  assertEquals(EchoJob.got, got);
  assertEquals((await world.records("dead")).map(({ value }) => text(value)), []);
}
