/**
 * The topic of markers of one dead letter topic, as it is at this moment: it is read whole. In memory it has at most one entry
 * for each dead letter that is in the log, whatever the topic of markers holds.
 */
import type { BrokerAdmin, PartitionEnds } from "../broker/admin.ts";
import { keepsNewest } from "../broker/cleanup_policy.ts";
import { InvalidConfigurationError, UnknownTopicError } from "../errors.ts";
import { handledTopicName } from "../routing/handled_topic.ts";
import type { Position, TopicPartition } from "../support/position.ts";
import { type DeadLetterHandling, readMarker } from "./marker.ts";
import { readForward } from "../broker/read_forward.ts";

/** The parts that reading markers needs. */
interface MarkersOptions {
  readonly admin: Pick<BrokerAdmin, "read">;
  /** The full name of the dead letter topic. */
  readonly topic: string;
  /** The ends of its partitions: markers of other dead letters are not kept. */
  readonly ends: readonly PartitionEnds[];
  /** The partitions of the topic of markers. */
  readonly partitions: readonly number[];
  readonly signal?: AbortSignal | undefined;
}

/** The markers of one dead letter topic. */
export class Markers {
  readonly #options: MarkersOptions;
  readonly #ends: ReadonlyMap<number, PartitionEnds>;
  readonly #byPartition = new Map<number, Map<number, DeadLetterHandling>>();
  /** The positions at which the next reading begins, by partition of the topic of markers. */
  readonly #next = new Map<number, number>();

  constructor(options: MarkersOptions) {
    this.#options = options;
    this.#ends = new Map(options.ends.map((end) => [end.partition, end]));
  }

  /** The number of dead letters that were handled. */
  get size(): number {
    return this.#byPartition.values().reduce((sum, offsets) => sum + offsets.size, 0);
  }

  /** Returns how a dead letter was handled. */
  find({ partition, offset }: Position): DeadLetterHandling | null {
    return this.#byPartition.get(partition)?.get(offset) ?? null;
  }

  /** Notes how a dead letter was handled. */
  set({ partition, offset }: Position, handling: DeadLetterHandling): void {
    let offsets = this.#byPartition.get(partition);
    if (offsets === undefined) this.#byPartition.set(partition, offsets = new Map());
    offsets.set(offset, handling);
  }

  /** Reads those that were written since the last reading: other processes handle dead letters, too. */
  async read(): Promise<void> {
    const { admin, topic, partitions, signal } = this.#options;
    const marker = handledTopicName(topic);
    for (const partition of partitions) {
      const from = this.#next.get(partition) ?? 0;
      for await (const records of readForward(admin, { topic: marker, partition }, { from, signal })) {
        for (const record of records) {
          const read = readMarker(record);
          if (read?.position.topic !== topic || !isIn(this.#ends, read.position)) continue;
          this.set(read.position, read.handling);
        }
        this.#next.set(partition, records.at(-1)!.offset + 1);
      }
    }
  }
}

/**
 * Reads the markers of a dead letter topic.
 *
 * @param ends the ends of its partitions: markers of other dead letters are not kept
 * @returns none if the topic of markers does not exist
 */
export async function readMarkers(
  admin: Pick<BrokerAdmin, "describe" | "read">,
  topic: string,
  ends: readonly PartitionEnds[],
): Promise<Markers> {
  const marker = handledTopicName(topic);
  const partitions = (await admin.describe([marker])).get(marker)?.partitions ?? 0;
  return await readMarkersOf(admin, topic, ends, Array.from({ length: partitions }, (_, partition) => partition));
}

/** The same, of some partitions of the topic of markers, which must exist. */
export async function readMarkersOf(
  admin: Pick<BrokerAdmin, "read">,
  topic: string,
  ends: readonly PartitionEnds[],
  partitions: readonly number[],
  signal?: AbortSignal,
): Promise<Markers> {
  const markers = new Markers({ admin, topic, ends, partitions, signal });
  await markers.read();
  return markers;
}

/**
 * Checks that markers can be written.
 *
 * @throws {UnknownTopicError} if the topic of markers does not exist
 * @throws {InvalidConfigurationError} if it would forget them
 */
export async function assertMarkable(admin: Pick<BrokerAdmin, "describe">, topic: string): Promise<void> {
  const name = handledTopicName(topic);
  const found = (await admin.describe([name])).get(name);
  if (found == null) {
    throw new UnknownTopicError(
      `The broker has no topic "${name}", which marks the dead letters of "${topic}" as handled: create it with ` +
        `"topics apply"`,
    );
  }
  if (keepsNewest(found.config)) return;
  throw new InvalidConfigurationError(
    `No dead letter can be marked in topic "${name}": its cleanup.policy must be "compact", or markers are lost`,
  );
}

function isIn(ends: ReadonlyMap<number, PartitionEnds>, { partition, offset }: TopicPartition & Position): boolean {
  const end = ends.get(partition);
  return end !== undefined && offset >= end.low && offset < end.high;
}
