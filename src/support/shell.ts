/** Words for a shell: command lines in messages can be copied and run unchanged. */

/**
 * Quotes a word for a POSIX shell, where it needs quotes.
 *
 * @param word any string
 * @returns for example `app.ts`, or `'my app.ts'`
 */
export function quoteForShell(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
