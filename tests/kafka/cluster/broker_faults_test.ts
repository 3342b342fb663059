/** Brokers that die, are restarted or freeze under load. */
import { clusterTest, Fault, IN_FLIGHT, useThreeBrokers } from "../../support/kafka/cluster_fault.ts";

/** Long enough for the cluster to notice a dead broker, and for what follows to show, in milliseconds. */
const AFTER_DEATH_MS = 16_000;
const FROZEN_MS = 30_000;

useThreeBrokers();

clusterTest(
  "C1: after kill -9 of the coordinator other partitions go on within 1 s, its own within 12 s, and no job is lost",
  async (three) => {
    await using fault = await Fault.prepare(three, "C1", { coordinator: 2 });
    fault.load.begins();
    await three.kill(2);
    await fault.load.run(AFTER_DEATH_MS);
    await fault.finish({ maxTwice: IN_FLIGHT });
    fault.load.assertWithin("standstill of what is led elsewhere", fault.standstillMs("apart"), 1000);
    fault.load.assertWithin("delay of what is led elsewhere", fault.delayMs("main"), 1000);
    fault.load.assertWithin("standstill of what it led", fault.standstillMs("led"), 12_000);
  },
);

clusterTest(
  "C2: after kill -9 of a leader other partitions go on within 0.5 s, its own within 12 s, and no job runs twice",
  async (three) => {
    await using fault = await Fault.prepare(three, "C2", { coordinator: 3 });
    fault.load.begins();
    await three.kill(2);
    await fault.load.run(AFTER_DEATH_MS);
    await fault.finish({ maxTwice: 0 });
    fault.load.assertWithin("standstill of what is led elsewhere", fault.standstillMs("apart"), 500);
    fault.load.assertWithin("delay of what is led elsewhere", fault.delayMs("main"), 500);
    fault.load.assertWithin("standstill of what it led", fault.standstillMs("led"), 12_000);
  },
);

clusterTest(
  "C3: while all brokers are restarted by TERM, no partition stands still for 1 s, and no job runs twice",
  async (three) => {
    await using fault = await Fault.prepare(three, "C3", { coordinator: 2 });
    fault.load.begins();
    for (const node of [2, 3, 1] as const) {
      await three.terminate(node);
      await three.restore();
    }
    await fault.finish({ maxTwice: 0 });
    for (const topic of ["apart", "led", "main"] as const) {
      fault.load.assertWithin(`standstill of ${topic}`, fault.standstillMs(topic), 1000);
    }
  },
);

clusterTest(
  "C4: while coordinator and leader are frozen other partitions go on within 2 s, their own within 15 s",
  async (three) => {
    await using fault = await Fault.prepare(three, "C4", { coordinator: 2 });
    fault.load.begins();
    three.freeze(2);
    await fault.load.run(FROZEN_MS);
    three.thaw(2);
    await three.untilWhole();
    await fault.finish({ maxTwice: IN_FLIGHT });
    fault.load.assertWithin("standstill of what is led elsewhere", fault.standstillMs("apart"), 2000);
    fault.load.assertWithin("delay of what is led elsewhere", fault.delayMs("main"), 2000);
    fault.load.assertWithin("standstill of what it led", fault.standstillMs("led"), 15_000);
  },
);
