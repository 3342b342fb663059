/** Escapes text from records, which any client may have written, so that it does nothing to a terminal or a page. */

/**
 * Characters that move the cursor, end the line, or change the direction of writing: control characters, line separators,
 * marks and overrides of direction, invisible characters, and surrogates without their half.
 */
const HARMFUL =
  // deno-lint-ignore no-control-regex
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\p{Surrogate}/gu;

/**
 * Escapes the characters that are harmful: an escape becomes `\u001b`, a line break `\u000a`.
 *
 * @param kept characters that stay. @default none
 */
export function escapeText(text: string, kept?: RegExp): string {
  return text.replace(HARMFUL, (character) => kept?.test(character) ? character : escapeCharacter(character));
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
