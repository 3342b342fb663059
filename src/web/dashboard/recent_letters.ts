/** The dead letters of an App for a page: the newest ones, as many as a page groups, and any one by its position. */
import type { App } from "../../app/app.ts";
import type { DeadLetter, DeadLetterDetails } from "../../dead_letters/letter.ts";
import { BrokerError, describeError, InvalidConfigurationError, isErrorOf } from "../../errors.ts";
import type { Position } from "../../support/position.ts";
import { PageError } from "./page.ts";

/** The letters that a page groups, at most: the newest ones. */
export const MAX_LETTERS = 10_000;

/** The newest dead letters. */
export interface RecentLetters {
  /** The letters, newest first. */
  readonly letters: readonly DeadLetter[];
  /** Whether there may be older ones. */
  readonly isCut: boolean;
  /** A sentence for each topic of which a part cannot be read now: its letters are left out. */
  readonly notes: readonly string[];
}

/** Returns whether an App declares a dead letter topic. */
export function hasDeadLetters(app: App): boolean {
  const { topics, deadLetterQueue } = app.options;
  return topics.length > 0 && (deadLetterQueue !== undefined || topics.some((topic) => topic.deadLetterQueue));
}

/**
 * Reads the newest dead letters.
 *
 * @param options whether those that were handled count as well; `limit` is the most letters, by default all that a page groups;
 * `mayLack` whether letters that cannot be read now may be missing, by default no
 * @returns none if the App declares no dead letter topic
 */
export async function readRecentLetters(
  app: App,
  { withHandled, limit = MAX_LETTERS, mayLack = false }: {
    readonly withHandled: boolean;
    readonly limit?: number;
    readonly mayLack?: boolean;
  },
): Promise<RecentLetters> {
  if (!hasDeadLetters(app)) return { letters: [], isCut: false, notes: [] };
  const notes: string[] = [];
  const onPartial = (problem: string) => void notes.push(problem);
  const letters = await app.deadLetters().list({ limit, unhandled: !withHandled, ...mayLack ? { onPartial } : {} });
  return { letters, isCut: letters.length >= limit, notes };
}

/**
 * Shows one letter, with all of its record.
 *
 * @throws {PageError} 404 if there is none at this position
 */
export async function showLetter(app: App, position: Position): Promise<DeadLetterDetails> {
  try {
    return await app.deadLetters().show(position);
  } catch (error) {
    const { message } = describeError(error);
    const isMissing = isErrorOf(error, InvalidConfigurationError) ||
      isErrorOf(error, BrokerError) && message.startsWith("There is no dead letter");
    if (isMissing) throw new PageError(404, message, { cause: error });
    throw error;
  }
}
