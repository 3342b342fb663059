/**
 * Outcomes of actions on their way to the page that shows them, once.
 *
 * 1. The redirect after an action carries the id of its outcome, and the outcome in short: `4be1a07c-1.done.requeue.3`.
 * 2. The dashboard that performed the action has the whole outcome in memory, shows it to its user, and forgets it.
 * 3. Any other dashboard, such as another process behind a balancer, or this one after a restart, shows a sentence that it
 *    makes of the short form: a word of three, the name of an action, and a number. A forged one cannot say anything else.
 */
import { LimitedMap } from "../../support/limited_map.ts";
import { clip, countOf } from "./format.ts";
import type { ActionOutcome } from "./page.ts";

/** The outcome of an action that has a name. */
export interface NamedOutcome extends ActionOutcome {
  /** The name of the action. */
  readonly action: string;
}

/** Outcomes that wait, at most. */
const MAX_WAITING = 100;
/** Outcomes of other processes that are known as shown, at most. */
const MAX_SHOWN = 1000;
/** The longest message, in characters: it may quote an error. */
const MAX_MESSAGE = 2000;

const SHORT_FORM = /^([0-9a-f]{8})-(\d{1,15})\.(done|failed|refused)\.([a-z]{1,20})\.(\d{0,9})$/;

/** Keeps outcomes until they are shown. */
export class Outcomes {
  readonly #actions: ReadonlySet<string>;
  /** The part of the ids that says which dashboard made them. */
  readonly #own = crypto.randomUUID().slice(0, 8);
  readonly #waiting = new LimitedMap<{ readonly user: string; readonly outcome: ActionOutcome }>({
    entries: MAX_WAITING,
  });
  readonly #shown = new LimitedMap<true>({ entries: MAX_SHOWN });
  #last = 0;

  /** @param actions the names of all actions: letters from a to z, at most 20 */
  constructor(actions: Iterable<string>) {
    this.#actions = new Set(actions);
  }

  /** Keeps an outcome for its user. @returns its id and its short form, for the redirect */
  add(user: string, { action, ...outcome }: NamedOutcome): string {
    const number = String(++this.#last);
    this.#waiting.set(number, { user, outcome: { ...outcome, message: clip(outcome.message, MAX_MESSAGE) } });
    return `${this.#own}-${number}.${outcome.outcome}.${action}.${outcome.count ?? ""}`;
  }

  /**
   * Takes the outcome of a redirect.
   *
   * @param text as {@linkcode add} has returned it; untrusted
   * @returns `null` if there is none for this user, or if it was shown
   */
  take(text: string | null, user: string | null): ActionOutcome | null {
    const [, owner, number, outcome, action, count] = SHORT_FORM.exec(text ?? "") ?? [];
    if (owner === undefined || !this.#actions.has(action!)) return null;
    if (owner !== this.#own) return this.#takeOther(`${owner}-${number}`, outcome as Word, action!, count!);
    const found = this.#waiting.entries.get(number!);
    if (found === undefined || found.user !== user) return null;
    this.#waiting.delete(number!);
    return found.outcome;
  }

  #takeOther(id: string, outcome: Word, action: string, count: string): ActionOutcome | null {
    if (this.#shown.entries.has(id)) return null;
    this.#shown.set(id, true);
    const items = count === "" ? "" : ` (${countOf(Number(count), "item")})`;
    const message = `${WORDS[outcome]}: ${action}${items}. Another process of the dashboard has the details in its log`;
    return { outcome, target: "", message };
  }
}

type Word = ActionOutcome["outcome"];
const WORDS: Readonly<Record<Word, string>> = { done: "Done", failed: "Failed", refused: "Refused" };
