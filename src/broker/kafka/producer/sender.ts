/**
 * Sends the first batches of queues to their leader: sealed, stamped, in requests of a limited size.
 *
 * A broker handles the requests of a connection one at a time, and responds to one that waits for in-sync replicas once the
 * last of its partitions has them. So the wait is short, and a partition that needs longer is sent again over a second
 * connection, in requests with others of its kind: a longer wait there delays no other partition, and the bytes need not be
 * sent again each second.
 */
import type { Cluster } from "../wire/cluster.ts";
import { produceRequest } from "../wire/produce_request.ts";
import type { Backlog } from "./backlog.ts";
import type { Leaders } from "./leaders.ts";
import { ACK_TIMEOUT_MS } from "./options.ts";
import type { InFlight, PartitionQueue } from "./partition_queue.ts";
import type { Responses } from "./responses.ts";

const MAX_REQUEST_BYTES = 4_000_000;
/** As {@linkcode ACK_TIMEOUT_MS}, for partitions that have waited so long before. */
const LAGGING_ACK_TIMEOUT_MS = 10_000;

/** See the module. */
export class Sender {
  readonly #cluster: Cluster;
  readonly #backlog: Backlog;
  readonly #leaders: Leaders;
  readonly #responses: Responses;
  readonly #changed: () => void;

  /** @param changed called after each response */
  constructor(cluster: Cluster, backlog: Backlog, leaders: Leaders, responses: Responses, changed: () => void) {
    this.#cluster = cluster;
    this.#backlog = backlog;
    this.#leaders = leaders;
    this.#responses = responses;
    this.#changed = changed;
  }

  /** Sends the first batch of each queue to the broker that leads them. */
  send(leader: number, queues: readonly PartitionQueue[]): void {
    for (const part of splitBySize(queues)) void this.#send(leader, part, false);
  }

  /**
   * Sends the first batches of queues whose replicas lag: as many as one request takes, since the next one would wait for
   * its end.
   *
   * @returns the queues that were sent
   */
  sendLagging(leader: number, queues: readonly PartitionQueue[]): readonly PartitionQueue[] {
    const [part] = splitBySize(queues);
    void this.#send(leader, part!, true);
    return part!;
  }

  async #send(leader: number, queues: readonly PartitionQueue[], isLagging: boolean): Promise<void> {
    const inFlight: InFlight = { leader, sentMs: performance.now(), isLagging, connection: null };
    const { requestTimeoutMs } = this.#cluster;
    for (const queue of queues) {
      queue.inFlight = inFlight;
      queue.leaderEpoch = this.#leaders.epochOf(queue);
    }
    // Without those whose time was over while they were compressed or the connection was opened.
    const sent = () => queues.filter((queue) => queue.inFlight === inFlight);
    try {
      const sealing = queues.map((queue) => queue.head!.bytes.seal(this.#backlog.topicOf(queue).compression));
      if (sealing.some((each) => each !== undefined)) await Promise.all(sealing);
      for (const queue of sent()) queue.stampHead();
      const connection = await this.#cluster.connectionTo(leader, isLagging ? "produce lagging" : "produce");
      inFlight.connection = connection;
      const batches = sent().map((queue) => ({
        topic: queue.topic,
        partition: queue.partition,
        bytes: queue.head!.bytes.sealed!,
      }));
      if (batches.length === 0) return;
      const ackTimeoutMs = Math.min(
        isLagging ? LAGGING_ACK_TIMEOUT_MS : ACK_TIMEOUT_MS,
        Math.floor(requestTimeoutMs / 2),
      );
      const response = await connection.send(produceRequest(batches, ackTimeoutMs), requestTimeoutMs);
      this.#leaders.reached(leader);
      this.#responses.received(sent(), response);
    } catch (error) {
      this.#leaders.avoid(leader);
      this.#responses.failed(sent(), error);
    }
    this.#changed();
  }
}

/** Splits queues so that no request is larger than it may be. */
function splitBySize(queues: readonly PartitionQueue[]): PartitionQueue[][] {
  const parts: PartitionQueue[][] = [[]];
  let bytes = 0;
  for (const queue of queues) {
    const { size } = queue.head!.bytes;
    if (bytes > 0 && bytes + size > MAX_REQUEST_BYTES) {
      parts.push([]);
      bytes = 0;
    }
    bytes += size;
    parts.at(-1)!.push(queue);
  }
  return parts;
}
