/**
 * Lists the workers that report, without a group: each partition of the topic is read backwards, from its end to records that
 * are older than a minute. A worker that runs has written one since.
 *
 * The age of a record is the time of the reader's clock minus the time of the record, which Kafka's broker stamps. A time in
 * the future counts as now: one wrong clock must not make the others look gone.
 */
import type { BrokerAdmin, PartitionEnds } from "../broker/admin.ts";
import { readForward } from "../broker/read_forward.ts";
import type { StoredRecord } from "../broker/record.ts";
import { BrokerError, UnknownTopicError } from "../errors.ts";
import { formatPartition } from "../support/position.ts";
import type { SkipCommand } from "./read_worker_status.ts";
import { readReport, readWorkerId, type Report } from "./report.ts";
import type { ReportedState, ReportedWorker } from "./reported_worker.ts";

/** A worker that has not reported for so long is gone, in milliseconds. */
const GONE_MS = 20_000;
/** The age of records up to which the topic is read, in milliseconds. */
const LOOK_BACK_MS = 60_000;
/** A worker that is gone is listed for no longer. */
const FORGET_MS = 3_600_000;
/** The number of offsets in the first window that is read, each further one is twice as large, and in all. */
const FIRST_WINDOW = 200;
const MAX_OFFSETS = 50_000;
/** Most workers of the list, and characters of their reports: those that have reported last. */
const MAX_WORKERS = 1000;
const MAX_CHARACTERS = 32 * 1024 * 1024;

/** The parts that listing needs. */
export interface ListContext {
  readonly admin: Pick<BrokerAdmin, "listEnds" | "read">;
  /** The full name of the topic of reports. */
  readonly topic: string;
  /** The reader's time, in milliseconds since 1970. */
  readonly nowMs: number;
  /** Returns the command that skips a record. */
  readonly skipCommand: SkipCommand;
}

/** Lists the workers: those that run first, then by host and time of start. */
export async function listWorkers(context: ListContext): Promise<ReportedWorker[]> {
  const { admin, topic } = context;
  const listed = (await admin.listEnds([topic])).get(topic) ?? null;
  if (listed === null) {
    throw new UnknownTopicError(
      `The broker has no topic "${topic}", in which workers report: create it with "topics apply"`,
    );
  }
  const newest = new NewestRecords();
  if (listed.problem !== null) throw new BrokerError(`Cannot read topic "${topic}": ${listed.problem}`);
  for (const { partition, low, high, problem } of listed.partitions) {
    // Without it, workers would be missing from the list as if they had ended.
    if (problem !== null) throw new BrokerError(`Cannot read ${formatPartition({ topic, partition })}: ${problem}`);
    await readNewest(context, { partition, low: low!, high: high! }, newest);
  }
  const workers: ReportedWorker[] = [];
  for (const [id, record] of newest.records) {
    const report = record.value === null ? null : readReport(id, record, context.skipCommand);
    if (report !== null) workers.push(toWorker(report, record.timestampMs, context.nowMs));
  }
  return workers.toSorted(compare);
}

/** The newest record of each worker, of bounded number and size. Any client may write as many as it likes. */
class NewestRecords {
  readonly records = new Map<string, StoredRecord>();
  #characters = 0;

  /** Keeps a record that is newer than all before. The oldest ones are dropped for it. */
  add(id: string, record: StoredRecord): void {
    this.#delete(id);
    this.records.set(id, record);
    this.#characters += sizeOf(record);
    for (const oldest of this.records.keys()) {
      if (this.records.size <= MAX_WORKERS && this.#characters <= MAX_CHARACTERS) return;
      this.#delete(oldest);
    }
  }

  /** Keeps records that are older than all others, up to the limits. */
  addOlder({ records }: NewestRecords): void {
    for (const [id, record] of [...records].toReversed()) {
      if (this.records.has(id)) continue;
      if (this.records.size >= MAX_WORKERS || this.#characters + sizeOf(record) > MAX_CHARACTERS) return;
      this.records.set(id, record);
      this.#characters += sizeOf(record);
    }
  }

  #delete(id: string): void {
    const record = this.records.get(id);
    if (record === undefined) return;
    this.records.delete(id);
    this.#characters -= sizeOf(record);
  }
}

function sizeOf({ value }: StoredRecord): number {
  return value?.length ?? 0;
}

/** Reads the newest record of each worker in a partition. */
async function readNewest(
  { admin, topic, nowMs }: ListContext,
  { partition, low, high }: PartitionEnds,
  newest: NewestRecords,
): Promise<void> {
  const first = Math.max(low, high - MAX_OFFSETS);
  for (let end = high, size = FIRST_WINDOW; end > first; size *= 2) {
    const start = Math.max(first, end - size);
    const window = new NewestRecords();
    let newestMs = -Infinity;
    for await (const records of readForward(admin, { topic, partition }, { from: start, to: end })) {
      for (const record of records) {
        newestMs = Math.max(newestMs, record.timestampMs);
        const id = readWorkerId(record);
        if (id !== null && nowMs - record.timestampMs < FORGET_MS) window.add(id, record);
      }
    }
    newest.addOlder(window);
    if (newestMs < nowMs - LOOK_BACK_MS && newestMs > -Infinity) return;
    end = start;
  }
}

function toWorker(report: Report, timestampMs: number, nowMs: number): ReportedWorker {
  const writtenAtMs = Math.min(timestampMs, nowMs);
  return { ...report, writtenAtMs, state: stateOf(report, nowMs - writtenAtMs) };
}

function stateOf({ status: { state } }: Report, ageMs: number): ReportedState {
  if (ageMs > GONE_MS || state === "stopped") return "gone";
  return state === "new" ? "running" : state;
}

function compare(a: ReportedWorker, b: ReportedWorker): number {
  return Number(a.state === "gone") - Number(b.state === "gone") || (a.host < b.host ? -1 : a.host > b.host ? 1 : 0) ||
    a.startedAtMs - b.startedAtMs;
}
