/**
 * Inserting into a text that somebody else wrote: where comments stand is known, and every character that is not replaced
 * stays as it was.
 */

/** A part of a text, and what comes instead of it. */
export interface Edit {
  /** Where it begins. */
  readonly at: number;
  /** Where it ends. @default at: nothing is taken away */
  readonly to?: number;
  /** What comes there. */
  readonly text: string;
}

/** Edits a text. The edits may stand in any order, and must not overlap. */
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
 * The text with blanks in place of its comments: of the same length, so that what is found in it stands at the same place.
 * A line break within a comment is a blank as well, so that no line seems to end there.
 */
export function withoutComments(text: string): string {
  return text.replace(STRINGS_AND_COMMENTS, (part) => part.startsWith("/") ? " ".repeat(part.length) : part);
}
