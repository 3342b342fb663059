/**
 * Worker processes that share the partitions of one file: `sqlite_shared.ts <topic> <jobs> <processes> <wait in ms>`, as the
 * child `sqlite_shared.ts <topic> <jobs> 0 <wait>`. The jobs are in the file already. Each child performs until it is ended, and
 * prints the time of each thousandth job.
 */
import type { App } from "@activejob/kafka";
import { sqlite } from "@activejob/kafka";
import { Monitor } from "../../src/monitor/monitor.ts";
import { finish } from "../payload.ts";
import { benchApp, hooks, NoopJob } from "../workload.ts";

const [topic, jobs, processes, waitMs] = Deno.args as [string, string, string, string];
const name = "shared";

if (Number(processes) === 0) {
  const wait = Number(waitMs);
  if (wait > 0) {
    NoopJob.prototype.perform = async () => {
      await new Promise((resolve) => setTimeout(resolve, wait));
    };
  }
  hooks.performed = () => {};
  const app: App = benchApp(topic, { name, concurrency: 10 });
  let isFirst = true;
  app.on("job.performed", () => {
    if (isFirst) console.log(JSON.stringify({ firstMs: Date.now() }));
    isFirst = false;
  });
  await app.worker().run();
}

const path = Deno.env.get("BROKER_URL")!.slice("sqlite:".length);
const children = Array.from({ length: Number(processes) }, () =>
  new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", import.meta.filename!, topic, jobs, "0", waitMs],
    stdout: "piped",
  }).spawn());
const outputs = children.map((child) => readFirst(child.stdout));
await using broker = await sqlite(path).open({ clientId: "bench", monitor: new Monitor() });
let performed = 0;
while (performed < Number(jobs)) {
  await new Promise((resolve) => setTimeout(resolve, 20));
  const committed = await broker.admin.committed(name, topic);
  performed = committed.reduce((sum, { offset }) => sum + (offset ?? 0), 0);
}
const endMs = Date.now();
const firstMs = Math.min(...await Promise.all(outputs));
for (const child of children) child.kill("SIGTERM");
await Promise.all(children.map(({ status }) => status));
finish({ perSecond: Number(jobs) / (endMs - firstMs) * 1000 });

async function readFirst(stdout: ReadableStream<Uint8Array>): Promise<number> {
  let text = "";
  for await (const part of stdout.pipeThrough(new TextDecoderStream())) {
    text += part;
    if (text.includes("\n")) return JSON.parse(text.slice(0, text.indexOf("\n"))).firstMs;
  }
  return Infinity;
}
