/** What the parts of a test's App share: the log, what is written down of it, and what the test has planned. */
import type { FaultyLog } from "./faulty_log.ts";
import { InvalidConfigurationError } from "../errors.ts";
import type { JobInfo } from "../monitor/events.ts";
import type { FaultPlan } from "./fault_plan.ts";
import type { Entry, JobRecorder } from "./job_recorder.ts";
import type { Catalog } from "./selection.ts";
import type { Position } from "../support/position.ts";

/** The partitions of a consumer, as far as a test takes them away. */
export interface Partitions {
  /** The partition of a job that is about to run goes to another owner. */
  revoke(at: Position): void;
  /** The same for a job that has just passed, before it is marked. */
  loseMark(job: JobInfo): void;
}

/** See the module. */
export interface TestContext {
  readonly log: FaultyLog;
  readonly recorder: JobRecorder;
  readonly plan: FaultPlan;
  readonly catalog: Catalog;
  /** Those of the consumers that are open. */
  readonly consumers: Set<Partitions>;
  /** The jobs that are handed over now; `null`: all. */
  chosen: ReadonlySet<Entry> | null;
  /** Whether the test is over. */
  isDisposed: boolean;
}

/**
 * The context, while the test goes on.
 *
 * @throws {InvalidConfigurationError} if the test's App was disposed of
 */
export function assertInUse(context: TestContext): TestContext {
  if (!context.isDisposed) return context;
  throw new InvalidConfigurationError(
    `Cannot use the test's App of "${context.catalog.name}": it was disposed of; await what is called on it within its test`,
  );
}
