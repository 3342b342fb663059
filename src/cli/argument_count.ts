/**
 * Compares the number of a job's arguments with the parameters of `perform`. Types are gone at run time, so that this
 * is all that can be checked, and only as a note: a parameter with a `?` counts as any other.
 */

/** Comments and strings, which may have parentheses in them. */
const IGNORED = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`(?:\\[\s\S]|[^`\\])*`/g;

/**
 * Checks whether `perform` takes this many arguments.
 *
 * @param name the job's name, for the note
 * @param perform the method
 * @param count how many arguments there are
 * @returns the note; `null` if they fit
 */
export function checkArgumentCount(name: string, perform: Parameters, count: number): string | null {
  // Parameters with a default and rest parameters do not count in `length`.
  const least = perform.length;
  const isOpen = hasOptionalParameters(perform);
  if (count >= least && (isOpen || count <= least)) return null;
  const parameters = least === 1 ? "1 parameter" : `${least} parameters`;
  const given = count === 1 ? "1 argument is" : `${count} arguments are`;
  return `${name}.perform() declares ${isOpen ? "at least " : ""}${parameters}, but ${given} given`;
}

/** A function, as far as it is looked at. */
// deno-lint-ignore no-explicit-any
type Parameters = (...args: any[]) => unknown;

/** Whether a default, a rest parameter or `arguments` lets a function take more; `true` if its source is not clear. */
function hasOptionalParameters(fn: Parameters): boolean {
  const text = Function.prototype.toString.call(fn).replace(IGNORED, " ");
  const start = text.includes("[native code]") ? -1 : text.indexOf("(");
  let depth = 0;
  for (let at = start; at >= 0 && at < text.length; at++) {
    if (text[at] === "(") depth++;
    else if (text[at] === ")" && --depth === 0) {
      return /=|\.\.\./.test(text.slice(start, at)) || /\barguments\b/.test(text.slice(at));
    }
  }
  return true;
}
