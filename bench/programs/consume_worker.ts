/**
 * `consume_worker.ts <topic> <jobs> [flags]`: a worker that performs no-op jobs; `--ordering=key` with keys side by
 * side, `--attributes` with current attributes, `--log` with the default logger, `--metrics` with metrics. The processor
 * time is that of the second half, when the code is compiled.
 */
import process from "node:process";
import { Metrics } from "@activejob/kafka/web";
import { finish } from "../payload.ts";
import { benchApp, Current, hooks } from "../workload.ts";

const [topic, count, ...flags] = Deno.args as [string, string, ...string[]];
const expected = Number(count);
let seen = 0;
let startMs = 0;
const half = Math.floor(expected / 2);
let cpuAtHalf = process.cpuUsage();
let highestRss = 0;
const rssEvery = Math.max(1, Math.floor(expected / 20));
const rss: number[] = [];

hooks.performed = () => {
  if (seen === 0) startMs = performance.now();
  if (seen === half) cpuAtHalf = process.cpuUsage();
  if (++seen % rssEvery === 0) {
    rss.push(Deno.memoryUsage().rss);
    highestRss = Math.max(highestRss, rss.at(-1)!);
  }
  if (seen === expected) {
    const { user, system } = process.cpuUsage(cpuAtHalf);
    const third = rss[Math.floor(rss.length / 3)] ?? highestRss;
    finish({
      perSecond: expected / (performance.now() - startMs) * 1000,
      cpuMicros: (user + system) / (expected - half),
      rssMb: highestRss / 1e6,
      rssGrowth: (rss.at(-1) ?? highestRss) / third,
    });
  }
};

const app = benchApp(topic, {
  ...(flags.includes("--attributes") ? { currentAttributes: [Current] } : {}),
  ...(flags.includes("--log") ? { logger: {} } : {}),
}, flags.includes("--ordering=key") ? { ordering: "key" } : {});
if (flags.includes("--metrics")) new Metrics().attach(app);
await app.worker().run();
