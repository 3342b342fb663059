/** Benches of keys side by side that need no broker: jobs that wait, beside the same timers alone. */
import { atMost, type Bench, type Line, ROUNDS } from "./figures.ts";
import { interleaved, median, ratio } from "./rounds.ts";

/** By name. */
export const keysBenches: Readonly<Record<string, Bench>> = { waiting };

/** Jobs, keys, concurrency, and the duration of a job in ms. */
const PLANS = [
  [300, 1000, 1, "5"],
  [3000, 1000, 10, "5"],
  [20_000, 1000, 100, "5"],
  [100_000, 1000, 1000, "5"],
] as const;

async function waiting(): Promise<Line[]> {
  const { plan } = await interleaved(ROUNDS, {
    plan: { program: "waiting_jobs", args: [10_000, 100, 100, "random"] },
  });
  const lines = [
    atMost("100 keys, jobs of 0–5 ms / the least possible time", ratio(plan.workerMs!, plan.leastMs!), 1.25, " ×", 2),
    atMost("the same / the same timers alone", ratio(plan.workerMs!, plan.aloneMs!), 1.25, " ×", 2),
  ];
  for (const args of PLANS) {
    const { plan } = await interleaved(ROUNDS, { plan: { program: "waiting_jobs", args } });
    const share = ratio(plan.aloneMs!, plan.workerMs!);
    const value = `${share.toFixed(2)} (${median(plan.workerMs!).toFixed(0)} ms)`;
    lines.push({
      figure: `5 ms jobs, 1000 keys, concurrency ${args[2]}: timers alone / ours`,
      value,
      bar: "≥ 0.85",
      met: share >= 0.85,
    });
  }
  return lines;
}
