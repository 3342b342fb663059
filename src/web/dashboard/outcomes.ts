/**
 * Outcomes of actions on their way to the page that shows them: the redirect carries an id, so that a reload repeats neither
 * the action nor the message. They are kept in memory: behind a balancer without sticky sessions a message may be lost, the
 * action is not.
 */
import type { ActionOutcome } from "./page.ts";

/** Outcomes that wait, at most. */
const MAX_WAITING = 100;

/** Keeps outcomes until they are shown. */
export class Outcomes {
  readonly #waiting = new Map<string, { readonly user: string; readonly outcome: ActionOutcome }>();

  /** Keeps an outcome for its user. @returns its id */
  add(user: string, outcome: ActionOutcome): string {
    const id = crypto.randomUUID();
    this.#waiting.set(id, { user, outcome });
    if (this.#waiting.size > MAX_WAITING) this.#waiting.delete(this.#waiting.keys().next().value!);
    return id;
  }

  /** Takes an outcome. @returns `null` if there is none for this user */
  take(id: string | null, user: string | null): ActionOutcome | null {
    const found = id === null ? undefined : this.#waiting.get(id);
    if (found === undefined || found.user !== user) return null;
    this.#waiting.delete(id!);
    return found.outcome;
  }
}
