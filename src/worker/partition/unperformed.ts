/**
 * Settles records that do not run: tombstones, poison, jobs that are too old, not due yet, cancelled, of an unknown class, or
 * given up already.
 */
import { RecordRefusedError } from "../../errors.ts";
import type { Decoded } from "./decode.ts";
import type { Finisher, RecordContext } from "./finisher.ts";
import { jobIdOf } from "./job_id.ts";
import { queueOf } from "./job_info.ts";
import { keyBytes, type QueuedRecord, valueBytes } from "./queued_record.ts";

/** The parts of a partition that such a settlement needs. */
export type UnperformedOptions =
  & Pick<RecordContext, "place" | "context" | "retryState">
  & { readonly finisher: Finisher };

/** See the module. */
export class UnperformedSettlement {
  readonly #options: UnperformedOptions;

  constructor(options: UnperformedOptions) {
    this.#options = options;
  }

  /** Settles a record. */
  async settle(record: QueuedRecord, decoded: Decoded): Promise<void> {
    const { finisher, retryState } = this.#options;
    if (!await finisher.proveOwnership()) return;
    const { offset } = record;
    switch (decoded.kind) {
      case "tombstone":
        this.#monitor.emit("record.skipped", { ...finisher.positionOf(record), reason: "tombstone" });
        return finisher.finishUnperformed(record);
      case "cancelled":
        return this.#finishCancelled(record, decoded);
      case "expired":
        return this.#finishExpired(record, decoded);
      case "early":
        return await this.#schedule(record, decoded);
      case "job":
        return await finisher.deadLetter(record, decoded.envelope);
      case "poison":
        return await finisher.apply(retryState.countPoison(offset, decoded.error), record, null);
      case "unknown": {
        const { name, error } = decoded;
        return await finisher.apply(retryState.countUnknown(offset, name, error, performance.now()), record, null);
      }
    }
  }

  #finishCancelled(record: QueuedRecord, { jobClass, jobId, order }: Decoded & { kind: "cancelled" }): void {
    const { finisher } = this.#options;
    const { by, why } = order;
    const job = { ...finisher.positionOf(record), jobClass, jobId };
    this.#monitor.emit("job.cancelled", { ...job, state: "waiting", durationMs: null, by, why });
    finisher.finishUnperformed(record);
  }

  #finishExpired(record: QueuedRecord, { envelope, ageMs, expiresAfterMs }: Decoded & { kind: "expired" }): void {
    const { place, finisher } = this.#options;
    this.#monitor.emit("job.expired", {
      ...finisher.positionOf(record),
      jobClass: envelope.jobClass,
      jobId: jobIdOf(envelope, place, record.offset),
      queue: queueOf({ envelope, place }),
      ageMs,
      expiresAfterMs,
    });
    finisher.finishUnperformed(record);
  }

  /** Hands a job that is not due over to the delayed ones. */
  async #schedule(record: QueuedRecord, { envelope, dueAtMs }: Decoded & { kind: "early" }): Promise<void> {
    const { place, finisher, retryState, context: { config: { schedule } } } = this.#options;
    const { topic } = place;
    const { jobClass } = envelope;
    const jobId = jobIdOf(envelope, place, record.offset);
    const content = { key: keyBytes(record), value: valueBytes(record), headers: record.headers };
    const outcome = await schedule(content, { jobId, dueAtMs, targetTopic: topic });
    if (outcome.ok) {
      const { partition, offset } = outcome.position;
      this.#monitor.emit("job.scheduled", { jobClass, jobId, queue: topic, dueAtMs, partition, offset });
      // A new owner schedules the job again: that moves it.
      if (await finisher.proveOwnership()) finisher.finishUnperformed(record);
    } else if (outcome.error instanceof RecordRefusedError) {
      await finisher.apply(retryState.countPoison(record.offset, outcome.error), record, { jobClass, jobId });
    } else {
      this.#monitor.reportError("schedule", outcome.error);
      finisher.waitAfterRefusal(record);
    }
  }

  get #monitor() {
    return this.#options.context.config.monitor;
  }
}
