/** A topic of the App that does not exist yet: the sentence that a page shows instead of its content, or a page of its own. */
import { describeError, isErrorOf, UnknownTopicError } from "../../errors.ts";
import { PageError } from "./page.ts";

/** Returns the sentence, with what to do; `null` for any other error. */
export function describeMissingTopic(error: unknown): string | null {
  return isErrorOf(error, UnknownTopicError) ? `${describeError(error).message}. Create it with "topics apply"` : null;
}

/**
 * Reads a topic.
 *
 * @throws {PageError} 404 if it does not exist
 */
export async function findOrFail<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const missing = describeMissingTopic(error);
    throw missing === null ? error : new PageError(404, missing, { cause: error });
  }
}
