/**
 * Ids of forms that change something: a form is accepted once, so that a double click, a reload and the button "Back" of a browser
 * do not requeue twice. They are kept in memory: two processes behind a balancer do not share them.
 */

/** Ids that are kept, at most: the oldest go first. */
const MAX_USED = 1000;

/** A form has a UUID, and perhaps a name of at most 100 characters. A longer id is one of a program. */
const MAX_LENGTH = 200;

const used = new Set<string>();

/** Returns the id of a new form. */
export function createFormId(): string {
  return crypto.randomUUID();
}

/**
 * Uses the id of a form.
 *
 * @returns whether it is used for the first time; also `true` without an id: a program that posts decides for itself
 */
export function useFormId(id: string | null): boolean {
  if (id === null) return true;
  const kept = id.slice(0, MAX_LENGTH);
  if (used.has(kept)) return false;
  used.add(kept);
  if (used.size > MAX_USED) used.delete(used.values().next().value!);
  return true;
}
