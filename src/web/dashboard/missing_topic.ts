/** A topic of the App that does not exist yet: the sentence that a page shows instead of what is in it. */
import { describeError, isErrorOf, UnknownTopicError } from "../../errors.ts";

/** Returns the sentence, with what to do; `null` for any other error. */
export function describeMissingTopic(error: unknown): string | null {
  return isErrorOf(error, UnknownTopicError) ? `${describeError(error).message}. Create it with "topics apply"` : null;
}
