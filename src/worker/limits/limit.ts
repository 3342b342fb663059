/**
 * One limit of a topic: its buckets by the value of `by`. A bucket is made when it is needed, and forgotten when nothing in
 * it counts any more. Beyond a bound, all new values share one bucket.
 */
import { createHash } from "node:crypto";
import { describeError } from "../../errors.ts";
import type { EnvelopeCodec } from "../../job/envelope.ts";
import type { Envelope } from "../../job/envelope_data.ts";
import type { Monitor } from "../../monitor/monitor.ts";
import type { LimitedJob } from "../../routing/limits.ts";
import { isolate } from "../../support/root_context.ts";
import { show } from "../../support/validation.ts";
import type { Bucket } from "./bucket.ts";

/** Most buckets of a limit. */
const MAX_BUCKETS = 10_000;
/** A longer value is kept as its digest, in characters: so the memory of a limit has a bound. */
const MAX_VALUE_LENGTH = 200;
/** Buckets that are looked at when a new one is made: so the idle ones go as fast as new ones come. */
const LOOKED_AT = 2;

/** The parts of a limit. */
export interface LimitOptions {
  /** The place of a failure, such as `"limit tenant of topic mail"`. */
  readonly where: string;
  readonly by: ((job: LimitedJob) => string) | null;
  readonly createBucket: () => Bucket;
  readonly codec: EnvelopeCodec;
  readonly monitor: Monitor;
}

/** See the module. */
export class Limit {
  readonly #options: LimitOptions;
  readonly #valueOf: (job: LimitedJob, envelope: Envelope) => string;
  /** By value, or the digest of a long one. `null`: the jobs for which `by` fails. */
  readonly #buckets = new Map<string | null, Bucket>();
  /** The bucket of all values beyond the bound, once there is one. */
  #others: Bucket | undefined;
  #hasFailed = false;

  constructor(options: LimitOptions) {
    const { by, codec } = options;
    this.#options = options;
    this.#valueOf = by === null ? () => "" : isolate((job: LimitedJob, envelope: Envelope): string => {
      const value: unknown = codec.hasAttributes ? codec.runWithAttributes(envelope, () => by(job)) : by(job);
      if (typeof value === "string") return value.length <= MAX_VALUE_LENGTH ? value : digestOf(value);
      // Nothing else handles its rejection.
      if (value instanceof Promise) value.catch(() => {});
      throw new TypeError(`It must return a string, but it returned ${show(value)}`);
    });
  }

  /** The number of its buckets: for tests of its memory. */
  get size(): number {
    return this.#buckets.size;
  }

  /** Returns the bucket of a job. */
  bucketOf(job: LimitedJob, envelope: Envelope, nowMs: number): Bucket {
    const value = this.#tryValueOf(job, envelope);
    return this.#buckets.get(value) ?? this.#newBucket(value, nowMs);
  }

  /** A `by` that fails does not stop the worker: the jobs for which it fails share a bucket. It is reported once. */
  #tryValueOf(job: LimitedJob, envelope: Envelope): string | null {
    try {
      return this.#valueOf(job, envelope);
    } catch (error) {
      const { where, monitor } = this.#options;
      if (!this.#hasFailed) monitor.emit("error.occurred", { where, error: describeError(error) });
      this.#hasFailed = true;
      return null;
    }
  }

  #newBucket(value: string | null, nowMs: number): Bucket {
    let looked = 0;
    for (const [each, bucket] of this.#buckets) {
      if (looked++ === LOOKED_AT) break;
      this.#buckets.delete(each);
      // Behind the others, so that the next ones are looked at.
      if (!bucket.isIdle(nowMs)) this.#buckets.set(each, bucket);
    }
    if (this.#buckets.size >= MAX_BUCKETS) return this.#others ??= this.#options.createBucket();
    const bucket = this.#options.createBucket();
    this.#buckets.set(value, bucket);
    return bucket;
  }
}

function digestOf(value: string): string {
  return createHash("sha256").update(value).digest("hex");
}
