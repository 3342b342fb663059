/**
 * Whether the jobs of last ticks still wait or run: for recurring jobs that must not overlap. Three places have a job that is not
 * finished:
 *
 * 1. its record, whose position is known: mostly that is all to look at;
 * 2. the rest of its topic, for the record of a retry;
 * 3. the delayed jobs, for a retry that waits.
 *
 * The topics are read once, on from the last reading, and for all recurring jobs together: a tick costs what has come since,
 * however much waits. A job is known before it is enqueued, so that no record of it is passed over.
 */
import type { BrokerAdmin, CommittedOffset, PartitionEnds, StoredRecord } from "../../broker/broker.ts";
import { textOf } from "../../broker/record_text.ts";
import { readScheduled } from "../../dispatch/schedule.ts";
import { UnknownTopicError } from "../../errors.ts";
import type { Position } from "../../support/position.ts";
import { decodeCommitMetadata } from "../../worker/partition/commit_metadata.ts";
import { isInRanges } from "../../worker/partition/offset_states.ts";
import { readTickJobId } from "./find_job.ts";
import { LogFollower } from "./log_follower.ts";
import type { LastTick } from "./tick_record.ts";

/** The places to look at. */
export interface OpenJobsOptions {
  readonly admin: Pick<BrokerAdmin, "ends" | "committed" | "read">;
  /** Returns the group that performs the jobs of a topic. */
  readonly groupOf: (topic: string) => string;
  /** The topic of delayed jobs, and the group of its schedulers. */
  readonly topic: string;
  readonly group: string;
  readonly signal: AbortSignal;
}

/** A schedule of a job. */
interface KnownSchedule extends Position {
  readonly jobId: string;
}

/** A job, and where it was found. */
interface KnownJob {
  /** The positions of its records that may not be finished, by name. */
  readonly records: Map<string, Position>;
  /** The number of records that were found in its topic. */
  found: number;
  /** The key of its schedule; `null` if it does not wait for a time. */
  schedule: string | null;
}

/** See the module. One object for each ownership. */
export class OpenJobs {
  readonly #options: OpenJobsOptions;
  readonly #jobs = new Map<string, KnownJob>();
  /** By topic. */
  readonly #targets = new Map<string, LogFollower>();
  readonly #delayed: LogFollower;
  /** The schedules of the jobs, by key. */
  readonly #schedules = new Map<string, KnownSchedule>();

