/** The state that the parts of a test's App share: the log, the records of the test, and its planned faults. */
import type { App } from "../app/app.ts";
import { InvalidConfigurationError } from "../errors.ts";
import type { JobInfo } from "../monitor/events.ts";
import { Routes } from "../routing/route.ts";
import { scheduledTopicOf } from "../routing/scheduled_topic.ts";
import type { Position } from "../support/position.ts";
import { FaultPlan } from "./fault_plan.ts";
import { FakeClock } from "./fake_clock.ts";
import { FaultyLog } from "./faulty_log.ts";
import { JobRecorder, type RecordedJob } from "./job_recorder.ts";
import type { Catalog } from "./selection.ts";

/** A consumer, as a test takes its partitions away. */
export interface RevocableConsumer {
  /** Takes the partition of a job away that is about to run. */
  revoke(at: Position): void;
  /** Takes the partition of a job away that has just succeeded, before the job is marked. */
  loseMark(job: JobInfo): void;
}

/** A place at which a job in steps is to be interrupted. */
export interface PlannedInterrupt {
  readonly jobClass: string;
  readonly step: string;
  /** Whether it is after the step. */
  readonly isCompleted: boolean;
  /** The cursor in the step; left out for any. */
  readonly cursor?: unknown;
}

/** The state of one test. */
export interface TestContext {
  /** The log of the test. */
  readonly log: FaultyLog;
  /** The records of the test. */
  readonly recorder: JobRecorder;
  /** The planned faults. */
  readonly plan: FaultPlan;
  /** The classes and topics of the App. */
  readonly catalog: Catalog;
  /** The consumers that are open. */
  readonly consumers: Set<RevocableConsumer>;
  /** The clock of the test. */
  readonly clock: FakeClock;
  /** The place at which a job in steps is interrupted; `null` for none. */
  interrupt: PlannedInterrupt | null;
  /** The jobs that are delivered to a worker now; `null` for all. */
  selected: ReadonlySet<RecordedJob> | null;
  /** Whether the test is over. */
  isDisposed: boolean;
}

/** Makes the context of a test, with the classes and topics of its App. */
export function createTestContext({ name, jobs, options, codec }: App): TestContext {
  const { queuePrefix = "", queueDelimiter = "_" } = options;
  const naming = { queuePrefix, queueDelimiter };
  const routes = new Routes(options.topics, options, naming, name);
  const scheduledTopic = scheduledTopicOf(name, options.scheduledTopic?.name, naming);
  return {
    log: new FaultyLog(),
    recorder: new JobRecorder(routes.all(), scheduledTopic, codec),
    plan: new FaultPlan(),
    catalog: { name, jobs, routes, scheduledTopic, naming, codec },
    consumers: new Set(),
    clock: new FakeClock(),
    interrupt: null,
    selected: null,
    isDisposed: false,
  };
}

/**
 * Returns the context while the test lasts.
 *
 * @throws {InvalidConfigurationError} if the test's App was disposed of
 */
export function assertInUse(context: TestContext): TestContext {
  if (!context.isDisposed) return context;
  throw new InvalidConfigurationError(
    `Cannot use the test's App of "${context.catalog.name}": it was disposed of; await each of its calls within the test`,
  );
}
