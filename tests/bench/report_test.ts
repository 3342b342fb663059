/** Reports of the bench: lines, Markdown and JSON. */
import { assertEquals } from "@std/assert";
import { compare, type Figure, measured, oursAtMost, ratioAtLeast, TABLES, withoutBase } from "../../bench/figures.ts";
import { formatJson, formatLine, formatMarkdown, formatValue } from "../../bench/report.ts";
import { root } from "../../tasks/process.ts";

const CONDITIONS = { Deno: "2.9.6", rounds: "5" };

const FIGURES: readonly Figure[] = [
  withoutBase({ table: "Enqueuing", figure: "bulk", unit: "jobs/s" }, [64_432], "BullMQ", "REDIS_URL is not set"),
  compare({ table: "Performing jobs on Kafka", figure: "no-op jobs", unit: "jobs/s" }, [150_949], {
    name: "bare eachBatch",
    values: [165_123],
  }, ratioAtLeast(1.1)),
  measured({ table: "Enqueuing", figure: "a wait", unit: "ms" }, [1.234], oursAtMost(2)),
];

Deno.test("formatMarkdown() has the conditions, and each table in its order with all of its figures", () => {
  assertEquals(
    formatMarkdown(CONDITIONS, FIGURES),
    `Deno 2.9.6, rounds 5.

## Performing jobs on Kafka

| Figure     | Ours           | Other side                     | Ratio | Bar   | Met |
| ---------- | -------------- | ------------------------------ | ----- | ----- | --- |
| no-op jobs | 151,000 jobs/s | bare eachBatch: 165,000 jobs/s | 0.91  | ≥ 1.1 | NO  |

## Enqueuing

| Figure | Ours          | Other side                                 | Ratio | Bar    | Met |
| ------ | ------------- | ------------------------------------------ | ----- | ------ | --- |
| bulk   | 64,400 jobs/s | BullMQ: not measured, REDIS_URL is not set |       |        |     |
| a wait | 1.23 ms       |                                            |       | ≤ 2 ms | yes |
`,
  );
});

Deno.test("formatLine() has ours, the other side, the ratio, the bar and whether it is met", () => {
  assertEquals(FIGURES.map((figure) => formatLine(figure).split(/ {2,}/)), [
    ["bulk", "64,400 jobs/s", "BullMQ: not measured, REDIS_URL is not set"],
    ["no-op jobs", "151,000 jobs/s", "bare eachBatch: 165,000 jobs/s", "0.91", "≥ 1.1", "NO"],
    ["a wait", "1.23 ms", "≤ 2 ms", "yes"],
  ]);
});

Deno.test("formatJson() keeps the conditions and every figure as they are", () => {
  assertEquals(JSON.parse(formatJson(CONDITIONS, FIGURES)), { conditions: CONDITIONS, figures: FIGURES });
});

Deno.test("formatValue() rounds to three digits", () => {
  assertEquals(
    [0.012_345, 0.8, 12.345, 1234, 1_000_000].map((value) => formatValue(value, "x")),
    ["0.0123 x", "0.8 x", "12.3 x", "1,230 x", "1,000,000 x"],
  );
});

Deno.test("docs/performance.md has each table of the report, in order and with its columns", () => {
  const page = Deno.readTextFileSync(new URL("docs/performance.md", root));
  const tables = [...page.matchAll(/^## (.*)\n\n\| Figure +\| Ours +\| Other side +\| Ratio +\| Bar +\| Met +\|$/gm)];
  assertEquals(tables.map(([, title]) => title), [...TABLES]);
});
