/**
 * The calls of an operator that a worker obeys: pause and resume a topic or a partition, cancel a job. Each writes a record
 * to the control topic, which says what holds from then on; workers read it. No worker needs to run.
 */
import type { AppendOutcome, Broker, NewRecord } from "../broker/broker.ts";
import { keepsNewest } from "../broker/cleanup_policy.ts";
import { BrokerError, EnqueueError, InvalidConfigurationError, UnknownTopicError } from "../errors.ts";
import { CONTROL_PARTITION } from "../routing/control_topic.ts";
import type { Route, Routes } from "../routing/route.ts";
import type { Clock } from "../support/clock.ts";
import { type Check, checkOptions, type Checks, integerFrom, nonEmptyString, show } from "../support/validation.ts";
import type { Pause } from "../worker/control.ts";
import { readControl } from "./read_control.ts";
import {
  cancelRecord,
  endRecord,
  hasLongExpired,
  keyOf,
  MAX_CANCEL_MS,
  MAX_JOB_ID_LENGTH,
  MAX_NAME_LENGTH,
  MAX_REASON_LENGTH,
  pauseRecord,
} from "./record.ts";
import { type ControlLimits, ControlState, type PausedPlace } from "./state.ts";

/** A topic or a partition that an operator has paused. */
export interface PausedTopic extends Pause {
  /** The queue: the topic's name without the App's prefix. */
  readonly queue: string;
  /** The topic's full name. */
  readonly topic: string;
  /** The partition's number; `null` if the whole topic is paused. */
  readonly partition: number | null;
}

/** Options of `app.pause()`. */
export interface PauseOptions {
  /** The number of the only partition to pause. @default the whole topic */
  readonly partition?: number;
  /** The reason, for the log and for other operators, in up to 1000 characters. @default none */
  readonly why?: string;
  /** The name of the user or the program, in up to 255 characters. @default the App's name */
  readonly by?: string;
}

/** Options of `app.resume()`. */
export interface ResumeOptions {
  /** The number of the only partition to resume. @default the topic and all its partitions */
  readonly partition?: number;
  /** The name of the user or the program, in up to 255 characters. @default the App's name */
  readonly by?: string;
}

/** Options of `app.cancel()`. */
export interface CancelOptions {
  /** The reason, for the log, in up to 1000 characters. @default none */
  readonly why?: string;
  /** The name of the user or the program, in up to 255 characters. @default the App's name */
  readonly by?: string;
  /** Time for which no job of this id runs, in ms; at most 400 days. @default 604800000 (7 days) */
  readonly forMs?: number;
}

/** The parts of an App that the calls need. */
export interface ControlContext {
  /** The App's name. */
  readonly name: string;
  /** The full name of the control topic. */
  readonly topic: string;
  readonly routes: Routes;
  readonly clock: Clock;
  readonly broker: () => Promise<Broker>;
  readonly append: (topic: string, record: NewRecord) => Promise<AppendOutcome>;
  /** Takes a job away from the delayed ones. */
  readonly cancelScheduled: (jobId: string, order: Pick<Pause, "by" | "why">) => Promise<void>;
}

const WEEK_MS = 7 * 86_400_000;
/** Most expired cancellations that one call removes. */
const MAX_REMOVED = 1000;

const textUpTo = (length: number): Check => (value) =>
  nonEmptyString(value) === null && (value as string).length <= length ? null : `a string of 1 to ${length} characters`;
const BY = textUpTo(MAX_NAME_LENGTH);
const WHY = textUpTo(MAX_REASON_LENGTH);
const PAUSE_CHECKS: Checks<PauseOptions> = { partition: integerFrom(0), why: WHY, by: BY };
const RESUME_CHECKS: Checks<ResumeOptions> = { partition: integerFrom(0), by: BY };
const CANCEL_CHECKS: Checks<CancelOptions> = {
  why: WHY,
  by: BY,
  forMs: (value) =>
    integerFrom(1)(value) === null && (value as number) <= MAX_CANCEL_MS
      ? null
      : `milliseconds, an integer from 1 to ${MAX_CANCEL_MS}`,
};

/** See the module. `App` documents each call. */
export class Control {
  readonly #context: ControlContext;

  constructor(context: ControlContext) {
    this.#context = context;
  }

