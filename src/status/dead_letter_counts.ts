/** Counts the dead letters of topics, and those that were neither requeued nor dismissed. */
import type { ListedTopic } from "../broker/broker.ts";
import { readMarkersOf } from "../dead_letters/marker_topic.ts";
import { handledTopicName } from "../routing/handled_topic.ts";
import { forEachLimited } from "../support/for_each_limited.ts";
import type { AskAdmin, Deadline } from "./ask.ts";
import type { DeadLetterCounts } from "./status.ts";

/** Most markers that are read of one dead letter topic for one status. */
const MAX_MARKERS = 20_000;

/** Topics of markers that are read at a time. */
const CONCURRENCY = 8;

/**
 * Counts dead letters. A topic of which something is not known has `null` there.
 *
 * @param topics the full names of the dead letter topics
 * @param listed the ends of these topics and of the topics of their markers
 */
export async function countDeadLetters(
  ask: AskAdmin,
  deadline: Deadline,
  topics: Iterable<string>,
  listed: ReadonlyMap<string, ListedTopic | null>,
): Promise<Map<string, DeadLetterCounts>> {
  const counts = new Map<string, DeadLetterCounts>();
  await forEachLimited(topics, CONCURRENCY, async (topic) => {
    const total = sizeOf(listed.get(topic));
    const handled = total === 0 ? 0 : await countHandled(topic);
    const unhandled = total === null || handled === null ? null : total - handled;
    counts.set(topic, { topic, total, unhandled });
  });
  return counts;

  async function countHandled(topic: string): Promise<number | null> {
    const letters = listed.get(topic);
    const markers = listed.get(handledTopicName(topic));
    if (letters == null || markers === undefined) return null;
    const size = sizeOf(markers);
    if (size === null || size > MAX_MARKERS) return null;
    if (size === 0) return 0;
    const ends = letters.partitions.map(({ partition, low, high }) => ({ partition, low: low!, high: high! }));
    const partitions = markers!.partitions.filter(({ low, high }) => low !== high).map(({ partition }) => partition);
    const read = await ask((admin) => readMarkersOf(admin, topic, ends, partitions, deadline.signal));
    return read.value?.size ?? null;
  }
}

/** Returns the number of offsets of a topic; 0 for one that does not exist, `null` if it is not known. */
function sizeOf(topic: ListedTopic | null | undefined): number | null {
  if (topic === null) return 0;
  if (topic === undefined || topic.problem !== null) return null;
  let size = 0;
  for (const { low, high } of topic.partitions) {
    if (low === null || high === null) return null;
    size += high - low;
  }
  return size;
}
