/** Results of benches: one line a figure, with its bar. */
import { median, ratio, type Results } from "./rounds.ts";

/** One figure. */
export interface Line {
  /** Name of the figure. */
  readonly figure: string;
  /** Result, with its unit. */
  readonly value: string;
  /** Bar, such as `"≥ 0.75"`. */
  readonly bar: string;
  /** `null` where there is no bar. */
  readonly met: boolean | null;
}

/** Measures, and returns its figures. */
export type Bench = () => Promise<Line[]>;

/** Number of runs of each program. */
export const ROUNDS: number = Number(Deno.env.get("ROUNDS") ?? 5);

/** Our jobs a second divided by theirs. `bar` is the lowest acceptable ratio, `null` for none. */
export function against(figure: string, ours: Results, theirs: Results, bar: number | null): Line {
  const value = ratio(ours.perSecond!, theirs.perSecond!);
  return {
    figure,
    value: `${value.toFixed(2)} (${perSecond(ours)} / ${perSecond(theirs)})`,
    bar: bar === null ? "reported" : `≥ ${bar}`,
    met: bar === null ? null : value >= bar,
  };
}

/** A figure that must not exceed its bar. */
export function atMost(figure: string, value: number, bar: number, unit: string, digits: number): Line {
  return { figure, value: `${value.toFixed(digits)}${unit}`, bar: `≤ ${bar}${unit}`, met: value <= bar };
}

/** A figure that has no bar. */
export function reported(figure: string, value: string): Line {
  return { figure, value, bar: "reported", met: null };
}

/** The median of a program's jobs a second: `"3.7 k/s"`. */
export function perSecond(results: Results): string {
  const thousands = median(results.perSecond!) / 1000;
  return `${thousands.toFixed(thousands < 10 ? 1 : 0)} k/s`;
}

/** Prints a figure. */
export function print({ figure, value, bar, met }: Line): void {
  const verdict = met === null ? "" : met ? "met" : "MISSED";
  console.log(`${figure.padEnd(56)} ${value.padEnd(26)} ${bar.padEnd(12)} ${verdict}`);
}
