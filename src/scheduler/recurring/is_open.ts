/**
 * Whether a job still waits or runs: for recurring jobs that must not overlap. Three places have what is not finished: the
 * job's first record, the backlog of its topic (a record of a retry), and the delayed jobs (a retry that waits).
 */
import type { BrokerAdmin, CommittedOffset } from "../../broker/broker.ts";
import { partitionOfKey } from "../../broker/partitioner.ts";
import { UnknownTopicError } from "../../errors.ts";
import type { Position } from "../../support/position.ts";
import { decodeCommitMetadata } from "../../worker/partition/commit_metadata.ts";
import { isInRanges } from "../../worker/partition/offset_states.ts";
import { readWaiting } from "../list_scheduled.ts";
import { findJob } from "./find_job.ts";
import type { LastTick } from "./tick_record.ts";

/** The places to look at. */
export interface OpenPlaces {
  readonly admin: Pick<BrokerAdmin, "ends" | "committed" | "read">;
  /** The group that performs the jobs of the topic. */
  readonly group: string;
  /** The topic of delayed jobs, and the group of its schedulers. */
  readonly scheduled: { readonly topic: string; readonly group: string };
  readonly signal: AbortSignal;
}

/**
 * Returns whether the job of a tick still waits or runs.
 *
 * @throws {BrokerError} if the broker cannot be asked
 */
export async function isOpen(tick: LastTick, places: OpenPlaces): Promise<boolean> {
  return await isInTopic(tick, places) || await isDelayed(tick.jobId, places);
}

/** Returns whether a record of the job is in its topic and is not finished. A topic that was deleted has none. */
async function isInTopic({ position, jobId }: LastTick, { admin, group, signal }: OpenPlaces): Promise<boolean> {
  const { topic } = position;
  try {
    const commits = new Map((await admin.committed(group, topic)).map((commit) => [commit.partition, commit]));
    const accept = (at: Position) => !isFinished(commits.get(at.partition), at.offset);
    const ends = (await admin.ends(topic)).find(({ partition }) => partition === position.partition);
    // One that is not there was deleted, perhaps with its topic: no worker will run it.
    const isThere = ends !== undefined && position.offset >= ends.low && position.offset < ends.high;
    if (isThere && accept(position)) return true;
    const from = Object.fromEntries(Array.from(commits.values(), ({ partition, offset }) => [partition, offset ?? 0]));
    return await findJob(admin, topic, jobId, { from, accept, signal }) !== null;
  } catch (error) {
    if (error instanceof UnknownTopicError) return false;
    throw error;
  }
}

function isFinished(commit: CommittedOffset | undefined, offset: number): boolean {
  if (commit === undefined || commit.offset === null) return false;
  return offset < commit.offset || isInRanges(offset, decodeCommitMetadata(commit.metadata, commit.offset).finished);
}

async function isDelayed(jobId: string, { admin, scheduled: { topic, group }, signal }: OpenPlaces): Promise<boolean> {
  const partitions = await admin.committed(group, topic);
  const home = partitions.find(({ partition }) => partition === partitionOfKey(jobId, partitions.length));
  if (home === undefined) return false;
  const { partition, offset } = home;
  const { waiting } = await readWaiting(admin, { topic, partition }, offset ?? 0, undefined, signal);
  return Array.from(waiting).some((each) => each.jobId === jobId);
}
