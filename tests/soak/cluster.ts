/**
 * The part of `deno task soak --cluster`: three brokers under load, with one fault after the other for a number of seconds. It
 * prints its results, and returns the failures.
 */
import { IN_FLIGHT } from "../support/kafka/cluster_fault.ts";
import { Load } from "../support/kafka/load.ts";
import { type Node, ThreeBrokers } from "../support/kafka/three_brokers.ts";
import { Random } from "../support/random.ts";

/** A fault: it begins, lasts for a while, and leaves brokers that do not run to the caller. */
type Fault = (three: ThreeBrokers, load: Load, random: Random) => Promise<void>;

const TOPIC = "soak";
/** Leaders and replicas on every broker. */
const REPLICAS = [[1, 2, 3], [2, 3, 1], [3, 1, 2]] as const;

const FAULTS: Readonly<Record<string, Fault>> = {
  async kill(three, load, random) {
    await three.kill(anyNode(random));
    await load.run(random.integer(1000, 20_000));
  },
  async terminate(three, load, random) {
    await three.terminate(anyNode(random));
    await load.run(random.integer(0, 5000));
  },
  async freeze(three, load, random) {
    const node = anyNode(random);
    three.freeze(node);
    await load.run(random.integer(500, 30_000));
    three.thaw(node);
  },
  async loseReplicas(three, load, random) {
    await three.terminate(2);
    await three.terminate(3);
    await load.run(random.integer(1000, 15_000));
  },
};

/** Faults of three brokers, each after the one before is over. */
export async function clusterFaults(seconds: number): Promise<string[]> {
  await using three = await ThreeBrokers.start();
  await three.create({ name: TOPIC, replicas: REPLICAS });
  const topics = { [TOPIC]: REPLICAS.length };
  await using load = await Load.start({ brokers: three.brokers, group: "soak", topics });
  const seed = Math.trunc(Math.random() * 2 ** 32);
  const random = new Random(seed);
  console.log(`  seed ${seed}`);
  const endMs = performance.now() + seconds * 1000;
  let faults = 0;
  while (performance.now() < endMs) {
    const name = random.pick(Object.keys(FAULTS));
    const startedMs = performance.now();
    await FAULTS[name]!(three, load, random);
    await three.restore();
    await load.untilPerforming();
    faults++;
    console.log(`  ${name}: over after ${Math.round((performance.now() - startedMs) / 1000)} s`);
  }
  const verdict = await load.finish();
  console.log(`  ${faults} faults, ${load.performed().length} jobs: ${JSON.stringify(verdict)}`);
  const claims = {
    "no job is lost": verdict.lost === 0,
    "no job runs before an earlier one of its key": verdict.outOfOrder === 0,
    "no job is written twice": verdict.writtenTwice === 0,
    "no job is written that was reported as not written": verdict.wronglyDenied === 0,
    "at most the jobs in flight run twice at each fault": verdict.ranTwice <= faults * IN_FLIGHT,
  };
  return Object.entries(claims).filter(([, holds]) => !holds).map(([claim]) => claim);
}

/** A broker that is not the controller: without it no other broker takes over. */
function anyNode(random: Random): Node {
  return random.pick([2, 3]);
}
