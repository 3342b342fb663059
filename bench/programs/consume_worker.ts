/**
 * A worker that performs no-op jobs: `--ordering=key` with keys side by side, `--attributes` with current attributes, `--log` with the default logger,
 * `--metrics` with metrics.
 */
import { Metrics } from "@activejob/kafka/web";
import { benchApp, Current, finish, hooks } from "../workload.ts";

const [topic, count, ...flags] = Deno.args as [string, string, ...string[]];
const expected = Number(count);
let seen = 0;
let startMs = 0;
let highestRss = 0;
const rss: number[] = [];

hooks.performed = () => {
  if (seen === 0) startMs = performance.now();
  if (++seen % 50_000 === 0) {
    rss.push(Deno.memoryUsage().rss);
    highestRss = Math.max(highestRss, rss.at(-1)!);
  }
  if (seen === expected) {
    const third = rss[Math.floor(rss.length / 3)] ?? highestRss;
    finish({
      perSecond: expected / (performance.now() - startMs) * 1000,
      rssMb: highestRss / 1e6,
      rssGrowth: (rss.at(-1) ?? highestRss) / third,
    });
  }
};

const app = benchApp(topic, {
  ...(flags.includes("--attributes") ? { currentAttributes: [Current] } : {}),
  ...(flags.includes("--log") ? { logger: { format: "json" } } : {}),
}, flags.includes("--ordering=key") ? { ordering: "key" } : {});
if (flags.includes("--metrics")) new Metrics().attach(app);
await app.worker().run();
