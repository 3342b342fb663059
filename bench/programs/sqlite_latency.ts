/** From enqueuing in one process to the start of the job in another one: at so many a second, at random. */
import { benchApp, finish, hooks, NoopJob, percentile } from "../workload.ts";

const [topic, rate, seconds, mode] = Deno.args as [string, string, string, string | undefined];
const perSecond = Number(rate);
const warmUp = perSecond;
const total = warmUp + perSecond * Number(seconds);
const app = benchApp(topic);

/** The same in both processes: milliseconds since 1970, with fractions. */
const nowMs = () => performance.timeOrigin + performance.now();

if (mode === "--enqueue") await enqueue();
else await perform();

async function perform(): Promise<void> {
  const waits: number[] = [];
  let seen = 0;
  hooks.performed = (sentMs) => {
    if (++seen > warmUp) waits.push(nowMs() - sentMs);
    if (seen === total) finish({ p50: percentile(waits, 0.5), p99: percentile(waits, 0.99) });
  };
  app.on("worker.started", () => {
    const args = ["run", "-A", "--no-check", import.meta.filename!, topic, rate, seconds, "--enqueue"];
    new Deno.Command(Deno.execPath(), { args, stdin: "null", stdout: "null" }).spawn();
  });
  await app.worker().run();
}

async function enqueue(): Promise<void> {
  NoopJob.kafkaOptions = {};
  // At random: real requests are not in step with the worker's polling.
  for (let sent = 0; sent < total; sent++) {
    await NoopJob.performLater(nowMs(), "");
    await new Promise((resolve) => setTimeout(resolve, -Math.log(1 - Math.random()) * 1000 / perSecond));
  }
  await app.close();
}
