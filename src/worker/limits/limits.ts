/**
 * The limits of a worker: made once for each topic that has some, and shared by its partitions. A rate limit is kept for each
 * partition, and outlives its ownership: a partition that comes back has not forgotten what it started.
 */
import type { Envelope } from "../../job/envelope_data.ts";
import type { LimitedJob } from "../../routing/limits.ts";
import type { Route } from "../../routing/route.ts";
import { formatPartition, type TopicPartition } from "../../support/position.ts";
import type { WorkerConfig } from "../config.ts";
import { jobIdOf } from "../partition/job_id.ts";
import { RateBucket, RunningBucket } from "./bucket.ts";
import { Gate, type GateOwner } from "./gate.ts";
import { Limit } from "./limit.ts";

/** The parts of a worker that its limits need. */
export type LimitsConfig = Pick<WorkerConfig, "codec" | "monitor" | "nowMs" | "callAt">;

/** See the module. */
export class Limits {
  readonly #config: LimitsConfig;
  /** The limits of running jobs, by topic. */
  readonly #running = new Map<string, readonly Limit[]>();
  /** The rate limits, by partition. */
  readonly #rates = new Map<string, Limit>();

  constructor(config: LimitsConfig) {
    this.#config = config;
  }

  /** Makes the gate of a partition. @returns `null` if its topic has no limits */
  gateOf(route: Route, partition: number, owner: GateOwner): Gate | null {
    const { limits = {}, rateLimit } = route.declared;
    if (Object.keys(limits).length === 0 && rateLimit === undefined) return null;
    const place = { topic: route.topic, partition };
    const { nowMs, callAt } = this.#config;
    return new Gate({
      limits: [...this.#runningOf(route), ...this.#rateOf(route, place)],
      describe: (envelope, key, offset) => this.#describe(envelope, key, place, offset),
      nowMs,
      callAt,
      owner,
    });
  }

  #runningOf(route: Route): readonly Limit[] {
    const { limits = {} } = route.declared;
    let found = this.#running.get(route.topic);
    if (found === undefined) {
      found = Object.entries(limits).map(([name, { by, max }]) =>
        new Limit({
          ...this.#config,
          where: `limit ${name} of topic ${route.topic}`,
          by,
          createBucket: () => new RunningBucket(max),
        })
      );
      this.#running.set(route.topic, found);
    }
    return found;
  }

  #rateOf({ topic, declared: { rateLimit } }: Route, place: TopicPartition): readonly Limit[] {
    if (rateLimit === undefined) return [];
    const { by = null, jobs, perMs } = rateLimit;
    const name = formatPartition(place);
    let found = this.#rates.get(name);
    if (found === undefined) {
      const where = `rate limit of topic ${topic}`;
      found = new Limit({ ...this.#config, where, by, createBucket: () => new RateBucket(jobs, perMs) });
      this.#rates.set(name, found);
    }
    return [found];
  }

  #describe(envelope: Envelope, key: string | null, place: TopicPartition, offset: number): LimitedJob {
    const { codec } = this.#config;
    return {
      jobClass: envelope.jobClass,
      jobId: jobIdOf(envelope, place, offset),
      key,
      // Read when it is asked for: it may throw.
      get args() {
        return codec.readArguments(envelope);
      },
    };
  }
}
