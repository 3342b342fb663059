/**
 * The event stream: one object for an App and all its parts. They emit events; listeners (logger, metrics, the user's own)
 * receive them. It lives as long as its App.
 *
 * Listeners are called synchronously, in the order in which they were added. An error of a listener does not reach the
 * emitter or other listeners: it becomes an `error.occurred`. It is not an `EventTarget`, which takes 2.4 times as long;
 * and code on a hot path asks {@linkcode Monitor.hasListener} first, so that it builds no event object without a listener.
 */
import { describeError } from "../errors.ts";
import type { EventMap, EventName } from "./events.ts";

/** Receives the events of one name. An error that it throws, or rejects with, becomes an `error.occurred`. */
export type Listener<N extends EventName> = (event: EventMap[N]) => void;

/** Emits events to listeners. */
export class Monitor {
  readonly #listeners = new Map<EventName, Listener<EventName>[]>();

  /** Returns whether an event has a listener. */
  hasListener(name: EventName): boolean {
    return this.#listeners.has(name);
  }

  /**
   * Calls `listener` at each event of this name.
   *
   * @returns a function that removes it
   */
  on<N extends EventName>(name: N, listener: Listener<N>): () => void {
    const entry = listener as Listener<EventName>;
    // A new list for each change: an event that is being emitted goes on with the list it began with.
    this.#listeners.set(name, [...this.#listeners.get(name) ?? [], entry]);
    let isAdded = true;
    return () => {
      if (!isAdded) return;
      isAdded = false;
      const rest = [...this.#listeners.get(name) ?? []];
      rest.splice(rest.indexOf(entry), 1);
      if (rest.length === 0) this.#listeners.delete(name);
      else this.#listeners.set(name, rest);
    };
  }

  /** Calls the listeners of an event. */
  emit<N extends EventName>(name: N, event: EventMap[N]): void {
    const listeners = this.#listeners.get(name);
    if (listeners === undefined) return;
    for (const listener of listeners) this.#call(name, listener, event);
  }

  /** Emits `error.occurred` for an error that no caller receives. */
  reportError(where: string, error: unknown): void {
    this.emit("error.occurred", { where, error: describeError(error) });
  }

  #call<N extends EventName>(name: N, listener: Listener<N>, event: EventMap[N]): void {
    try {
      const returned: unknown = listener(event);
      // A listener may be an async function; its rejection, unhandled, would end the process.
      if (returned instanceof Promise) returned.catch((error) => this.#reportListener(name, error));
    } catch (error) {
      this.#reportListener(name, error);
    }
  }

  #reportListener(name: EventName, error: unknown): void {
    // A listener of errors that throws would be called for its own error, without end.
    if (name === "error.occurred") return;
    this.reportError(`listener of ${name}`, error);
  }
}

/** Every name of {@linkcode EventMap}, which the type requires, in its order: a listener's event can be checked. */
export const EVENT_NAMES: Readonly<Record<EventName, true>> = Object.freeze({
  "job.enqueued": true,
  "job.enqueue_failed": true,
  "job.scheduled": true,
  "job.released": true,
  "job.cancelled": true,
  "job.enqueue_halted": true,
  "job.halted": true,
  "job.expired": true,
  "job.discarded": true,
  "job.rescued": true,
  "job.retry_scheduled": true,
  "job.retry_stopped": true,
  "job.interrupted": true,
  "job.resumed": true,
  "job.performing": true,
  "job.performed": true,
  "job.failed": true,
  "job.orphaned": true,
  "job.revoked": true,
  "job.log": true,
  "record.skipped": true,
  "record.dead_lettered": true,
  "records.expired": true,
  "group.started_at_beginning": true,
  "topic.missing": true,
  "topic.paused": true,
  "topic.resumed": true,
  "topic.recreated": true,
  "assignment.changed": true,
  "partition.assigned": true,
  "partition.lost": true,
  "partition.leaderless": true,
  "partition.led": true,
  "partition.exhausted": true,
  "partition.paused": true,
  "offset.committed": true,
  "membership.changed": true,
  "session.lost": true,
  "schedule.ready": true,
  "schedule.unreadable": true,
  "schedule.clamped": true,
  "schedule.blocked": true,
  "recurring.enqueued": true,
  "recurring.missed": true,
  "recurring.overlapped": true,
  "worker.started": true,
  "worker.quieted": true,
  "worker.stopping": true,
  "worker.stopped": true,
  "report.failed": true,
  "operator.acted": true,
  "broker.log": true,
  "error.occurred": true,
});
