/**
 * Ids of forms that change something: a form is accepted once, so that a double click, a reload and the button "Back" of a browser
 * do not requeue twice. They are kept in memory: two processes behind a balancer do not share them.
 */

/** Ids that are kept, at most: the oldest go first. */
const MAX_USED = 1000;

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
  if (used.has(id)) return false;
  used.add(id.slice(0, 100));
  if (used.size > MAX_USED) used.delete(used.values().next().value!);
  return true;
}
