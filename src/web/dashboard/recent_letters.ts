/** The newest dead letters of an App: as many as a page groups. */
import type { App } from "../../app/app.ts";
import type { DeadLetter } from "../../dead_letters/letter.ts";

/** The letters that a page groups, at most: the newest ones. */
export const MAX_LETTERS = 10_000;

/** The newest dead letters. */
export interface RecentLetters {
  /** The letters, newest first. */
  readonly letters: readonly DeadLetter[];
  /** Whether there may be older ones. */
  readonly isCut: boolean;
}

/** Returns whether an App declares a dead letter topic. */
export function hasDeadLetters(app: App): boolean {
  const { topics, deadLetterQueue } = app.options;
  return topics.length > 0 && (deadLetterQueue !== undefined || topics.some((topic) => topic.deadLetterQueue));
}

/**
 * Reads the newest dead letters.
 *
 * @param limit the most letters
 * @returns none if the App declares no dead letter topic
 */
export async function readRecentLetters(app: App, limit: number = MAX_LETTERS): Promise<RecentLetters> {
  if (!hasDeadLetters(app)) return { letters: [], isCut: false };
  const letters = await app.deadLetters().list({ limit });
  return { letters, isCut: letters.length >= limit };
}
