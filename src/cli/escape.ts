/** Text from records, for one line of a terminal. */
import { escapeText } from "../support/escape_text.ts";

export { escapeText };

/** Formats a value as JSON in one line, whose strings do nothing to a terminal either. */
export function formatJson(value: unknown): string {
  // Such characters stand only within strings of JSON, where the escape means the same.
  return escapeText(JSON.stringify(value));
}
