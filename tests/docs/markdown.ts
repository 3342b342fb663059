/** What the tests read of a Markdown page: its headings with their anchors, its links, and its tables. */

/** A row of a table: its cells, without the marks of code. */
export type Row = readonly string[];

const HEADING = /^(#+) (.*)$/;

/** The page without its blocks of code. */
export function prose(page: string): string {
  return page.replaceAll(/^```[\s\S]*?^```$/gm, "");
}

/** The anchors that its headings have. */
export function anchorsOf(page: string): string[] {
  return prose(page).split("\n").map((line) => HEADING.exec(line)?.[2]).filter((text) => text !== undefined)
    .map((text) => text.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(" ", "-"));
}

/** Where its links lead. */
export function linksOf(page: string): string[] {
  return Array.from(prose(page).matchAll(/\]\(([^)\s]+)\)/g), ([, target]) => target!);
}

/** The part below a heading, up to the next one that is no deeper. */
export function section(page: string, heading: string): string {
  const lines = page.split("\n");
  const depthOf = (line: string) => HEADING.exec(line)?.[1]?.length ?? Infinity;
  const start = lines.findIndex((line) => HEADING.exec(line)?.[2] === heading);
  if (start < 0) throw new Error(`There is no heading "${heading}"`);
  const end = lines.findIndex((line, at) => at > start && depthOf(line) <= depthOf(lines[start]!));
  return lines.slice(start + 1, end < 0 ? undefined : end).join("\n");
}

/** The rows of all tables of a text, without the heads. */
export function rowsOf(text: string): Row[] {
  return prose(text).split("\n\n").flatMap((block) => {
    const lines = block.trim().split("\n").filter((line) => line.startsWith("|"));
    return lines.slice(2).map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim().replaceAll("`", "")));
  });
}

/** The rows of a table whose head begins with these words. */
export function rowsHeaded(text: string, ...head: readonly string[]): Row[] {
  const start = new RegExp(`^\\| *${head.map(RegExp.escape).join(" *\\| *")} *\\|`, "m").exec(prose(text))?.index;
  if (start === undefined) throw new Error(`There is no table headed "${head.join(" | ")}"`);
  return rowsOf(prose(text).slice(start).split("\n\n")[0]!);
}
