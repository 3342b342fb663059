/**
 * `--once`: performs the records that are in the log at the start, then ends.
 *
 * 1. The broker returns the end of each partition: the targets.
 * 2. A target is reached when the group has finished everything before it, whichever worker performed it.
 * 3. The drain ends when every target is reached, or when the partitions of all others are stuck or paused: they wait for
 *    an operator and would never reach it.
 *
 * A partition that another worker owns is known only by its commits, whose metadata names the stuck records. The other
 * worker may have died, and then this one gets the partition when the session of the other has expired. So the partition
 * counts as stuck only if the other worker shows that it lives, by a commit after another try, or if nothing has changed
 * for `sessionTimeoutMs`.
 */
import type { Broker } from "../broker/broker.ts";
import type { Route } from "../routing/route.ts";
import { sleep } from "../support/deadline.ts";
import { formatPartition, type Position } from "../support/position.ts";
import type { WorkerControl } from "./control.ts";
import type { GroupConsumer } from "./group_consumer.ts";
import { decodeCommitMetadata } from "./partition/commit_metadata.ts";
import type { PartitionHandler } from "./partition/handler.ts";

/** The time between two looks at the partitions, in milliseconds: short at first, since a small backlog ends soon. */
const FIRST_LOOK_MS = 1;
const LOOK_MS = 20;
/** The time between two requests for the commits of other workers, in milliseconds. */
const ASK_MS = 500;

/** The parts of a worker that a drain needs. */
export interface DrainOptions {
  readonly broker: Broker;
  readonly routes: readonly Route[];
  readonly groups: readonly Pick<GroupConsumer, "partitions">[];
  readonly control: Pick<WorkerControl, "pauseOf">;
  readonly sessionTimeoutMs: number;
}

/** One partition and the end of its log at the start of the drain. */
interface Target {
  readonly route: Route;
  readonly partition: number;
  readonly high: number;
}

/** The progress of a target: reached, left to an operator, or neither. */
interface TargetProgress {
  readonly isReached: boolean;
  /** Whether it cannot be reached before an operator helps. */
  readonly isLeft: boolean;
  /** The records that wait for an operator; empty if the target is reached, or paused. */
  readonly stuck: readonly Position[];
}

const REACHED: TargetProgress = { isReached: true, isLeft: false, stuck: [] };
const OPEN: TargetProgress = { isReached: false, isLeft: false, stuck: [] };
const PAUSED: TargetProgress = { isReached: false, isLeft: true, stuck: [] };

/**
 * Waits until everything that is in the log now is performed.
 *
 * @param signal ends the wait
 * @returns the records that wait for an operator; empty if everything is performed
 */
export async function drain(options: DrainOptions, signal: AbortSignal): Promise<Position[]> {
  const { broker, routes, groups, control } = options;
  const others = new OtherWorkers(broker, options.sessionTimeoutMs);
  let open = await findTargets(broker, routes);
  let lookMs = FIRST_LOOK_MS;
  while (open.length > 0 && !signal.aborted) {
    const partitions = groups.flatMap((group) => group.partitions());
    const owned = new Map(partitions.map((each) => [formatPartition(each.ownership), each]));
    const ownerOf = ({ route: { topic }, partition }: Target) => owned.get(formatPartition({ topic, partition }));
    await others.refresh(open.filter((target) => ownerOf(target) === undefined));
    const progress = open.map((target) => {
      const partition = ownerOf(target);
      const found = partition === undefined ? others.progressOf(target) : ownProgress(partition, target);
      if (found.isReached || control.pauseOf(target.route.topic, target.partition) === null) return found;
      return partition === undefined || partition.running().length === 0 ? PAUSED : found;
    });
    open = open.filter((_, index) => !progress[index]!.isReached);
    const left = progress.filter((each) => each.isLeft);
    if (open.length === left.length) return left.flatMap((each) => each.stuck);
    await sleep(lookMs, signal);
    lookMs = Math.min(lookMs * 2, LOOK_MS);
  }
  return [];
}

