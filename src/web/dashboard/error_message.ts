/**
 * Normalizes error messages, so that one cause is one group: parts that differ from job to job, such as numbers, ids and quoted
 * strings, are replaced. Pure, and linear in the length that it looks at.
 */

/** The part of a message that is looked at, in UTF-16 units. */
const MAX_LENGTH = 300;

const UUID = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi;
/** A hash or another id in hexadecimal digits: at least one of them is a digit, so that a word is not one. */
const HEX_ID = /\b(?=[a-f]{0,40}\d)[0-9a-f]{8,64}\b/gi;
const QUOTED = /"[^"]*"|`[^`]*`|(?<![\p{L}\p{N}])'[^']*'(?![\p{L}])/gu;
/** Colours and moves of a terminal. */
// deno-lint-ignore no-control-regex
const TERMINAL_CODE = /\u001b\[[0-9;?]*[A-Za-z]/g;
/** Characters that are not seen, or that change the direction of writing: a group must be the same in a form and back. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}]+/gu;
const NUMBER = /\d+(?:[.,:]\d+)*/g;

/**
 * Replaces the parts of a message that differ from job to job.
 *
 * @returns for example `User # has no "…"` for `User 17 has no "mail"`; at most 300 characters of the message count
 */
export function normalizeMessage(message: string): string {
  return message.slice(0, MAX_LENGTH).toWellFormed()
    .replace(TERMINAL_CODE, "")
    .replace(QUOTED, (quoted) => `${quoted[0]}…${quoted[0]}`)
    .replace(UUID, "<id>")
    .replace(HEX_ID, "<id>")
    .replace(NUMBER, "#")
    .replace(/\s+/g, " ")
    .replace(INVISIBLE, "")
    .trim()
    .slice(0, MAX_LENGTH);
}
