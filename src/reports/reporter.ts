/**
 * Reports one worker: writes a record at its start, at a change of its state and every 5 seconds, and a tombstone at its end.
 *
 * It never delays a job: its records go straight to the broker, in no queue of jobs, and at most one is in flight. While it is,
 * nothing is gathered: the next report is made when it is written. A report that cannot be written is dropped, and the next one
 * is due at the next interval; the first failure is an event (`report.failed`), until a report is written again.
 */
import type { Broker, NewRecord } from "../broker/broker.ts";
import { describeError } from "../errors.ts";
import type { Monitor } from "../monitor/monitor.ts";
import type { Clock } from "../support/clock.ts";
import { waitUntilSettled } from "../support/deadline.ts";
import { hostName, processId, runtimeName } from "../support/process_info.ts";
import { clearTimeout, setTimeout } from "../support/timers.ts";
import { VERSION } from "../support/version.ts";
import type { WorkerReporter } from "../worker/reporter.ts";
import type { WorkerStatus } from "../worker/status.ts";
import { endRecord, reportRecord, type WorkerIdentity } from "./report.ts";
import { type HistoryShare, shareHistory } from "./shared_history.ts";

/** The time between two reports, in milliseconds. */
const INTERVAL_MS = 5000;

/** The longest time that the end of a worker waits for its reports, in milliseconds. */
const CLOSE_MS = 1000;

/** See the module. */
export interface ReporterOptions {
  readonly broker: Pick<Broker, "append">;
  /** The full name of the topic of reports. */
  readonly topic: string;
  /** Returns the worker's status. */
  readonly status: () => WorkerStatus;
  readonly monitor: Monitor;
  readonly clock: Pick<Clock, "nowMs">;
  /** @default 5000 */
  readonly intervalMs?: number;
  /** @default 1000 */
  readonly closeMs?: number;
}

/** See the module. */
export class Reporter implements WorkerReporter {
  readonly #options: ReporterOptions;
  readonly #identity: WorkerIdentity;
  readonly #history: HistoryShare;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The record that is in flight. It never rejects. */
  #inFlight: Promise<void> | undefined;
  #isDue = false;
  #isFailing = false;
  #isClosed = false;

  /** Writes the first report. */
  constructor(options: ReporterOptions) {
    this.#options = options;
    this.#identity = identify(options.clock);
    this.#history = shareHistory(options.monitor, options.clock);
    this.report();
    this.#scheduleNext();
  }

  /** The id of its worker. */
  get id(): string {
    return this.#identity.id;
  }

  report(): void {
    if (this.#isClosed) return;
    if (this.#inFlight === undefined) this.#send();
    else this.#isDue = true;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#history.close();
    const { closeMs = CLOSE_MS } = this.#options;
    const endMs = performance.now() + closeMs;
    // Behind the one in flight, or the worker would come back after its end.
    if (this.#inFlight !== undefined && !await waitUntilSettled(this.#inFlight, closeMs)) return;
    await waitUntilSettled(this.#append(() => this.#lastRecord()), endMs - performance.now());
  }

  #scheduleNext(): void {
    this.#timer = setTimeout(() => {
      this.report();
      this.#scheduleNext();
    }, this.#options.intervalMs ?? INTERVAL_MS);
  }

  #send(): void {
    this.#isDue = false;
    this.#inFlight = this.#append(() => this.#record()).then((isWritten) => {
      this.#inFlight = undefined;
      // After a failure the interval is the wait: a broker that refuses at once would be asked without end.
      if (this.#isDue && isWritten) this.report();
    });
  }

  #record(): NewRecord {
    return reportRecord(this.#identity, this.#options.status(), this.#history.snapshot());
  }

  /** A worker that failed stays in the topic with its error: an operator has to see it. */
  #lastRecord(): NewRecord {
    return this.#options.status().failure === null ? endRecord(this.#identity) : this.#record();
  }

  /** Appends. It never rejects. @returns whether the record is written */
  async #append(makeRecord: () => NewRecord): Promise<boolean> {
    const { broker, topic, monitor } = this.#options;
    try {
      const [outcome] = await broker.append(topic, [makeRecord()], { compression: "gzip" });
      if (!outcome!.ok) throw outcome!.error;
      this.#isFailing = false;
      return true;
    } catch (error) {
      if (!this.#isFailing) monitor.emit("report.failed", { topic, error: describeError(error) });
      this.#isFailing = true;
      return false;
    }
  }
}

function identify(clock: Pick<Clock, "nowMs">): WorkerIdentity {
  const [host, pid] = [hostName(), processId()];
  return {
    id: `${host}-${pid}-${crypto.randomUUID().slice(0, 8)}`,
    host,
    pid,
    version: VERSION,
    runtime: runtimeName(),
    startedAtMs: clock.nowMs(),
  };
}
