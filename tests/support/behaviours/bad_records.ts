/** Set-ups of the tests about bad input: bad records among good jobs, and the assertions about both. */
import { assertEquals } from "@std/assert";
import { activeJobTopic, Job, type TopicOptions } from "../../../mod.ts";
import type { NewRecord } from "../../../src/broker/broker.ts";
import type { AppProcess, LogRecord, ProcessOptions, World } from "./world.ts";
import { asString, headersAsStrings } from "./world.ts";

/** A job that records its arguments. */
export class EchoJob extends Job {
  /** The arguments of each run, in order. */
  static got: unknown[][] = [];

  perform(...args: unknown[]) {
    EchoJob.got.push(args);
  }
}

/** Returns the envelope of an EchoJob, as a string. */
export function echo(args: readonly unknown[] = [], more: object = {}): string {
  return JSON.stringify({ job_class: "EchoJob", arguments: args, ...more });
}

/** Makes a process that performs the EchoJobs of the topic "default", with dead letters in "dead". */
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

/** A dead letter and its reason. */
export interface Dead {
  readonly record: LogRecord;
  readonly errorClass: string;
  readonly message: string;
  readonly attempts: string;
}

/**
 * Appends records that can never be performed, each followed by a good job, and performs all of them. Each bad record
 * must be dead-lettered at once with its exact bytes, without a run and without a pause, and each good job must be
 * performed once.
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
    const headers = headersAsStrings(letter.headers.filter(([name]) => name.startsWith("dead-letter-")));
    return {
      record: letter,
      errorClass: headers["dead-letter-error-class"]!,
      message: headers["dead-letter-error-message"]!,
      attempts: headers["dead-letter-attempts"]!,
    };
  });
}

/** Performs records that are odd but valid, and checks the arguments of the jobs. */
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
  assertEquals((await world.records("dead")).map(({ value }) => asString(value)), []);
}
