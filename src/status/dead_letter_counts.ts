/** Counts the dead letters of topics, and those that were neither requeued nor dismissed. */
import type { ListedTopic } from "../broker/broker.ts";
import { readMarkersOf } from "../dead_letters/marker_topic.ts";
import { describeUnreadable } from "../dead_letters/unreadable.ts";
import { handledTopicName } from "../routing/handled_topic.ts";
import { formatCount } from "../support/count.ts";
import { forEachLimited } from "../support/for_each_limited.ts";
import type { Answer, AskAdmin, Deadline } from "./ask.ts";
import type { DeadLetterCounts } from "./status.ts";

/** Most markers that are read of one dead letter topic for one status. */
const MAX_MARKERS = 20_000;

/** Topics of markers that are read at a time. */
const CONCURRENCY = 8;

/** Most topics with a note: an App may have a dead letter topic for each of its topics. */
const MAX_NOTES = 5;

/** The counts of dead letter topics. */
export interface CountedDeadLetters {
  /** The counts, by topic: `null` for a number that is not known. */
  readonly counts: ReadonlyMap<string, DeadLetterCounts>;
  /** Sentences on the numbers that are not known, with the reasons. */
  readonly notes: readonly string[];
}

/**
 * Counts dead letters.
 *
 * @param topics the full names of the dead letter topics
 * @param listed the ends of these topics and of the topics of their markers; `null` if no topic could be asked for: the status
 * of each topic has the reason then
 */
export async function countDeadLetters(
  ask: AskAdmin,
  deadline: Deadline,
  topics: Iterable<string>,
  listed: ReadonlyMap<string, ListedTopic | null> | null,
): Promise<CountedDeadLetters> {
  const counts = new Map<string, DeadLetterCounts>();
  const notes: string[] = [];
  await forEachLimited(topics, CONCURRENCY, async (topic) => {
    const unknown = { topic, total: null, unhandled: null };
    if (listed === null) return void counts.set(topic, unknown);
    const letters = listed.get(topic) ?? null;
    const problem = letters === null
      ? `The dead letters of ${topic} are not known: it does not exist: create it with "topics apply"`
      : describeUnreadable(topic, letters);
    if (problem !== null) {
      notes.push(`${problem}.`);
      return void counts.set(topic, unknown);
    }
    const total = sizeOf(letters!);
    const handled = total === 0
      ? NONE
      : await countHandled(topic, letters!, listed.get(handledTopicName(topic)) ?? null);
    if (handled.problem !== null) {
      notes.push(`The dead letters of ${topic} that were handled are not known: ${handled.problem}.`);
    }
    counts.set(topic, { topic, total, unhandled: handled.value === null ? null : total - handled.value });
  });
  const more = notes.sort().splice(MAX_NOTES).length;
  if (more > 0) notes.push(`Neither are those of ${formatCount(more)} more dead letter topics.`);
  return { counts, notes };

  async function countHandled(
    topic: string,
    letters: ListedTopic,
    markers: ListedTopic | null,
  ): Promise<Answer<number>> {
    if (markers === null) return NONE;
    const problem = markers.problem ?? markers.partitions.find(({ problem }) => problem !== null)?.problem;
    if (problem != null) return { value: null, problem };
    const size = sizeOf(markers);
    if (size === 0) return NONE;
    if (size > MAX_MARKERS) {
      return { value: null, problem: `there are more than ${formatCount(MAX_MARKERS)} markers` };
    }
    const ends = letters.partitions.map(({ partition, low, high }) => ({ partition, low: low!, high: high! }));
    const partitions = markers.partitions.filter(({ low, high }) => low !== high).map(({ partition }) => partition);
    return await ask(async (admin) => (await readMarkersOf(admin, topic, ends, partitions, deadline.signal)).size);
  }
}

const NONE: Answer<number> = { value: 0, problem: null };

/** Returns the number of offsets of a topic whose partitions are known. */
function sizeOf({ partitions }: ListedTopic): number {
  return partitions.reduce((size, { low, high }) => size + high! - low!, 0);
}
