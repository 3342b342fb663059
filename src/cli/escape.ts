/** Escapes text from records, which any client may have written, so that it does nothing to a terminal. */

/**
 * Characters that move the cursor, end the line, or change the direction of writing: control characters, line separators,
 * marks and overrides of direction, invisible characters, and surrogates without their half.
 */
const HARMFUL =
  // deno-lint-ignore no-control-regex
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\p{Surrogate}/gu;

/** Escapes text for one line: a line break becomes `\u000a`. */
export function escapeText(text: string): string {
  return text.replace(HARMFUL, escapeCharacter);
}

/** Formats a value as JSON in one line, whose strings do nothing to a terminal either. */
export function formatJson(value: unknown): string {
  // Such characters stand only within strings of JSON, where the escape means the same.
  return escapeText(JSON.stringify(value));
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
