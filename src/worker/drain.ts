/**
 * `--once`: perform what is there, then end. What is there is asked of the broker at the start, as one position a
 * partition; the worker has drained it when the group is at or beyond each of them, whoever performed it.
 *
 * A partition that pauses for an operator will not get there: once only such ones are left, the drain ends too.
 */
import type { Broker } from "../broker/broker.ts";
import type { Route } from "../routing/route.ts";
import type { GroupConsumer } from "./group_consumer.ts";
import { formatPartition, type Position } from "../support/position.ts";
import { clearTimeout, setTimeout } from "../support/timers.ts";

/** How often the partitions are looked at, in milliseconds: soon at first, since a short backlog is gone in no time. */
const FIRST_LOOK_MS = 1;
const LOOK_MS = 20;
/** How often the group's offsets are asked for where another worker owns a partition, in milliseconds. */
const ASK_MS = 500;

interface Target {
  readonly route: Route;
  readonly partition: number;
  readonly high: number;
}

/**
 * Waits until what is there now is performed.
 *
 * @param signal ends the wait
 * @returns the records at which partitions wait for an operator; empty where all is performed
 */
export async function drained(
  broker: Broker,
  routes: readonly Route[],
  groups: readonly GroupConsumer[],
  signal: AbortSignal,
): Promise<Position[]> {
  let open = await targets(broker, routes);
  let askedMs = -Infinity;
  let lookMs = FIRST_LOOK_MS;
  while (open.length > 0 && !signal.aborted) {
    const partitions = groups.flatMap((group) => group.partitions());
    const owned = new Map(partitions.map((each) => [formatPartition(each.ownership), each]));
    const stuck: Position[] = [];
    const foreign: Target[] = [];
    const rest: Target[] = [];
    for (const target of open) {
      const partition = owned.get(formatPartition({ topic: target.route.topic, partition: target.partition }));
      if (partition === undefined) foreign.push(target);
      else if (partition.stuck().length > 0) stuck.push(...partition.stuck().map(positionOf));
      else if ((partition.front ?? -1) >= target.high) continue;
      rest.push(target);
    }
    open = rest;
    if (stuck.length > 0 && stuck.length === open.length) return stuck;
    if (foreign.length > 0 && performance.now() - askedMs > ASK_MS) {
      const reached = await reachedByOthers(broker, foreign);
      open = open.filter((target) => !reached.has(target));
      askedMs = performance.now();
    }
    if (open.length > 0) await pause(lookMs, signal);
    lookMs = Math.min(lookMs * 2, LOOK_MS);
  }
  return [];
}

function positionOf({ topic, partition, offset }: Position): Position {
  return { topic, partition, offset };
}

async function targets(broker: Broker, routes: readonly Route[]): Promise<Target[]> {
  const found: Target[] = [];
  for (const route of routes) {
    for (const { partition, low, high } of await broker.admin.ends(route.topic)) {
      if (high > low) found.push({ route, partition, high });
    }
  }
  const reached = await reachedByOthers(broker, found);
  return found.filter((target) => !reached.has(target));
}

async function reachedByOthers(broker: Broker, targets: readonly Target[]): Promise<Set<Target>> {
  const reached = new Set<Target>();
  for (const [route, ofTopic] of Map.groupBy(targets, (target) => target.route)) {
    const committed = await broker.admin.committed(route.group, route.topic);
    const offsets = new Map(committed.map(({ partition, offset }) => [partition, offset ?? -1]));
    for (const target of ofTopic) {
      if ((offsets.get(target.partition) ?? -1) >= target.high) reached.add(target);
    }
  }
  return reached;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}
