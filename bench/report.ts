/** Reports: a figure as a line, and all figures as JSON or as the tables of `docs/performance.md`. Pure functions. */
import { type Bar, type Figure, TABLES } from "./figures.ts";

/** The conditions of a run, by name: `{ Deno: "2.9.6" }`. */
export type Conditions = Readonly<Record<string, string>>;

/** Formats a figure for the terminal. */
export function formatLine(figure: Figure): string {
  const { name, ours, base, ratio, bar, verdict } = cells(figure);
  return `${name.padEnd(60)} ${ours.padEnd(20)} ${base.padEnd(40)} ${ratio.padEnd(6)} ${bar.padEnd(16)} ${verdict}`
    .trimEnd();
}

/** Formats the conditions of a run as one sentence. */
export function formatConditions(conditions: Conditions): string {
  return `${Object.entries(conditions).map(([name, value]) => `${name} ${value}`).join(", ")}.`;
}

/** Formats all figures as JSON: `{ conditions, figures }`. */
export function formatJson(conditions: Conditions, figures: readonly Figure[]): string {
  return `${JSON.stringify({ conditions, figures }, null, 2)}\n`;
}

/** Formats all figures as Markdown: the conditions, then one table for each title that has figures. */
export function formatMarkdown(conditions: Conditions, figures: readonly Figure[]): string {
  const tables = TABLES.flatMap((table) => {
    const rows = figures.filter((figure) => figure.table === table);
    return rows.length === 0 ? [] : [`## ${table}\n\n${formatTable(rows)}`];
  });
  return [formatConditions(conditions), ...tables].join("\n\n") + "\n";
}

function formatTable(figures: readonly Figure[]): string {
  const rows = [
    ["Figure", "Ours", "Other side", "Ratio", "Bar", "Met"],
    ...figures.map((figure) => {
      const { name, ours, base, ratio, bar, verdict } = cells(figure);
      return [name, ours, base, ratio, bar, verdict];
    }),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`);
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [lines[0]!, rule, ...lines.slice(1)].join("\n");
}

function cells(figure: Figure) {
  const { unit, baseName, base, missing } = figure;
  return {
    name: figure.figure,
    ours: figure.ours === null ? "" : formatValue(figure.ours, unit),
    base: baseName === null
      ? ""
      : `${baseName}: ${base === null ? `not measured, ${missing}` : formatValue(base, unit)}`,
    ratio: figure.ratio === null ? "" : figure.ratio.toFixed(2),
    bar: figure.bar === null ? "" : formatBar(figure.bar, unit),
    verdict: figure.met === null ? "" : figure.met ? "yes" : "NO",
  };
}

function formatBar({ of, kind, limit }: Bar, unit: string): string {
  return `${kind === "least" ? "≥" : "≤"} ${of === "ratio" ? limit : formatValue(limit, unit)}`;
}

/** Formats a value with three digits that count: `"151,000 jobs/s"`, `"2.04 ms"`. */
export function formatValue(value: number, unit: string): string {
  return `${Number(value.toPrecision(3)).toLocaleString("en", { maximumFractionDigits: 10 })} ${unit}`;
}
