/** Says in words why dead letters of a topic cannot be read, for a status and for a list that lacks them. Pure. */
import type { ListedTopic } from "../broker/admin.ts";
import { formatPartition } from "../support/position.ts";

/** Returns a sentence about the letters that cannot be read now, without a full stop; `null` if all of them can. */
export function describeUnreadable(topic: string, { partitions, problem }: ListedTopic): string | null {
  if (problem !== null) return `The dead letters of ${topic} are not known: ${problem}`;
  const [first, ...more] = partitions.filter(({ problem }) => problem !== null);
  if (first === undefined) return null;
  const others = more.length === 0 ? "" : ` and of ${more.length} more of its partitions`;
  return `The dead letters of ${formatPartition({ topic, ...first })}${others} are not known: ${first.problem}`;
}
