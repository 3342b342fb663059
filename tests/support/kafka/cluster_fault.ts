/**
 * Set-up of the cluster's tests: three brokers for all tests of a file, and for each test topics with known leaders, a group
 * with a known coordinator, and load on them. Broker 2 is the one that a fault happens to.
 *
 * - `apart`: led by 1 and 3, no replica on 2: the fault has nothing to do with it.
 * - `led`: led by 2.
 * - `main`: led by 1 and 3, with a replica on 2. Kafka acknowledges nothing while a follower is dead and counts as in sync.
 */
import { assertEquals } from "@std/assert";
import { Load } from "./load.ts";
import type { Verdict } from "./load_verdict.ts";
import { type Node, ThreeBrokers } from "./three_brokers.ts";

/** Number of jobs that a worker runs at once. */
export const IN_FLIGHT = 10;

/** Partitions of a topic in these tests. */
const PARTITIONS = 2;

let brokers: ThreeBrokers | undefined;

/** Starts the three brokers before the first test of the file, and ends them after the last one. */
export function useThreeBrokers(): void {
  Deno.test.beforeAll(async () => void (brokers = await ThreeBrokers.start()));
  Deno.test.afterAll(async () => await brokers?.[Symbol.asyncDispose]());
}

/** Declares a test on the three brokers, which are whole when it begins. */
export function clusterTest(name: string, run: (three: ThreeBrokers) => Promise<void>): void {
  Deno.test({
    name,
    // Brokers that a test starts outlive it.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      await brokers!.restore();
      await run(brokers!);
    },
  });
}

/** A fault under load. */
export class Fault implements AsyncDisposable {
  readonly load: Load;
  readonly topics: Readonly<Record<"apart" | "led" | "main", string>>;

  /** Creates topics and starts the load. @param coordinator the broker that coordinates the group */
  static async prepare(
    three: ThreeBrokers,
    name: string,
    { coordinator }: { readonly coordinator: Node },
  ): Promise<Fault> {
    const topics = { apart: `${name}-apart`, led: `${name}-led`, main: `${name}-main` };
    await three.create(
      { name: topics.apart, replicas: [[1, 3], [3, 1]], config: { "min.insync.replicas": "1" } },
      { name: topics.led, replicas: [[2, 1, 3], [2, 3, 1]] },
      { name: topics.main, replicas: [[1, 2, 3], [3, 2, 1]] },
    );
    const load = await Load.start({
      brokers: three.brokers,
      group: await three.groupOn(coordinator, name),
      topics: Object.fromEntries(Object.values(topics).map((topic) => [topic, PARTITIONS])),
    });
    return new Fault(load, topics);
  }

  private constructor(load: Load, topics: Fault["topics"]) {
    this.load = load;
    this.topics = topics;
  }

  /** The longest time in which nothing was performed in a partition of a topic, in milliseconds. */
  standstillMs(topic: keyof Fault["topics"]): number {
    return this.load.worstStandstillMs(this.topics[topic]);
  }

  /** The longest time from a job's acknowledgement to its run, in milliseconds. */
  delayMs(topic: keyof Fault["topics"]): number {
    return this.load.worstDelayMs(this.topics[topic]);
  }

  /** Ends the load, prints the figures, and checks what must hold whatever happened. */
  async finish(bars: Bars): Promise<void> {
    this.load.ends();
    await finishLoad(this.load, { maxAckMs: 12_000, ...bars });
    for (const name of ["apart", "led", "main"] as const) {
      console.log(`  ${name}: standstill ${this.standstillMs(name)} ms, delay ${this.delayMs(name)} ms`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.load[Symbol.asyncDispose]();
  }
}

/** Bars of a whole load. */
export interface Bars {
  /** Most records that may run twice. */
  readonly maxTwice: number;
  /** Longest time from a call to its acknowledgement, in milliseconds. @default no bar */
  readonly maxAckMs?: number;
}

/** Ends a load, prints its figures, and checks what must hold whatever happened. */
export async function finishLoad(load: Load, { maxTwice, maxAckMs = Infinity }: Bars): Promise<Verdict> {
  const verdict = await load.finish();
  const { ranTwice, worstAckMs, notAcknowledged, ...wrong } = verdict;
  console.log(
    `  twice ${ranTwice}, worst acknowledgement ${worstAckMs} ms, not acknowledged ${notAcknowledged}, machine ${load.allowanceMs} ms`,
  );
  assertEquals(wrong, { lost: 0, outOfOrder: 0, writtenTwice: 0, wronglyDenied: 0 });
  assertAtMost("records that ran twice", ranTwice, maxTwice);
  load.assertWithin("worst acknowledgement", worstAckMs, maxAckMs);
  return verdict;
}

/** Fails if a figure is above its bar. */
function assertAtMost(what: string, figure: number, bar: number): void {
  if (!(figure <= bar)) throw new Error(`${what}: ${figure}, more than ${bar}`);
}

/** The states of the worker's session, from its start to its end. */
export function membershipsOf(load: Load): boolean[] {
  return load.worker.lines.filter((line) => line.startsWith("membership.changed "))
    .map((line) => JSON.parse(line.slice(line.indexOf("{"))).isMember);
}
