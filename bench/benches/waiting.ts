/** Benches of jobs that wait, with keys side by side on the memory broker, beside the same timers alone. */
import type { Bench, Context } from "../bench.ts";
import { compare, type Figure, ratioAtLeast, ratioAtMost } from "../figures.ts";
import { formatValue } from "../report.ts";
import { interleaved } from "../rounds.ts";

const TABLE = "Jobs that wait";

/** Jobs that wait. */
export const waitingBenches: readonly Bench[] = [{ name: "waiting", group: "local", run: waiting }];

/** The most jobs of a plan. */
const MAX_JOBS = 100_000;

async function waiting({ size }: Context): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const concurrency of size.concurrency) {
    const jobs = Math.min(MAX_JOBS, 300 * concurrency);
    const { plan } = await interleaved(size.rounds, {
      plan: { program: "waiting_jobs", args: [jobs, 1000, concurrency, "5"] },
    });
    const perSecond = (times: readonly number[]) => times.map((ms) => jobs / ms * 1000);
    const figure = `jobs of 5 ms, 1,000 keys, ${formatValue(concurrency, "at once")}`;
    figures.push(
      compare({ table: TABLE, figure, unit: "jobs/s" }, perSecond(plan.workerMs!), {
        name: "the same timers alone",
        values: perSecond(plan.aloneMs!),
      }, ratioAtLeast(0.85)),
    );
  }
  const { plan } = await interleaved(size.rounds, {
    plan: { program: "waiting_jobs", args: [10_000, 100, 100, "random"] },
  });
  const heading = { table: TABLE, figure: "10,000 jobs of 0–5 ms, 100 keys, 100 at once", unit: "ms" } as const;
  figures.push(
    compare(heading, plan.workerMs!, { name: "the least possible", values: plan.leastMs! }, ratioAtMost(1.25)),
    compare(heading, plan.workerMs!, { name: "the same timers alone", values: plan.aloneMs! }),
  );
  return figures;
}
