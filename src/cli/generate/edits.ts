/**
 * Edits of a text that the user wrote. Comments are known, so that nothing is found in them, and every character outside of
 * the edits is kept.
 */

/** A range of a text, and its replacement. */
export interface Edit {
  /** The start of the range. */
  readonly at: number;
  /** The end of the range. @default at: nothing is removed */
  readonly to?: number;
  /** The replacement. */
  readonly text: string;
}

/** Applies edits, in any order. They must not overlap. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  let result = "";
  let done = 0;
  for (const { at, to = at, text: inserted } of edits.toSorted((a, b) => a.at - b.at)) {
    result += text.slice(done, at) + inserted;
    done = to;
  }
  return result + text.slice(done);
}

const STRINGS_AND_COMMENTS =
  /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\[\s\S]|[^`\\])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;

/**
 * Replaces comments by blanks. The length is kept, so that positions in the result are positions in the text. A line break
 * within a comment becomes a blank as well, so that no line seems to end there.
 */
export function blankComments(text: string): string {
  return text.replace(STRINGS_AND_COMMENTS, (part) => part.startsWith("/") ? " ".repeat(part.length) : part);
}
