/** What benches answer: one line a figure, with its bar. */
import { median, ratio, type Results } from "./rounds.ts";

/** One figure. */
export interface Line {
  /** What was measured. */
  readonly figure: string;
  /** What came out, with its unit. */
  readonly value: string;
  /** What it should be: `"≥ 0.75"`. */
  readonly bar: string;
  /** `null` where there is no bar. */
  readonly met: boolean | null;
}

/** Measures, and answers its figures. */
export type Bench = () => Promise<Line[]>;

/** How often each program runs. */
export const ROUNDS: number = Number(Deno.env.get("ROUNDS") ?? 5);

/** Our jobs a second over theirs. `bar` is the least it should be, `null` for none. */
export function against(figure: string, ours: Results, theirs: Results, bar: number | null): Line {
  const value = ratio(ours.perSecond!, theirs.perSecond!);
  return {
    figure,
    value: `${value.toFixed(2)} (${perSecond(ours)} / ${perSecond(theirs)})`,
    bar: bar === null ? "reported" : `≥ ${bar}`,
    met: bar === null ? null : value >= bar,
  };
}

/** A figure that should be no more than its bar. */
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
