/**
 * One limit of a topic: its buckets by the value of `by`. A bucket is made when it is needed, and forgotten when nothing in
 * it counts any more. Beyond a bound, new values share some buckets: each of them always the same one.
 */
import { createHash } from "node:crypto";
import type { EnvelopeCodec } from "../../job/envelope.ts";
import type { Envelope } from "../../job/envelope_data.ts";
import type { Monitor } from "../../monitor/monitor.ts";
import type { LimitedJob } from "../../routing/limits.ts";
import { isolate } from "../../support/root_context.ts";
import { describeType } from "../../support/validation.ts";
import type { Bucket } from "./bucket.ts";

/** Most buckets of a limit that have one value. */
const MAX_BUCKETS = 10_000;
/** Most buckets of a limit that values beyond those share. */
const SHARED_BUCKETS = 1000;
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
  readonly #callBy: (job: LimitedJob, envelope: Envelope) => string;
  /** By value, or the digest of a long one. `null`: the jobs for which `by` fails. */
  readonly #buckets = new Map<string | null, Bucket>();
  /**
   * The buckets that are looked at next. It is kept: each new iterator would step over all the entries that were removed
   * before, 50 µs for each of 100,000 values (measured).
   */
  #next: Iterator<[string | null, Bucket]> = this.#buckets.entries();
  /** The buckets of the values beyond the bound, by a hash of the value. */
  readonly #shared = new Map<number, Bucket>();
  #hasFailed = false;

  constructor(options: LimitOptions) {
    const { by, codec } = options;
    this.#options = options;
    this.#callBy = by === null ? () => "" : isolate((job: LimitedJob, envelope: Envelope): string => {
      const value: unknown = codec.hasAttributes ? codec.runWithAttributes(envelope, () => by(job)) : by(job);
      if (typeof value === "string") return value.length <= MAX_VALUE_LENGTH ? value : digestOf(value);
      // Nothing else handles its rejection.
      if (value instanceof Promise) value.catch(() => {});
      // Never the value itself: it may be an argument, which may be a secret.
      throw new TypeError(`It must return a string, but it returned ${describeType(value)}`);
    });
  }

  /** The number of its buckets: for tests of its memory. */
  get size(): number {
    return this.#buckets.size + this.#shared.size;
  }

  /** Returns the bucket of a value. */
  bucketOf(value: string | null, nowMs: number): Bucket {
    return this.#buckets.get(value) ?? this.#newBucket(value, nowMs);
  }

  /**
   * Returns the value of a job. A `by` that fails does not stop the worker: the jobs for which it fails share the value
   * `null`. It is reported once.
   */
  valueOf(job: LimitedJob, envelope: Envelope): string | null {
    try {
      return this.#callBy(job, envelope);
    } catch (error) {
      const { where, monitor } = this.#options;
      if (!this.#hasFailed) monitor.reportError(where, error);
      this.#hasFailed = true;
      return null;
    }
  }

  #newBucket(value: string | null, nowMs: number): Bucket {
    for (let looked = 0; looked < LOOKED_AT; looked++) this.#forgetNextIdle(nowMs);
    const hash = hashOf(value) % SHARED_BUCKETS;
    const shared = this.#shared.get(hash);
    if (shared !== undefined) {
      // Jobs of this value may count there: a bucket of its own would not know of them.
      if (!shared.isIdle(nowMs)) return shared;
      this.#shared.delete(hash);
    }
    const bucket = this.#options.createBucket();
    if (this.#buckets.size < MAX_BUCKETS) this.#buckets.set(value, bucket);
    else this.#shared.set(hash, bucket);
    return bucket;
  }

  #forgetNextIdle(nowMs: number): void {
    const next = this.#next.next();
    if (next.done) this.#next = this.#buckets.entries();
    else if (next.value[1].isIdle(nowMs)) this.#buckets.delete(next.value[0]);
  }
}

function hashOf(value: string | null): number {
  let hash = 0;
  for (let at = 0; at < (value?.length ?? 0); at++) hash = (Math.imul(hash, 31) + value!.charCodeAt(at)) >>> 0;
  return hash;
}

function digestOf(value: string): string {
  return createHash("sha256").update(value).digest("hex");
}
