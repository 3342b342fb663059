/** Finds the jobs of ticks in their topic: one may have been enqueued before its owner was killed. */
import type { BrokerAdmin } from "../../broker/broker.ts";
import { readForward } from "../../broker/read_forward.ts";
import { textOf } from "../../broker/record_text.ts";
import type { Position } from "../../support/position.ts";

/** The records to look at. */
export interface FindOptions {
  /** The first offset in each partition, by its number; a partition that is not there is read from its beginning. */
  readonly from: Readonly<Record<string, number>>;
  readonly signal: AbortSignal;
}

/** Returns the end of each partition of a topic, by the partition's number. */
export async function readEnds(admin: Pick<BrokerAdmin, "ends">, topic: string): Promise<Record<string, number>> {
  return Object.fromEntries((await admin.ends(topic)).map(({ partition, high }) => [partition, high]));
}

/**
 * Finds a record of a job.
 *
 * @returns its position; `null` if there is none
 * @throws {BrokerError} if the topic cannot be read
 */
export async function findJob(
  admin: Pick<BrokerAdmin, "ends" | "read">,
  topic: string,
  jobId: string,
  { from, signal }: FindOptions,
): Promise<Position | null> {
  for (const { partition } of await admin.ends(topic)) {
    const range = { from: from[partition] ?? 0, signal };
    for await (const records of readForward(admin, { topic, partition }, range)) {
      for (const { offset, value } of records) {
        if (value !== null && isEnvelopeOf(textOf(value), jobId)) return { topic, partition, offset };
      }
    }
  }
  return null;
}

function isEnvelopeOf(text: string, jobId: string): boolean {
  // Most records are of other jobs, and need no parsing. The id of a tick has no character that JSON escapes.
  if (!text.includes(jobId)) return false;
  try {
    return JSON.parse(text)?.job_id === jobId;
  } catch {
    return false;
  }
}

/** The end of the id of a tick's job, as JSON has it. */
const END_OF_ID = /\/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"/g;

/** Returns the wanted job whose envelope a text is, which is that of a tick; `null` for any other text. */
export function readTickJobId(text: string, isWanted: (jobId: string) => boolean): string | null {
  for (const { 0: { length }, index } of text.matchAll(END_OF_ID)) {
    const jobId = text.slice(text.lastIndexOf('"', index) + 1, index + length - 1);
    if (isWanted(jobId) && isEnvelopeOf(text, jobId)) return jobId;
  }
  return null;
}
