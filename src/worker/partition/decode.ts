/** From a record to a job that can be performed, or the reason why it cannot. */
import { PoisonError, UnknownJobError, UnknownKeyError } from "../../errors.ts";
import { isClassName } from "../../job/class_name.ts";
import type { EnvelopeCodec } from "../../job/envelope.ts";
import type { Envelope } from "../../job/envelope_data.ts";
import type { JobClass } from "../../job/job.ts";
import type { JobRegistry } from "../../job/registry.ts";
import type { Route } from "../../routing/route.ts";
import { isReleased } from "../../routing/scheduled_topic.ts";
import { show } from "../../support/validation.ts";
import type { Cancellation } from "../control.ts";
import { ageOf } from "./job_age.ts";
import { type QueuedRecord, valueText } from "./queued_record.ts";

/** A job that can be performed. */
export interface DecodedJob {
  readonly kind: "job";
  readonly Class: JobClass;
  readonly envelope: Envelope;
}

/** The content of a record. */
export type Decoded =
  | DecodedJob
  | { readonly kind: "tombstone" }
  /** An operator has cancelled it. */
  | { readonly kind: "cancelled"; readonly jobClass: string; readonly jobId: string; readonly order: Cancellation }
  /** It is not due yet: another program has written it here, such as Rails. */
  | { readonly kind: "early"; readonly envelope: Envelope; readonly dueAtMs: number }
  | { readonly kind: "poison"; readonly error: Error }
  /** It is older than its class, or its topic, allows. */
  | Expired
  /** The App does not have its class, or the key of its encryption. A deploy may bring it. */
  | {
    readonly kind: "unknown";
    readonly envelope: Pick<Envelope, "jobClass" | "jobId">;
    readonly name: string;
    readonly error: Error;
  };

/** A job that is too old to be performed. */
export interface Expired {
  readonly kind: "expired";
  readonly envelope: Envelope;
  readonly ageMs: number;
  readonly expiresAfterMs: number;
}

/** The parts that decoding needs. */
export interface Decoder {
  readonly registry: JobRegistry;
  readonly codec: EnvelopeCodec;
  /** Returns the time, in milliseconds since 1970. It is asked only for a job with a due time, or one that expires. */
  readonly nowMs: () => number;
}

/** The options of a route on which decoding depends. */
export type DecodeRules = Pick<Route, "topic" | "maxPayloadBytes" | "expiresAfterMs">;

const TOMBSTONE: Decoded = { kind: "tombstone" };

/**
 * Decodes a record. It never throws.
 *
 * @param decoder the parts that it needs; the configuration of a worker has them
 * @param route the route of its topic
 */
export function decode(
  record: QueuedRecord,
  { registry, codec, nowMs }: Decoder,
  { topic, maxPayloadBytes, expiresAfterMs }: DecodeRules,
): Decoded {
  if (record.unreadable !== undefined) return { kind: "poison", error: new PoisonError(record.unreadable) };
  if (record.value === null) return TOMBSTONE;
  try {
    if (record.bytes > maxPayloadBytes) {
      throw new PoisonError(`The value has ${record.bytes} bytes, but at most ${maxPayloadBytes} are read`);
    }
    const text = valueText(record);
    if (text === null) throw new PoisonError("The value is not UTF-8");
    const envelope = codec.read(text, topic);
    const { scheduledAtMs } = envelope;
    // Another process, whose clock may be ahead, has released it: it is due.
    if (scheduledAtMs !== null && scheduledAtMs > nowMs() && !isReleased(record.headers)) {
      return { kind: "early", envelope, dueAtMs: scheduledAtMs };
    }
    const { jobClass } = envelope;
    const Class = registry.find(jobClass);
    if (Class !== undefined) {
      const limitMs = expiryOf(Class) ?? expiresAfterMs;
      if (limitMs !== null) {
        const ageMs = ageOf(envelope, record.timestampMs, nowMs());
        if (ageMs > limitMs) return { kind: "expired", envelope, ageMs, expiresAfterMs: limitMs };
      }
      return { kind: "job", Class, envelope };
    }
    // The rule by which an App accepts names: a worker waits for each class that some App may have.
    if (!isClassName(jobClass)) throw new PoisonError(`${show(jobClass)} is not a name of a job class`);
    const known = formatNames(registry.names());
    return {
      kind: "unknown",
      envelope,
      name: jobClass,
      error: new UnknownJobError(`No job class "${jobClass}" is known (known: ${known})`),
    };
  } catch (error) {
    if (error instanceof UnknownKeyError) {
      return { kind: "unknown", envelope: readClear(record), name: `key ${show(error.keyId)}`, error };
    }
    return { kind: "poison", error: error as Error };
  }
}

/** Reads the class and the id of an encrypted job, which are in clear. */
function readClear(record: QueuedRecord): Pick<Envelope, "jobClass" | "jobId"> {
  const { job_class, job_id } = JSON.parse(valueText(record)!);
  return { jobClass: String(job_class), jobId: typeof job_id === "string" && job_id !== "" ? job_id : null };
}

/** Returns the class's own limit; `undefined` for none. It may be a getter of the user's class, and throw in the job's run. */
function expiryOf(Class: JobClass): number | undefined {
  try {
    return Class.expiresAfterMs;
  } catch {
    return undefined;
  }
}

/** The number of known classes that an error lists. */
const MAX_NAMES = 10;

function formatNames(names: readonly string[]): string {
  if (names.length === 0) return "none";
  return `${names.slice(0, MAX_NAMES).join(", ")}${names.length > MAX_NAMES ? ", …" : ""}`;
}
