/**
 * The event stream: one object for an App and all that it owns. Steps emit, listeners (logger, health, metrics, a user's
 * own) hear. It lives as long as its App.
 *
 * Listeners are called at once, in the order in which they came; one that throws harms nobody. It is no `EventTarget`,
 * which is 2.4 times as dear, and whoever emits on a hot path asks {@linkcode Monitor.hears} first, so that no event
 * object is built for nobody.
 */
import { describeError } from "../errors.ts";
import type { EventMap, EventName } from "./events.ts";

/** Hears one event. What it throws, or rejects with, becomes an `error.occurred`. */
export type Listener<N extends EventName> = (event: EventMap[N]) => void;

/** Hears every event. */
export type AnyListener = <N extends EventName>(name: N, event: EventMap[N]) => void;

/** Where events are emitted and heard. */
export class Monitor {
  readonly #listeners = new Map<EventName, Listener<EventName>[]>();
  readonly #everything: AnyListener[] = [];

  /** Whether anybody would hear this event. */
  hears(name: EventName): boolean {
    return this.#everything.length > 0 || this.#listeners.has(name);
  }

  /**
   * Calls `listener` at each event of this name.
   *
   * @returns a function that takes it away again
   */
  on<N extends EventName>(name: N, listener: Listener<N>): () => void {
    const entry = listener as Listener<EventName>;
    // A new list for each change: an event that is being emitted goes on over the one it began with.
    this.#listeners.set(name, [...this.#listeners.get(name) ?? [], entry]);
    let isOn = true;
    return () => {
      if (!isOn) return;
      isOn = false;
      const rest = [...this.#listeners.get(name) ?? []];
      rest.splice(rest.indexOf(entry), 1);
      if (rest.length === 0) this.#listeners.delete(name);
      else this.#listeners.set(name, rest);
    };
  }

  /**
   * Calls `listener` at every event, whatever its name.
   *
   * @returns a function that takes it away again
   */
  onAny(listener: AnyListener): () => void {
    this.#everything.push(listener);
    return () => {
      const at = this.#everything.indexOf(listener);
      if (at >= 0) this.#everything.splice(at, 1);
    };
  }

  /** Tells everybody who listens. */
  emit<N extends EventName>(name: N, event: EventMap[N]): void {
    const listeners = this.#listeners.get(name);
    if (listeners !== undefined) {
      for (const listener of listeners) this.#call(name, () => listener(event));
    }
    if (this.#everything.length > 0) {
      for (const listener of [...this.#everything]) this.#call(name, () => listener(name, event));
    }
  }

  #call(name: EventName, listener: () => unknown): void {
    try {
      const returned = listener();
      // An async function is a listener, too; nobody else would hear of its rejection, which would end the process.
      if (returned instanceof Promise) returned.catch((error) => this.#failed(name, error));
    } catch (error) {
      this.#failed(name, error);
    }
  }

  #failed(name: EventName, error: unknown): void {
    // A listener of errors that throws has had its say.
    if (name === "error.occurred") return;
    this.emit("error.occurred", { where: `listener of ${name}`, error: describeError(error) });
  }
}
