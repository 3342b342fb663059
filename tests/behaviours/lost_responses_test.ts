/** Producing while responses of the broker are lost. */
import { assert, assertEquals } from "@std/assert";
import { activeJobTopic, EnqueueError, Job, type KafkaOptions } from "../../mod.ts";
import { kafka } from "../../src/broker/kafka/mod.ts";
import { brokers } from "../support/kafka/cluster.ts";
import { API, Relay, type Verdict } from "../support/kafka/relay.ts";
import { Random } from "../support/random.ts";
import { behaviour } from "../support/behaviours/behaviour.ts";
import { asString } from "../support/behaviours/world.ts";

class SyncJob extends Job {
  static override kafkaOptions: KafkaOptions = { dispatchMethod: "produceSync", key: (job) => String(job.args[0]) };

  perform(_caller: number, _n: number) {}
}

const CALLERS = 10;
const JOBS = 1000;

/**
 * With a long timeout no batch is given up. With a short one, a batch without a response is, and its client is
 * replaced.
 */
for (const [how, deliveryTimeoutMs] of [["until acknowledged", 120_000], ["and given up soon", 250]] as const) {
  behaviour(
    `W5: responses to produce requests are lost, and retried ${how}: each job that resolved is in the log, in order for each key`,
    {
      on: ["kafka"],
      because: "the memory log has no wire",
    },
    async (world) => {
      const seed = Math.trunc(Math.random() * 2 ** 32);
      const random = new Random(seed);
      await using relay = new Relay(brokers[0]!);
      const verdicts = { pass: 0, cut: 0, drop: 0 };
      const judge = (api: number, cut: number, drop: number): Verdict => {
        if (api !== API.produce) return "pass";
        const verdict = random.chance(cut)
          ? "cut"
          : random.chance(drop) || (drop > 0 && verdicts.drop === 0)
          ? "drop"
          : "pass";
        verdicts[verdict]++;
        return verdict;
      };
      relay.onRequest = (api) => judge(api, 0.1, 0);
      // The broker has written the batch by then.
      relay.onAnswer = (api) => judge(api, 0.15, 0.05);
      const topics = [activeJobTopic("default", { partitions: 3 })];
      // By a client that waits for its responses as long as they take.
      await world.process({ jobs: [], topics });
      const process = world.unprepared({
        jobs: [SyncJob],
        topics,
        broker: kafka({ brokers: [relay.broker], requestTimeoutMs: 300, deliveryTimeoutMs }),
      });
      const resolved: SyncJob[] = [];
      const rejected: EnqueueError[] = [];
      await Promise.all(Array.from({ length: CALLERS }, async (_, caller) => {
        for (let n = 0; n < JOBS / CALLERS; n++) {
          try {
            resolved.push(await SyncJob.performLater(caller, n));
          } catch (error) {
            if (!(error instanceof EnqueueError)) throw error;
            rejected.push(error);
          }
        }
      }));
      await process.close();
      const context = `seed ${seed}, ${JSON.stringify(verdicts)}, ${rejected.length} rejected`;
      assertEquals(resolved.length + rejected.length, JOBS, context);
      assert(verdicts.cut > 5 && verdicts.drop > 0, context);
      if (how === "until acknowledged") assertEquals(rejected, [], context);
      else assert(rejected.some(({ written }) => written === "unknown"), context);
      const records = (await world.records()).map(({ partition, offset, value }) => {
        const { job_id, arguments: [caller, n] } = JSON.parse(asString(value)!);
        return { place: `${partition}@${offset}`, jobId: job_id as string, caller: caller as number, n: n as number };
      });
      const places = new Map(records.map(({ place, jobId }) => [place, jobId]));
      for (const { jobId, position } of resolved) {
        assertEquals(places.get(`${position!.partition}@${position!.offset}`), jobId, context);
      }
      // Sent again in the same composition, a batch is written once.
      assertEquals(new Set(records.map(({ jobId }) => jobId)).size, records.length, context);
      for (const [caller, copies] of Map.groupBy(records, (record) => record.caller)) {
        const order = copies.map(({ n }) => n);
        assertEquals(order, order.toSorted((a, b) => a - b), `caller ${caller}, ${context}`);
      }
    },
  );
}
