/** The envelope of a record, as data. Fields that are rarely needed are in `raw`. */
import type { CarriedSource } from "./carried.ts";

/** An envelope that was read. */
export interface Envelope extends CarriedSource {
  /** The name of the job's class. */
  readonly jobClass: string;
  /** The job's id; `null` where the envelope has none. */
  readonly jobId: string | null;
  /** The queue's full name; `null` where the envelope has none. */
  readonly queueName: string | null;
  /** The priority: carried, without effect here. */
  readonly priority: number | null;
  /** The arguments of `perform` as JSON; `deserializeArguments` of the codec returns their values. */
  readonly arguments: readonly unknown[];
  /** Whether the arguments and attributes are plain data, which is its own value. */
  readonly isPlain: boolean;
  /** Number of times that the job was started before this record was written. */
  readonly executions: number;
  /** The time of enqueuing as it was written, for `readTime`; `null` where the envelope has none. */
  readonly enqueuedAt: string | null;
  /** The time at which it is due, in milliseconds since 1970; `null` for at once. */
  readonly scheduledAtMs: number | null;
  /** Current attributes by class name as JSON, not checked yet. */
  readonly currentAttributes: unknown;
}

/** A value that has a serializer. */
export interface SerializedValue {
  /** The name of the serializer. */
  readonly name: string;
  /** Its fields, not serialized themselves. */
  readonly fields: object;
}

/** The fields of an envelope on the wire that hold no data of the application: what an operator sees without asking. */
export const SAFE_ENVELOPE_FIELDS: readonly string[] = [
  "job_class",
  "job_id",
  "provider_job_id",
  "queue_name",
  "priority",
  "executions",
  "locale",
  "timezone",
  "enqueued_at",
  "scheduled_at",
];
