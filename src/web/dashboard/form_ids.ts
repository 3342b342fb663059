/**
 * Ids of forms whose action does more if it is sent twice: a dashboard accepts each of them once, so that a double click, a
 * reload and the button "Back" of a browser do not requeue twice. The ids are kept in memory. An id that this dashboard does
 * not know is accepted: it is of another process behind the same balancer, or of this one before a restart.
 */
import { LimitedMap } from "../../support/limited_map.ts";

/** The field of a form that has its id. */
export const FORM_ID = "form";

/** Ids that are kept, at most. */
const MAX_USED = 1000;

/** A form has a UUID, and perhaps a name of at most 100 characters. A longer id is one of a program. */
const MAX_LENGTH = 200;

/** Returns the id of a new form. */
export function createFormId(): string {
  return crypto.randomUUID();
}

/** The ids of forms that were sent to one dashboard. */
export class UsedForms {
  readonly #ids = new LimitedMap<true>({ entries: MAX_USED });

  /**
   * Adds the id of a form that is sent.
   *
   * @returns whether it is sent for the first time; also `true` without an id
   */
  add(id: string | null): boolean {
    if (id === null) return true;
    const kept = id.slice(0, MAX_LENGTH);
    if (this.#ids.entries.has(kept)) return false;
    this.#ids.set(kept, true);
    return true;
  }
}
