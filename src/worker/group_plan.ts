/** A consumer group of a worker: its topics, and the handler of their partitions. */
import type { CreateHandler } from "./partition/handler.ts";

/** See the module. */
export interface GroupPlan {
  /** The group's name. */
  readonly group: string;
  /** The full names of its topics. */
  readonly topics: readonly string[];
  /** Whether a topic may be missing at the start without a report. @default false */
  readonly mayBeMissing?: boolean;
  /** The largest value of a record in them, in bytes. */
  readonly maxPayloadBytes: number;
  /** Makes the handler of each partition that the worker gets. */
  readonly createHandler: CreateHandler;
}