  constructor(options: OpenJobsOptions) {
    const { topic, group } = options;
    this.#options = options;
    this.#delayed = new LogFollower({
      ...options,
      topic,
      group,
      values: false,
      onRecord: this.#readDelayed,
      onFront: this.#endSchedulesBefore,
    });
  }

  /** Notes that a job is about to be enqueued for the first time. */
  expect(jobId: string): void {
    this.#jobs.set(jobId, { records: new Map(), found: 0, schedule: null });
  }

  /** Notes a job that another owner may have enqueued, perhaps before what was read here. */
  know(jobId: string): void {
    if (this.#jobs.has(jobId)) return;
    this.expect(jobId);
    for (const follower of [this.#delayed, ...this.#targets.values()]) follower.rewind();
  }

  /** Forgets a job. */
  forget(jobId: string): void {
    this.#endSchedule(this.#jobs.get(jobId));
    this.#jobs.delete(jobId);
  }

  /**
   * Returns whether the job of a tick still waits or runs.
   *
   * @throws {BrokerError} if the broker cannot be asked
   */
  async isOpen({ jobId, position }: LastTick): Promise<boolean> {
    const { topic } = position;
    const target = this.#targetOf(topic);
    this.know(jobId);
    const job = this.#jobs.get(jobId)!;
    addRecord(job, position);
    if (await this.#hasUnfinished(job, topic)) return true;
    while (true) {
      await readIfThere(target);
      if (await this.#hasUnfinished(job, topic)) return true;
      await this.#delayed.read();
      if (job.schedule !== null) return true;
      // A retry may have come from the delayed jobs meanwhile.
      const { found } = job;
      await readIfThere(target);
      if (job.found === found) return false;
    }
  }

  /** Returns whether a known record of a job is not finished. A topic that was deleted has none. */
  async #hasUnfinished({ records }: KnownJob, topic: string): Promise<boolean> {
    if (records.size === 0) return false;
    const { admin, groupOf } = this.#options;
    try {
      const commits = new Map((await admin.committed(groupOf(topic), topic)).map((each) => [each.partition, each]));
      const ends = new Map((await admin.ends(topic)).map((each) => [each.partition, each]));
      for (const [name, { partition, offset }] of records) {
        if (isThere(ends.get(partition), offset) && !isFinished(commits.get(partition), offset)) return true;
        records.delete(name);
      }
      return false;
    } catch (error) {
      if (error instanceof UnknownTopicError) return false;
      throw error;
    }
  }

  #targetOf(topic: string): LogFollower {
    let target = this.#targets.get(topic);
    if (target === undefined) {
      const { groupOf } = this.#options;
      const onRecord = this.#readTarget;
      target = new LogFollower({ ...this.#options, topic, group: groupOf(topic), values: true, onRecord });
      this.#targets.set(topic, target);
    }
    return target;
  }

  readonly #readTarget = ({ value }: StoredRecord, position: Position): void => {
    if (value === null || this.#jobs.size === 0) return;
    const jobId = readTickJobId(textOf(value), (id) => this.#jobs.has(id));
    if (jobId !== null) addRecord(this.#jobs.get(jobId)!, position);
  };

  readonly #readDelayed = (record: StoredRecord, position: Position): void => {
    const read = readScheduled(record);
    if (read.kind === "schedule") this.#addSchedule(read.jobId, textOf(record.key!), position);
    else if (read.kind === "cancellation") this.#endSchedule(this.#jobs.get(read.jobId));
    else if (read.kind === "tombstone" && this.#schedules.size > 0) {
      const schedule = this.#schedules.get(textOf(record.key!));
      if (schedule !== undefined) this.#endSchedule(this.#jobs.get(schedule.jobId));
    }
  };

  /** Their tombstones are not read. */
  readonly #endSchedulesBefore = ({ partition, offset }: Position): void => {
    for (const schedule of this.#schedules.values()) {
      if (schedule.partition !== partition || schedule.offset >= offset) continue;
      this.#endSchedule(this.#jobs.get(schedule.jobId));
    }
  };

  /** Takes the schedule of a job, in place of an earlier one. */
  #addSchedule(jobId: string, key: string, position: Position): void {
    const job = this.#jobs.get(jobId);
    if (job === undefined) return;
    this.#endSchedule(job);
    job.schedule = key;
    this.#schedules.set(key, { jobId, ...position });
  }

  #endSchedule(job: KnownJob | undefined): void {
    if (job === undefined || job.schedule === null) return;
    this.#schedules.delete(job.schedule);
    job.schedule = null;
  }
}

function addRecord(job: KnownJob, position: Position): void {
  const name = `${position.partition}@${position.offset}`;
  if (job.records.has(name)) return;
  job.records.set(name, position);
  job.found++;
}

/** Reads a topic, if it exists: one that was deleted has no record. */
async function readIfThere(topic: LogFollower): Promise<void> {
  try {
    await topic.read();
  } catch (error) {
    if (!(error instanceof UnknownTopicError)) throw error;
  }
}

function isThere(ends: PartitionEnds | undefined, offset: number): boolean {
  // One that is not there was deleted, perhaps with its topic: no worker will run it.
  return ends !== undefined && offset >= ends.low && offset < ends.high;
}

function isFinished(commit: CommittedOffset | undefined, offset: number): boolean {
  if (commit === undefined || commit.offset === null) return false;
  return offset < commit.offset || isInRanges(offset, decodeCommitMetadata(commit.metadata, commit.offset).finished);
}
