/** Reads Markdown pages for the tests: headings with their anchors, links, and tables. */

/** A row of a table: its cells, without backticks. */
export type Row = readonly string[];

const HEADING = /^(#+) (.*)$/;

/** Returns the page without its code blocks. */
export function prose(page: string): string {
  return page.replaceAll(/^```[\s\S]*?^```$/gm, "");
}

/** Returns the anchors of its headings. */
export function anchorsOf(page: string): string[] {
  return prose(page).split("\n").map((line) => HEADING.exec(line)?.[2]).filter((text) => text !== undefined)
    .map((text) => text.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(" ", "-"));
}

/** Returns the targets of its links. */
export function linksOf(page: string): string[] {
  return Array.from(prose(page).matchAll(/\]\(([^)\s]+)\)/g), ([, target]) => target!);
}

/** Returns the part below a heading, up to the next heading of the same or a higher level. */
export function section(page: string, heading: string): string {
  const lines = page.split("\n");
  const depthOf = (line: string) => HEADING.exec(line)?.[1]?.length ?? Infinity;
  const start = lines.findIndex((line) => HEADING.exec(line)?.[2] === heading);
  if (start < 0) throw new Error(`There is no heading "${heading}"`);
  const end = lines.findIndex((line, at) => at > start && depthOf(line) <= depthOf(lines[start]!));
  return lines.slice(start + 1, end < 0 ? undefined : end).join("\n");
}

/** Returns the rows of all tables, without their heads. */
export function rowsOf(text: string): Row[] {
  return prose(text).split("\n\n").flatMap((block) => {
    const lines = block.trim().split("\n").filter((line) => line.startsWith("|"));
    return lines.slice(2).map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim().replaceAll("`", "")));
  });
}

/** Returns the rows of the table whose head begins with these words. */
export function rowsHeaded(text: string, ...head: readonly string[]): Row[] {
  const start = new RegExp(`^\\| *${head.map(RegExp.escape).join(" *\\| *")} *\\|`, "m").exec(prose(text))?.index;
  if (start === undefined) throw new Error(`There is no table headed "${head.join(" | ")}"`);
  return rowsOf(prose(text).slice(start).split("\n\n")[0]!);
}
