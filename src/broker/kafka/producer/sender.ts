/** Sends the first batches of queues to their leader: sealed, stamped, in requests of a limited size. */
import type { Cluster } from "../wire/cluster.ts";
import type { Connection } from "../wire/connection.ts";
import { produceRequest } from "../wire/produce_request.ts";
import type { Backlog } from "./backlog.ts";
import type { Leaders } from "./leaders.ts";
import type { PartitionQueue } from "./partition_queue.ts";
import type { Responses } from "./responses.ts";

const MAX_REQUEST_BYTES = 4_000_000;
/** Longest time that a broker waits for the in-sync replicas, in milliseconds. */
const ACK_TIMEOUT_MS = 30_000;

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
    for (const part of splitBySize(queues)) void this.#send(leader, part);
  }

  async #send(leader: number, queues: readonly PartitionQueue[]): Promise<void> {
    const inFlight = { leader, sentMs: performance.now(), connection: null as Connection | null };
    for (const queue of queues) queue.inFlight = inFlight;
    // Without those whose time was over while they were compressed or the connection was opened.
    const sent = () => queues.filter((queue) => queue.inFlight === inFlight);
    try {
      const sealing = queues.map((queue) => queue.head!.bytes.seal(this.#backlog.topicOf(queue).compression));
      if (sealing.some((each) => each !== undefined)) await Promise.all(sealing);
      for (const queue of sent()) queue.stampHead();
      const connection = await this.#cluster.connectionTo(leader, "produce");
      inFlight.connection = connection;
      const batches = sent().map((queue) => ({
        topic: queue.topic,
        partition: queue.partition,
        bytes: queue.head!.bytes.sealed!,
      }));
      if (batches.length === 0) return;
      const response = await connection.send(produceRequest(batches, ACK_TIMEOUT_MS), this.#cluster.requestTimeoutMs);
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
