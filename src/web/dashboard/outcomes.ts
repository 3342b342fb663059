/**
 * Outcomes of actions on their way to the page that shows them, once.
 *
 * The redirect after an action carries a random id, and nothing of the outcome: the dashboard that performed the action has it
 * in memory, shows it to its user within a minute, and forgets it. A link that anyone made has no outcome to show. Neither has
 * another process behind the same balancer: the event `operator.acted` and the page itself have it.
 */
import { LimitedMap } from "../../support/limited_map.ts";
import { clip } from "./format.ts";
import type { ActionOutcome } from "./page.ts";

/** Outcomes that wait, at most. */
const MAX_WAITING = 100;
/** The longest message, in characters: it may quote an error. */
const MAX_MESSAGE = 2000;
/** A browser follows a redirect at once; an outcome that is older, in milliseconds, would be taken for that of a later action. */
const LIFE_MS = 60_000;

/** An outcome that waits. */
interface Waiting {
  readonly user: string;
  readonly untilMs: number;
  readonly outcome: ActionOutcome;
}

/** Keeps outcomes until they are shown. */
export class Outcomes {
  readonly #nowMs: () => number;
  readonly #waiting = new LimitedMap<Waiting>({ entries: MAX_WAITING });

  /** @param nowMs a clock that is not set back. @default `performance.now` */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** Keeps an outcome for its user. @returns its id, for the redirect */
  add(user: string, { outcome, target, message }: ActionOutcome): string {
    const id = crypto.randomUUID();
    const kept = { outcome, target, message: clip(message, MAX_MESSAGE) };
    this.#waiting.set(id, { user, untilMs: this.#nowMs() + LIFE_MS, outcome: kept });
    return id;
  }

  /**
   * Takes the outcome of a redirect.
   *
   * @param id as {@linkcode add} has returned it; untrusted
   * @returns `null` if there is none for this user, or if it was shown
   */
  take(id: string | null, user: string | null): ActionOutcome | null {
    const found = id === null ? undefined : this.#waiting.entries.get(id);
    if (found === undefined || found.user !== user) return null;
    this.#waiting.delete(id!);
    return this.#nowMs() > found.untilMs ? null : found.outcome;
  }
}
