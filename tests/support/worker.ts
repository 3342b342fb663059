/**
 * Set-ups that the tests of the worker share: routes, records, and an App with one worker whose jobs the test controls.
 */
import { activeJobTopic, App, type AppOptions, type EventMap, Job, type TopicOptions } from "../../mod.ts";
import type { StoredRecord } from "../../src/broker/broker.ts";
import { FaultInjectionLog } from "./fault_injection_log.ts";
import { type Route, Routes } from "../../src/routing/route.ts";
import { heldBroker } from "./controlled_broker.ts";

/** The route of a topic "default" in the group "shop". */
export function routeOf(options: TopicOptions = {}): Route {
  const naming = { queuePrefix: "", queueDelimiter: "_" };
  return new Routes([activeJobTopic("default", options)], {}, naming, "shop").find("default")!;
}

/** A record as a broker delivers it. */
export function recordOf(value: string | Uint8Array | null, fields: Partial<StoredRecord> = {}): StoredRecord {
  const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
  return { offset: 0, key: null, headers: [], timestampMs: 1000, ...fields, value: bytes };
}

/** The envelope of a `StepJob`, with an argument. */
export function stepEnvelope(n: number, fields: Record<string, unknown> = {}): string {
  return JSON.stringify({ job_class: "StepJob", arguments: [n], ...fields });
}

/** A worker on a memory log of its own. */
export type WorkerSetUp = ReturnType<typeof setUpWorker>;

/**
 * Makes an App "shop" with the topic "default" and one worker. Its jobs call `steps.perform`, which the test replaces.
 */
export function setUpWorker(topic: TopicOptions = {}, options: Partial<AppOptions> = {}) {
  const steps = {
    /** The arguments of the jobs that ran, in order. */
    runs: [] as number[],
    perform: (_n: number, _job: Job): unknown => undefined,
  };
  class StepJob extends Job {
    async perform(n: number) {
      steps.runs.push(n);
      await steps.perform(n, this);
    }
  }
  const log = new FaultInjectionLog();
  const broker = heldBroker(log);
  const app = new App({
    name: "shop",
    broker,
    jobs: [StepJob],
    topics: [activeJobTopic("default", { backoff: { initialMs: 1, maxMs: 1, jitter: 0 }, ...topic })],
    commitIntervalMs: 0,
    logger: false,
    ...options,
  });
  const errors: EventMap["error.occurred"][] = [];
  app.on("error.occurred", (event) => errors.push(event));
  return {
    log,
    broker,
    app,
    errors,
    steps,
    runs: steps.runs,
    worker: app.worker(),
    /** Returns what the group has committed in the first partition. */
    committed: (partition = 0) => log.group("shop").committed({ topic: "default", partition }),
    /** Enqueues jobs with these arguments, and waits until they are in the log. */
    async enqueue(...args: number[]): Promise<void> {
      for (const n of args) await app.enqueue(StepJob.of(n));
      await app.flush();
    },
  };
}

/** Resolves at the n-th event of a name. */
export function nthEvent<N extends keyof EventMap>(app: App, name: N, n = 1): Promise<EventMap[N]> {
  return new Promise((resolve) => {
    const end = app.on(name, (event) => {
      if (--n > 0) return;
      end();
      resolve(event);
    });
  });
}

/** Waits for some turns of the event loop: for tests that nothing happens. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
}
