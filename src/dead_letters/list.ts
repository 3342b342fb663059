/**
 * Lists dead letters, newest first, without a group. Each partition is read backwards in windows of offsets, and the letters of
 * all partitions are merged by time: the newest fifty of a million cost the last window of each partition.
 *
 * Letters of a partition are in the order of the log, whatever their times are: the clocks of workers differ.
 */
import type { BrokerAdmin, PartitionEnds } from "../broker/admin.ts";
import { BrokerError } from "../errors.ts";
import { handledTopicName } from "../routing/handled_topic.ts";
import type { Position, TopicPartition } from "../support/position.ts";
import { type DeadLetter, readLetter } from "./letter.ts";
import { type Markers, readMarkers } from "./marker_topic.ts";
import { readForward } from "../broker/read_forward.ts";
import { type DeadLetterListOptions, earliestMs, filterOf, type IsSelected } from "./selection.ts";
import { describeUnreadable } from "./unreadable.ts";

/** The number of offsets in the first window, and in the largest one. */
const FIRST_WINDOW = 100;
const LARGEST_WINDOW = 1000;

/** The parts that listing needs. */
export interface ListContext {
  readonly admin: Pick<BrokerAdmin, "describe" | "ends" | "listEnds" | "read">;
  /** The full names of the dead letter topics. */
  readonly topics: readonly string[];
  /** A larger value is not parsed. */
  readonly maxPayloadBytes: number;
}

/** Lists a page. */
export async function listDeadLetters(
  { admin, topics, maxPayloadBytes }: ListContext,
  options: DeadLetterListOptions,
): Promise<DeadLetter[]> {
  const { limit = 50, unhandled = false, after, onPartial } = options;
  const isSelected = filterOf(options, maxPayloadBytes);
  const sinceMs = earliestMs(options.since);
  let read = 0;
  let total = 0;
  const onRead = (count: number) => options.onProgress?.({ read: read += count, total });
  const readers: BackwardReader[] = [];
  const endsOf = onPartial === undefined
    ? (topic: string) => admin.ends(topic)
    : await listReadable(admin, topics, onPartial);
  for (const topic of topics) {
    const ends = await endsOf(topic);
    const markers = await readMarkers(admin, topic, ends);
    for (const { low, high } of ends) total += high - low;
    readers.push(
      ...ends.map((end) =>
        new BackwardReader(admin, { topic, ...end }, {
          markers,
          unhandled,
          isSelected,
          sinceMs,
          maxPayloadBytes,
          onRead,
        })
      ),
    );
  }
  if (after !== undefined) await Promise.all(readers.map((reader) => reader.skipTo(after)));
  const page: DeadLetter[] = [];
  while (page.length < limit) {
    // A wait for each of 10,000 letters took as long as reading them.
    const empty = readers.filter(({ mustRead }) => mustRead);
    if (empty.length > 0) await Promise.all(empty.map((reader) => reader.peek()));
    const newest = findNewest(readers);
    if (newest === null) break;
    page.push(newest.take());
  }
  return page;
}

/**
 * Looks which partitions can be read now.
 *
 * @returns the ends of those of a topic
 * @throws {BrokerError} if markers cannot be read: each letter may have been handled
 */
async function listReadable(
  admin: Pick<BrokerAdmin, "ends" | "listEnds">,
  topics: readonly string[],
  onPartial: (problem: string) => void,
): Promise<(topic: string) => Promise<readonly PartitionEnds[]>> {
  const listed = await admin.listEnds(topics.flatMap((topic) => [topic, handledTopicName(topic)]));
  return async (topic) => {
    const found = listed.get(topic) ?? null;
    const markers = listed.get(handledTopicName(topic));
    // It does not exist, and the error is that of any other list.
    if (found === null) return await admin.ends(topic);
    const marker = markers?.partitions.find(({ problem }) => problem !== null);
    const ofMarkers = markers?.problem ?? marker?.problem ?? null;
    if (ofMarkers !== null) throw new BrokerError(`Cannot read topic "${handledTopicName(topic)}": ${ofMarkers}`);
    const unreadable = describeUnreadable(topic, found);
    if (unreadable !== null) onPartial(unreadable);
    return found.partitions.flatMap(({ partition, low, high }) =>
      low === null || high === null ? [] : [{ partition, low, high }]
    );
  };
}