/** The ends of the partitions that have records which the group has not finished. */
async function findTargets(broker: Broker, routes: readonly Route[]): Promise<Target[]> {
  const targets: Target[] = [];
  for (const route of routes) {
    const ends = await broker.admin.ends(route.topic);
    for (const { partition, low, high } of ends) if (high > low) targets.push({ route, partition, high });
  }
  const commits = await readCommits(broker, targets);
  return targets.filter((target) => (commits.get(target)?.offset ?? -1) < target.high);
}

function ownProgress(partition: PartitionHandler, { high }: Target): TargetProgress {
  if ((partition.front ?? -1) >= high) return REACHED;
  if (!partition.isStuckBefore(high)) return OPEN;
  return {
    isReached: false,
    isLeft: true,
    stuck: partition.stuck().map(({ topic, partition, offset }) => ({ topic, partition, offset })),
  };
}

/** A committed offset and its metadata. */
interface Commit {
  readonly offset: number;
  readonly metadata: string;
}

/** The progress of the partitions that other workers own, as far as their commits tell. */
class OtherWorkers {
  readonly #broker: Broker;
  readonly #sessionTimeoutMs: number;
  readonly #progress = new Map<Target, TargetProgress>();
  /** The first commit that names stuck records after which no other record was finished, and when it was read. */
  readonly #stuckSince = new Map<
    Target,
    { readonly finished: string; readonly metadata: string; readonly sinceMs: number }
  >();
  #askedMs = -Infinity;

  constructor(broker: Broker, sessionTimeoutMs: number) {
    this.#broker = broker;
    this.#sessionTimeoutMs = sessionTimeoutMs;
  }

  /** Asks the broker for the commits of these targets, unless it was asked a moment ago. */
  async refresh(targets: readonly Target[]): Promise<void> {
    if (targets.length === 0 || performance.now() - this.#askedMs < ASK_MS) return;
    const commits = await readCommits(this.#broker, targets);
    this.#askedMs = performance.now();
    for (const target of targets) this.#progress.set(target, this.#read(target, commits.get(target)));
  }

  /** Returns the progress as of the last response of the broker. */
  progressOf(target: Target): TargetProgress {
    return this.#progress.get(target) ?? OPEN;
  }

  #read(target: Target, commit: Commit | undefined): TargetProgress {
    if (commit === undefined) return OPEN;
    if (commit.offset >= target.high) return REACHED;
    const { offset, metadata } = commit;
    const progress = decodeCommitMetadata(metadata, offset);
    const finished = JSON.stringify([offset, progress.stuck, progress.finished]);
    const since = this.#stuckSince.get(target);
    if (progress.stuck.length === 0) this.#stuckSince.delete(target);
    else if (since?.finished !== finished) {
      this.#stuckSince.set(target, { finished, metadata, sinceMs: this.#askedMs });
    } else if (metadata !== since.metadata || this.#askedMs - since.sinceMs >= this.#sessionTimeoutMs) {
      const { partition, route: { topic } } = target;
      return {
        isReached: false,
        isLeft: true,
        stuck: progress.stuck.map((stuck) => ({ topic, partition, offset: stuck })),
      };
    }
    return OPEN;
  }
}

/** Reads what the group has committed for these targets; those without a commit are absent. */
async function readCommits(broker: Broker, targets: readonly Target[]): Promise<Map<Target, Commit>> {
  const commits = new Map<Target, Commit>();
  for (const [route, ofTopic] of Map.groupBy(targets, (target) => target.route)) {
    const committed = await broker.admin.committed(route.group, route.topic);
    const byPartition = new Map(committed.map((each) => [each.partition, each]));
    for (const target of ofTopic) {
      const { offset = null, metadata = "" } = byPartition.get(target.partition) ?? {};
      if (offset !== null) commits.set(target, { offset, metadata });
    }
  }
  return commits;
}
