/**
 * What the partitions of one group share: the surroundings in which an owned partition works. Plain references, put
 * together once by the group's consumer.
 */
import type { Consumer, Position } from "../broker/broker.ts";
import type { AnyCurrentAttributes } from "../job/current_attributes.ts";
import type { JobRegistry } from "../job/registry.ts";
import type { Monitor } from "../monitor/monitor.ts";
import type { Tracing } from "../monitor/tracing.ts";
import type { CommitLoop } from "./commit_loop.ts";
import type { Append } from "./dead_letter.ts";
import type { Gate } from "./gate.ts";
import type { Intake } from "./intake.ts";
import type { Pacer } from "./pacer.ts";
import type { Slots } from "./slots.ts";
import type { Unsettled } from "./unsettled.ts";

/** What all partitions of a worker share. */
export interface WorkerContext {
  readonly registry: JobRegistry;
  readonly monitor: Monitor;
  readonly tracing: Tracing;
  readonly currentAttributes: readonly AnyCurrentAttributes[];
  readonly slots: Slots;
  readonly intake: Intake;
  readonly pacer: Pacer;
  readonly unsettled: Unsettled;
  /** Without a sign of life for so long, the group gives a worker's partitions to others. */
  readonly sessionTimeoutMs: number;
  /** Appends a dead letter. */
  readonly append: Append;
  /** The command that passes a record over, as an operator types it. */
  readonly skipCommand: (position: Position) => string;
  /** Calls a function in the worker's own context: a broker calls from whatever context it was woken in. */
  readonly within: <T>(fn: () => T) => T;
  /** A fault of the worker's own: it cannot go on. */
  readonly failed: (error: Error) => void;
  /** Whether the worker is stopping: nothing new begins. */
  readonly isStopping: () => boolean;
}

/** What all partitions of a group share. */
export interface GroupContext extends WorkerContext {
  /** The longest commit metadata, in characters. */
  readonly maxMetadataLength: number;
  readonly group: string;
  readonly consumer: Consumer;
  readonly gate: Gate;
  readonly commits: CommitLoop;
}
