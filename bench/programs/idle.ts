/** A worker with nothing to do: the share of one core that it uses. */
import process from "node:process";
import { benchApp, finish } from "../workload.ts";

const [topic, seconds] = Deno.args as [string, string];
const app = benchApp(topic);
const started = new Promise<void>((resolve) => app.on("worker.started", () => resolve()));
void app.worker().run();
await started;
await new Promise((resolve) => setTimeout(resolve, 2000));
const before = process.cpuUsage();
const startMs = performance.now();
await new Promise((resolve) => setTimeout(resolve, Number(seconds) * 1000));
const { user, system } = process.cpuUsage(before);
finish({ percent: (user + system) / 1000 / (performance.now() - startMs) * 100 });
