/** The parts of an App, as its operations and its workers use them. */
import type { Dispatcher } from "../dispatch/dispatcher.ts";
import type { EnvelopeCodec } from "../job/envelope.ts";
import type { Job } from "../job/job.ts";
import type { JobRegistry } from "../job/registry.ts";
import type { Monitor } from "../monitor/monitor.ts";
import type { Tracing } from "../monitor/tracing.ts";
import type { Routes } from "../routing/route.ts";
import type { AppBroker } from "./app_broker.ts";
import type { ResolvedOptions } from "./options.ts";
import type { OwnTopics } from "./own_topics.ts";

/** See the module. */
export interface AppParts {
  readonly options: ResolvedOptions;
  readonly registry: JobRegistry;
  readonly codec: EnvelopeCodec;
  /** The topics of its jobs. */
  readonly routes: Routes;
  /** The topics that it has for itself. */
  readonly topics: OwnTopics;
  readonly monitor: Monitor;
  readonly tracing: Tracing;
  readonly broker: AppBroker;
  readonly dispatcher: Dispatcher;
  /** Enqueues a job, until it is acknowledged. */
  readonly enqueue: (job: Job) => Promise<Job>;
  /** Calls a function in the scope of the App. */
  readonly run: <T>(fn: () => T) => T;
}
