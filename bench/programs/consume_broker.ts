/**
 * The library's consumer without a worker: fetches, decodes and `JSON.parse`s, and performs nothing. The difference to
 * `consume_worker.ts` is the worker's own share of a job. The processor
 * time is that of the second half, when the code is compiled.
 */
import process from "node:process";
import { kafka } from "@activejob/kafka";
import { Monitor } from "../../src/monitor/monitor.ts";
import { kafkaBrokers } from "../plain_kafka.ts";
import { finish } from "../payload.ts";

const [topic, count] = Deno.args as [string, string];
const expected = Number(count);
const broker = await kafka({ brokers: kafkaBrokers() }).open({ clientId: "bench", monitor: new Monitor() });
let seen = 0;
let sum = 0;
let startMs = 0;
let half = 0;
let cpuAtHalf = process.cpuUsage();

broker.consume({
  group: `broker-${crypto.randomUUID()}`,
  topics: [topic],
  sessionTimeoutMs: 30_000,
  maxFetchBytes: 4 * 1024 * 1024,
}, {
  records(_ownership, batch) {
    if (seen === 0) startMs = performance.now();
    if (seen < expected / 2) {
      cpuAtHalf = process.cpuUsage();
      half = seen;
    }
    for (const { value } of batch.records) sum += JSON.parse(String(value)).arguments.length;
    seen += batch.records.length;
    if (seen < expected) return;
    const { user, system } = process.cpuUsage(cpuAtHalf);
    finish({
      perSecond: expected / (performance.now() - startMs) * 1000,
      cpuMicros: (user + system) / (expected - half),
      sum,
    });
  },
  assigned() {},
  releasing: () => [],
  lost() {},
  expired() {},
  membership() {},
  failed(error) {
    throw error;
  },
});
