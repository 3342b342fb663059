/** The ends of waiting: the delivery timeout of records, and the response of a leader that has lost its place. */
import { formatPartition } from "../../../support/position.ts";
import type { Connection } from "../wire/connection.ts";
import { ConnectionError } from "../wire/errors.ts";
import { unansweredError } from "./append_errors.ts";
import type { Backlog } from "./backlog.ts";
import type { Leaders } from "./leaders.ts";
import type { OutgoingBatch } from "./outgoing_batch.ts";
import type { PartitionQueue } from "./partition_queue.ts";

/** See the module. */
export class Expiry {
  readonly #backlog: Backlog;
  readonly #leaders: Leaders;
  readonly #deliveryTimeoutMs: number;

  constructor(backlog: Backlog, leaders: Leaders, deliveryTimeoutMs: number) {
    this.#backlog = backlog;
    this.#leaders = leaders;
    this.#deliveryTimeoutMs = deliveryTimeoutMs;
  }

  /** Gives up records whose time is over. @returns the end of the next one's time */
  expire(queue: PartitionQueue, nowMs: number): number {
    let nextMs = Infinity;
    for (const batch of [...queue.batches]) {
      const connection = batch === queue.head ? queue.inFlight?.connection ?? null : null;
      const isFixed = connection !== null || batch.isMaybeWritten;
      if (nowMs >= batch.endMs || (batch.hasExpired && !isFixed)) this.#expireBatch(queue, batch, connection, nowMs);
    }
    for (const { endMs } of queue.batches) if (endMs > nowMs) nextMs = Math.min(nextMs, endMs);
    return nextMs;
  }

  /**
   * Ends a request to a leader that is silent, once another broker leads the partition. One that still waits for its connection
   * is not sent.
   */
  cutIfMoved(queue: PartitionQueue): void {
    const { leader, connection } = queue.inFlight!;
    const now = this.#leaders.of(queue);
    if (now === null || now === leader) return;
    if (connection === null) {
      // A batch that is still being compressed cannot be sent by another request.
      if (queue.head!.bytes.sealed !== null) queue.inFlight = null;
      return;
    }
    connection.close(
      new ConnectionError(connection.address, "another broker leads the partition now", { isSent: true }),
    );
  }

  /** Gives up the records of a batch whose time is over. The others stay; in a batch that may be written, so do the bytes. */
  #expireBatch(queue: PartitionQueue, batch: OutgoingBatch, connection: Connection | null, nowMs: number): void {
    const error = unansweredError(
      queue.topic,
      `it was not acknowledged within ${this.#deliveryTimeoutMs} ms`,
      batch.problem,
    );
    const [left, expired] = batch.splitExpired(nowMs);
    if (left === null) return this.#expireWhole(queue, batch, connection, error);
    const isFixed = connection !== null || batch.isMaybeWritten;
    for (const { call, index } of expired) {
      call.settle(index, { ok: false, error, written: isFixed ? "unknown" : "no" });
    }
    if (isFixed) return batch.keepExpired(left.endMs);
    if (batch === queue.head) queue.inFlight = null;
    queue.replace(batch, [left]);
  }

  /** Gives up a batch; one in flight is given up once its request has failed. */
  #expireWhole(queue: PartitionQueue, batch: OutgoingBatch, connection: Connection | null, error: Error): void {
    if (connection === null) return this.#backlog.settle(queue, batch, error);
    const problem = `it did not acknowledge ${formatPartition(queue)} in time`;
    connection.close(new ConnectionError(connection.address, problem, { isSent: true }));
  }
}
