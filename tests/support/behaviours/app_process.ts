/**
 * An App with its worker, as one process has them, and all events that they emit. Several of them over one log act
 * as several processes.
 */
import type { App, EventMap, EventName, RunOptions, Worker, WorkerReport, WorkerSettings } from "../../../mod.ts";
import { EVENT_NAMES } from "../../../src/monitor/monitor.ts";
import { until } from "../until.ts";

/** A process of a behaviour test. */
export class AppProcess {
  /** The App. */
  readonly app: App;
  readonly #world: readonly AppProcess[];
  readonly #events = new Map<EventName, unknown[]>();
  #worker: Worker | undefined;
  #run: Promise<WorkerReport> | undefined;

  /** @param world all processes of its world */
  constructor(app: App, world: readonly AppProcess[]) {
    this.app = app;
    this.#world = world;
    for (const name of Object.keys(EVENT_NAMES) as EventName[]) {
      const list: unknown[] = [];
      this.#events.set(name, list);
      app.on(name, (event) => void list.push(event));
    }
  }

  /** Returns the events of a name, in order. The list grows with each event. */
  events<N extends EventName>(name: N): readonly EventMap[N][] {
    return this.#events.get(name) as EventMap[N][];
  }

  /** The worker that was started last. */
  get worker(): Worker {
    if (this.#worker === undefined) throw new Error("No worker was started");
    return this.#worker;
  }

  /** Starts a worker; resolves once it has joined its groups. */
  async start(settings: WorkerSettings = {}, signal?: AbortSignal): Promise<void> {
    const worker = this.app.worker(settings);
    const startedBefore = this.events("worker.started").length;
    this.#worker = worker;
    let failure: unknown;
    this.#run = worker.run(signal);
    this.#run.catch((error) => failure = error);
    await until(
      () => failure !== undefined || this.events("worker.started").length > startedBefore,
      () => "the worker has not started",
    );
    if (failure !== undefined) throw failure;
  }

  /** Stops the worker that was started last. */
  async stop(): Promise<WorkerReport> {
    await this.worker.stop();
    return await this.#run!;
  }

  /**
   * Performs the jobs that are there, and those that a process of this world is still sending, with a worker that ends by
   * itself. A job that was not marked runs again.
   */
  async drain(settings: WorkerSettings = {}, options: RunOptions = { once: true }): Promise<WorkerReport> {
    for (const { app } of this.#world) await app.flush();
    return await this.app.worker(settings).run(undefined, options);
  }

  /** Waits for a number of events of a name; fails if there are more. */
  async untilEvents<N extends EventName>(name: N, count: number): Promise<readonly EventMap[N][]> {
    const events = this.events(name);
    await until(() => events.length >= count, () => `${count} × ${name}, but there were ${events.length}`);
    if (events.length > count) throw new Error(`${count} × ${name} expected, but there were ${events.length}`);
    return events;
  }

  /** Closes the worker and the App. */
  async close(): Promise<void> {
    await this.app.close();
  }
}
