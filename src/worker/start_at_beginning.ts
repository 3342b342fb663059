/**
 * Reports that a group without committed offsets starts on a log that is not empty. The group may be new, or its jobs may
 * have been performed already: then they run again.
 */
import type { BrokerAdmin, Ownership } from "../broker/broker.ts";
import type { Monitor } from "../monitor/monitor.ts";

/**
 * Emits `group.started_at_beginning`, once, if a new ownership without a commit has records. It never rejects: a broker
 * that does not respond is reported elsewhere.
 *
 * @param added the new ownerships of the group
 */
export async function emitStartAtBeginning(
  admin: Pick<BrokerAdmin, "ends">,
  monitor: Monitor,
  group: string,
  added: readonly Ownership[],
): Promise<void> {
  const byTopic = Map.groupBy(added.filter(({ committed }) => committed === null), ({ topic }) => topic);
  const found = await Promise.allSettled(Array.from(byTopic, async ([topic, ownerships]) => {
    const ends = await admin.ends(topic);
    return ownerships.flatMap(({ partition }) => {
      const { low, high } = ends.find((each) => each.partition === partition)!;
      return high > low ? [{ topic, partition, offset: low, records: high - low }] : [];
    });
  }));
  const partitions = found.flatMap((each) => each.status === "fulfilled" ? each.value : []);
  if (partitions.length > 0) monitor.emit("group.started_at_beginning", { group, partitions });
}
