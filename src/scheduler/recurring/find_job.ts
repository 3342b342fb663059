/** Looks for a job in its topic: one that may have been enqueued before its owner was killed, or one that is not finished. */
import type { BrokerAdmin } from "../../broker/broker.ts";
import { readForward } from "../../broker/read_forward.ts";
import type { Position } from "../../support/position.ts";
import { textOf } from "../candidate.ts";

/** The records to look at. */
export interface FindOptions {
  /** The first offset in each partition, by its number; a partition that is not there is read from its beginning. */
  readonly from: Readonly<Record<string, number>>;
  /** Whether a record of the job counts. @default each one does */
  readonly accept?: (position: Position) => boolean;
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
  { from, accept = () => true, signal }: FindOptions,
): Promise<Position | null> {
  for (const { partition } of await admin.ends(topic)) {
    const range = { from: from[partition] ?? 0, signal };
    for await (const records of readForward(admin, { topic, partition }, range)) {
      for (const { offset, value } of records) {
        const position = { topic, partition, offset };
        if (value !== null && isEnvelopeOf(textOf(value), jobId) && accept(position)) return position;
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
