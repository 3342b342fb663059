/** The producer id of a producer: asked for when a queue first needs one, and again when its epochs are used up. */
import { sleep } from "../../../support/deadline.ts";
import type { Cluster } from "../wire/cluster.ts";
import { Code, ProtocolError } from "../wire/errors.ts";
import { initProducerId } from "../wire/requests.ts";
import { isHopeless } from "./append_errors.ts";
import type { Backlog } from "./backlog.ts";
import type { PartitionQueue } from "./partition_queue.ts";

const RETRY_MS = 100;

/** See the module. */
export class ProducerId {
  readonly #cluster: Cluster;
  readonly #backlog: Backlog;
  readonly #signal: AbortSignal;
  readonly #changed: () => void;
  #id: bigint | null = null;
  #isAsking = false;

  /** @param changed called after each response */
  constructor(cluster: Cluster, backlog: Backlog, signal: AbortSignal, changed: () => void) {
    this.#cluster = cluster;
    this.#backlog = backlog;
    this.#signal = signal;
    this.#changed = changed;
  }

  /** Gives a queue the id if it needs one, and asks for the id where there is none. @returns whether the queue has one */
  assign(queue: PartitionQueue): boolean {
    if (!queue.needsProducerId) return true;
    if (this.#id !== null && queue.useProducerId(this.#id)) return true;
    void this.#ask();
    return false;
  }

  async #ask(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    try {
      const { errorCode, producerId } = await this.#cluster.ask(initProducerId());
      if (errorCode !== Code.none) throw new ProtocolError("InitProducerId", errorCode);
      this.#id = BigInt(producerId);
    } catch (error) {
      this.#backlog.noteProblem((error as Error).message);
      if (isHopeless(error)) this.#backlog.refuseAll(error);
      await sleep(RETRY_MS, this.#signal);
    }
    this.#isAsking = false;
    this.#changed();
  }
}
