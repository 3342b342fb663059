/** Faults of the client's surroundings: a silent or dead bootstrap broker, a clock that is set, a quota. */
import { assert, assertEquals } from "@std/assert";
import { activeJobTopic, App, Job, kafka, type KafkaOptions } from "../../../mod.ts";
import { clusterTest, finishLoad, membershipsOf, useThreeBrokers } from "../../support/kafka/cluster_fault.ts";
import { findFreePorts } from "../../../tasks/kafka/server.ts";
import { Load, SESSION_TIMEOUT_MS } from "../../support/kafka/load.ts";
import { MachineMeter } from "../../support/machine_meter.ts";
import type { ThreeBrokers } from "../../support/kafka/three_brokers.ts";

/** Longer than the session, so that a session that is not prolonged ends, in milliseconds. */
const AFTER_CLOCK_MS = SESSION_TIMEOUT_MS + 3000;
const THROTTLED_MS = 2 * SESSION_TIMEOUT_MS;
/** A tenth of what comes. */
const FETCHED_BYTES_A_SECOND = 2000;

useThreeBrokers();

class PingJob extends Job {
  static override kafkaOptions: KafkaOptions = { dispatchMethod: "produceSync" };
  perform() {}
}

/** Time that a new process takes until it has enqueued a job and performed it, in milliseconds. */
async function startMs(three: ThreeBrokers, name: string, brokers: readonly string[]): Promise<number> {
  await three.create({ name, replicas: [[1, 3]], config: { "min.insync.replicas": "1" } });
  const group = await three.groupOn(1, name);
  const startedMs = performance.now();
  const options = { name: group, jobs: [PingJob], topics: [activeJobTopic(name)], logger: false } as const;
  await using app = new App({ ...options, broker: kafka({ brokers }) });
  await app.run(() => PingJob.set({ queue: name }).performLater());
  await app.worker().run(undefined, { once: true });
  return performance.now() - startedMs;
}

clusterTest("C8: bootstrap brokers that never answer, or are dead, delay a start by less than 5 s", async (three) => {
  using machine = new MachineMeter();
  const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted: Deno.Conn[] = [];
  const accepting = (async () => {
    for await (const connection of silent) accepted.push(connection);
  })();
  const dead = findFreePorts(2).map((port) => `127.0.0.1:${port}`);
  const first = `127.0.0.1:${(silent.addr as Deno.NetAddr).port}`;
  const ms = [
    await startMs(three, "C8-silent", [first, three.brokers[0]!]),
    await startMs(three, "C8-dead", [...dead, three.brokers[0]!]),
    await startMs(three, "C8-both", [first, ...dead, three.brokers[0]!]),
  ];
  silent.close();
  await accepting;
  for (const connection of accepted) connection.close();
  console.log(`  started within ${ms.map(Math.round)} ms`);
  machine.assertWithin("start", Math.max(...ms), 5000);
});

clusterTest(
  "C9: the worker's wall clock is set back by an hour, then forward by two: nothing stands still, no session is lost",
  async (three) => {
    await three.create({ name: "C9", replicas: [[1, 2, 3], [2, 3, 1]] });
    const group = await three.groupOn(1, "C9");
    const worker = {
      options: ["-A", "--preload", new URL("../../support/kafka/set_clock.ts", import.meta.url).pathname],
    };
    await using load = await Load.start({ brokers: three.brokers, group, topics: { "C9": 2 }, worker });
    load.begins();
    for (const signal of ["SIGUSR1", "SIGUSR2"] as const) {
      load.worker.signal(signal);
      await load.worker.line(new RegExp(`^${signal}: the clock is`));
      await load.run(AFTER_CLOCK_MS);
    }
    load.ends();
    await finishLoad(load, { maxTwice: 0 });
    const standstillMs = load.worstStandstillMs("C9");
    console.log(`  standstill ${standstillMs} ms`);
    load.assertWithin("standstill", standstillMs, 500);
    assertEquals(membershipsOf(load), [true, false]);
  },
);

clusterTest("C10: fetches that are throttled for longer than the session cost no membership", async (three) => {
  await three.create({ name: "C10", replicas: [[1, 2, 3], [2, 3, 1]] });
  const group = await three.groupOn(1, "C10");
  await using load = await Load.start({ brokers: three.brokers, group, topics: { "C10": 2 } });
  load.begins();
  await three.limitFetches(FETCHED_BYTES_A_SECOND);
  await load.run(THROTTLED_MS);
  await three.limitFetches(null);
  await load.untilPerforming();
  load.ends();
  await finishLoad(load, { maxTwice: 0 });
  const standstillMs = load.worstStandstillMs("C10");
  console.log(`  standstill ${standstillMs} ms`);
  assert(standstillMs > SESSION_TIMEOUT_MS, "The throttle was longer than the session");
  assertEquals(membershipsOf(load), [true, false]);
});