  /** See `App.pause`. */
  async pause(queue: string, options: PauseOptions): Promise<PausedTopic> {
    checkOptions("app.pause()", options, PAUSE_CHECKS);
    const { name } = this.#context;
    const { partition = null, why = null, by = name } = options;
    const route = this.#routeOf(queue);
    const { admin } = await this.#assertReady();
    const partitions = (await admin.describe([route.topic])).get(route.topic)?.partitions;
    if (partition !== null && partitions !== undefined && partition >= partitions) {
      throw new InvalidConfigurationError(
        `Topic "${route.topic}" has no partition ${partition}: the last one is ${partitions - 1}`,
      );
    }
    const { paused } = await this.#readPauses();
    const known = paused.get(keyOf({ kind: "pause", topic: route.topic, partition }));
    const pause = { by, why, atMs: this.#timeAfter(known?.pause) };
    await this.#write(pauseRecord(route.topic, partition, pause));
    return { queue: route.queue, topic: route.topic, partition, ...pause };
  }

  /** See `App.resume`. */
  async resume(queue: string, options: ResumeOptions): Promise<PausedTopic[]> {
    checkOptions("app.resume()", options, RESUME_CHECKS);
    const { partition, by = this.#context.name } = options;
    const { topic } = this.#routeOf(queue);
    const paused = await this.paused();
    const ended = paused.filter((each) =>
      each.topic === topic && (partition === undefined || each.partition === partition)
    );
    for (const each of ended) {
      await this.#write(endRecord({ kind: "pause", topic: each.topic, partition: each.partition }, by));
    }
    return ended;
  }

  /** See `App.paused`. */
  async paused(): Promise<PausedTopic[]> {
    return Array.from((await this.#readPauses()).paused.values(), (place) => this.#toPausedTopic(place))
      .sort((a, b) => a.queue < b.queue ? -1 : a.queue > b.queue ? 1 : (a.partition ?? -1) - (b.partition ?? -1));
  }

  /** See `App.cancel`. */
  async cancel(jobId: string, options: CancelOptions): Promise<void> {
    checkOptions("app.cancel()", options, CANCEL_CHECKS);
    const wanted = textUpTo(MAX_JOB_ID_LENGTH)(jobId);
    if (wanted !== null) {
      throw new InvalidConfigurationError(`The job id of app.cancel() must be ${wanted}, but it is ${show(jobId)}`);
    }
    const { clock, name } = this.#context;
    const { why = null, by = name, forMs = WEEK_MS } = options;
    const state = await this.#read();
    await this.#removeExpired(state, clock.nowMs());
    const atMs = this.#timeAfter(state.cancelled.get(jobId));
    // First: a job that is released meanwhile is cancelled by the worker that takes it.
    await this.#write(cancelRecord(jobId, { by, why, atMs, expiresAtMs: atMs + forMs }));
    await this.#context.cancelScheduled(jobId, { by, why }).catch((error) => {
      // Without that topic no job waits.
      if (!(error instanceof UnknownTopicError) && !(error.cause instanceof UnknownTopicError)) throw error;
    });
  }

  /** Returns the time of an order: not before that of the order before it, which counts otherwise. A clock may be behind. */
  #timeAfter(known: Pause | undefined): number {
    return Math.max(this.#context.clock.nowMs(), known?.atMs ?? 0);
  }

  #routeOf(queue: string): Route {
    const [route] = this.#context.routes.select([queue]);
    return route!;
  }

  #toPausedTopic({ topic, partition, pause }: PausedPlace): PausedTopic {
    return { queue: this.#context.routes.find(topic)!.queue, topic, partition, ...pause };
  }

  /** Reads what is paused. Of 100,000 cancellations, forged or not, each would be parsed for nothing. */
  #readPauses(): Promise<ControlState> {
    return this.#read({ cancellations: 0 });
  }

  async #read(limits: Partial<ControlLimits> = {}): Promise<ControlState> {
    const { topic, routes, clock } = this.#context;
    const { admin } = await this.#assertReady();
    const state = new ControlState((each) => routes.find(each) !== undefined, limits);
    await readControl(admin, topic, state, { from: 0, nowMs: () => clock.nowMs() });
    return state;
  }

  /** Removes cancellations that have no effect any more: nothing else would ever do it. */
  async #removeExpired(state: ControlState, nowMs: number): Promise<void> {
    const expired = Array.from(state.cancelled).filter(([, cancellation]) => hasLongExpired(cancellation, nowMs));
    const removals = expired.slice(0, MAX_REMOVED).map(([jobId]) =>
      this.#write(endRecord({ kind: "cancel", jobId }, this.#context.name))
    );
    await Promise.all(removals);
  }

  async #assertReady(): Promise<Broker> {
    const { topic } = this.#context;
    const broker = await this.#context.broker();
    const found = (await broker.admin.describe([topic])).get(topic);
    if (found == null) {
      throw new UnknownTopicError(
        `The broker has no topic "${topic}", which tells the workers what is paused: create it with "topics apply"`,
      );
    }
    if (keepsNewest(found.config)) return broker;
    throw new InvalidConfigurationError(
      `Nothing can be paused or cancelled by topic "${topic}": its cleanup.policy must be "compact", or it is forgotten`,
    );
  }

  async #write(record: NewRecord): Promise<void> {
    const { topic } = this.#context;
    const outcome = await this.#context.append(topic, { ...record, partition: CONTROL_PARTITION });
    if (outcome.ok) return;
    const { error: cause, written } = outcome;
    const note = written === "unknown" ? " (it may have been written)" : "";
    throw cause instanceof EnqueueError
      ? cause
      : new BrokerError(`Cannot write to topic "${topic}"${note}: ${cause.message}`, { cause });
  }
}
