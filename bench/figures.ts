/**
 * Figures: a measured value of ours, the same value of the other side of the same run, their ratio, and the bar. All
 * functions are pure.
 */

/** The tables of a report, in order. */
export const TABLES = [
  "Performing jobs on Kafka",
  "Performing jobs on SQLite",
  "Jobs that wait",
  "Delayed jobs",
  "Dead letters",
  "Enqueuing",
  "Latency, idle, start",
  "Memory",
] as const;

/** The title of a table. */
export type Table = typeof TABLES[number];

/** A limit. */
export interface Bar {
  /** The value that must keep to it: `ours / base`, or ours alone. */
  readonly of: "ratio" | "ours";
  /** Whether it is the least or the greatest value that meets the bar. */
  readonly kind: "least" | "most";
  /** The value. */
  readonly limit: number;
}

/** One figure: a row of a table. */
export interface Figure {
  /** The table that it belongs to. */
  readonly table: Table;
  /** Its name. */
  readonly figure: string;
  /** The unit of `ours` and `base`. */
  readonly unit: string;
  /** The median of ours; `null` if it was not measured. */
  readonly ours: number | null;
  /** The other side, such as `"BullMQ"`; `null` for a figure without one. */
  readonly baseName: string | null;
  /** The median of the other side; `null` if there is none, or if it was not measured. */
  readonly base: number | null;
  /** The median of the ratios of the rounds, ours / base. */
  readonly ratio: number | null;
  /** `null` for a figure that is only reported. */
  readonly bar: Bar | null;
  /** Whether the bar is met; `null` without a bar, or if the value was not measured. */
  readonly met: boolean | null;
  /** The reason for which the other side was not measured. */
  readonly missing: string | null;
}

/** The name of a figure, with its table and unit. */
export type Heading = Pick<Figure, "table" | "figure" | "unit">;

/** A bar for `ours / base`. */
export const ratioAtLeast = (limit: number): Bar => ({ of: "ratio", kind: "least", limit });
/** A bar for `ours / base`. */
export const ratioAtMost = (limit: number): Bar => ({ of: "ratio", kind: "most", limit });
/** A bar for ours alone. */
export const oursAtLeast = (limit: number): Bar => ({ of: "ours", kind: "least", limit });
/** A bar for ours alone. */
export const oursAtMost = (limit: number): Bar => ({ of: "ours", kind: "most", limit });

/**
 * Compares ours with another side.
 *
 * @param ours one value a round
 * @param base its name, and one value a round
 */
export function compare(
  heading: Heading,
  ours: readonly number[],
  base: { readonly name: string; readonly values: readonly number[] },
  bar: Bar | null = null,
): Figure {
  return judge({
    ...heading,
    ours: median(ours),
    baseName: base.name,
    base: median(base.values),
    ratio: median(ours.map((value, round) => value / base.values[round]!)),
    bar,
    missing: null,
  });
}

/** A figure without another side. */
export function measured(heading: Heading, ours: readonly number[], bar: Bar | null = null): Figure {
  return judge({ ...heading, ours: median(ours), baseName: null, base: null, ratio: null, bar, missing: null });
}

/**
 * A figure whose other side is not at hand.
 *
 * @param reason such as `"REDIS_URL is not set"`
 * @param bar a bar of ours alone, which holds without the other side
 */
export function withoutBase(
  heading: Heading,
  ours: readonly number[],
  baseName: string,
  reason: string,
  bar: Bar | null = null,
): Figure {
  return judge({ ...heading, ours: median(ours), baseName, base: null, ratio: null, bar, missing: reason });
}

function judge(figure: Omit<Figure, "met">): Figure {
  const { bar } = figure;
  const value = bar === null ? null : figure[bar.of];
  if (bar === null || value === null) return { ...figure, met: null };
  return { ...figure, met: bar.kind === "least" ? value >= bar.limit : value <= bar.limit };
}

/** The value in the middle; the mean of both for an even number of values. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return Number.isInteger(middle) ? (sorted[middle - 1]! + sorted[middle]!) / 2 : sorted[Math.floor(middle)]!;
}

/** The value below which a share of the values lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}