interface ReaderOptions {
  readonly markers: Markers;
  /** Whether letters that were handled are passed over. */
  readonly unhandled: boolean;
  readonly isSelected: IsSelected;
  readonly sinceMs: number | null;
  readonly maxPayloadBytes: number;
  /** Called after each window, with the number of its letters. */
  readonly onRead: (count: number) => void;
}

/** Returns the reader whose next letter is the newest; `null` if none has a letter. */
function findNewest(readers: readonly BackwardReader[]): BackwardReader | null {
  let newest: BackwardReader | null = null;
  for (const reader of readers) {
    if (reader.next !== null && (newest === null || compare(reader.next, newest.next!) < 0)) newest = reader;
  }
  return newest;
}

/** Reads the selected letters of one partition, newest first. */
class BackwardReader {
  readonly #admin: Pick<BrokerAdmin, "read">;
  readonly #at: TopicPartition;
  readonly #low: number;
  readonly #options: ReaderOptions;
  /** The letters of the window, oldest first. */
  #letters: DeadLetter[] = [];
  /** The end of what is not read yet. */
  #end: number;
  #size = FIRST_WINDOW;

  constructor(admin: Pick<BrokerAdmin, "read">, { topic, partition, low, high }: Ends, options: ReaderOptions) {
    this.#admin = admin;
    this.#at = { topic, partition };
    this.#low = low;
    this.#end = high;
    this.#options = options;
  }

  /** Whether `peek` has to read. */
  get mustRead(): boolean {
    return this.#letters.length === 0 && this.#end > this.#low;
  }

  /** The next letter, as far as the log was read. */
  get next(): DeadLetter | null {
    return this.#letters.at(-1) ?? null;
  }

  /** Returns the next letter, which stays; `null` if there are no more. */
  async peek(): Promise<DeadLetter | null> {
    while (this.mustRead) await this.#readWindow();
    return this.next;
  }

  /** Takes the letter that `peek` has returned. */
  take(): DeadLetter {
    return this.#letters.pop()!;
  }

  /** Passes over the letters up to a letter of the list, and that letter. */
  async skipTo(after: Place): Promise<void> {
    if (after.topic === this.#at.topic && after.partition === this.#at.partition) {
      this.#end = Math.min(this.#end, after.offset);
      return;
    }
    for (let head = await this.peek(); head !== null && compare(head, after) < 0; head = await this.peek()) this.take();
  }

  #isHandled(offset: number): boolean {
    return this.#options.markers.find({ ...this.#at, offset }) !== null;
  }

  async #readWindow(): Promise<void> {
    const { markers, unhandled, isSelected, sinceMs, maxPayloadBytes } = this.#options;
    // They need no reading: after thousands were requeued, the next ones are as near as the newest were.
    while (unhandled && this.#end > this.#low && this.#isHandled(this.#end - 1)) this.#end--;
    const start = Math.max(this.#low, this.#end - this.#size);
    let isPast = sinceMs !== null;
    let count = 0;
    for await (const records of readForward(this.#admin, this.#at, { from: start, to: this.#end })) {
      for (const record of records) {
        count++;
        if (record.timestampMs >= (sinceMs ?? 0)) isPast = false;
        if (unhandled && this.#isHandled(record.offset)) continue;
        if (!isSelected(record)) continue;
        const at = { ...this.#at, offset: record.offset };
        this.#letters.push(readLetter(record, at, markers.find(at), maxPayloadBytes));
      }
    }
    // Records before a whole window that is too old are older still: clocks do not differ that much.
    this.#end = isPast && count > 0 ? this.#low : start;
    this.#size = Math.min(LARGEST_WINDOW, this.#size * 2);
    this.#options.onRead(count);
  }
}

interface Ends extends PartitionEnds {
  readonly topic: string;
}

type Place = Position & Pick<DeadLetter, "deadLetteredAt">;

/** Compares two letters of different partitions: the newer one first. */
function compare(a: Place, b: Place): number {
  return (b.deadLetteredAt?.getTime() ?? 0) - (a.deadLetteredAt?.getTime() ?? 0) ||
    (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition);
}
