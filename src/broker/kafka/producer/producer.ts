/**
 * The idempotent producer of a client.
 *
 *     append ──▶ placed: a partition's queue ──▶ sealed and stamped ──▶ sent ──▶ acknowledged
 *                                                     ▲                  │
 *                                                     └── wait, again ◀──┴── refused, halved, given up
 *
 * - A partition has one batch in flight; the first batches of all partitions that one broker leads travel in one request.
 * - A partition that waits for its in-sync replicas goes out in requests, and over a connection, for its kind.
 * - A batch is sent again, byte for byte, until the broker acknowledges it, refuses it for good, or the delivery timeout of
 *   its calls is over. Given up while it may be in the log, its partition goes on under the next epoch, and a batch that
 *   still arrives is refused.
 * - The response of a leader that is silent for half a second is not waited for once another broker leads the partition.
 * - While a leader cannot be reached the cluster is asked for another one, and the wait of its batches ends once there is one.
 *
 * One function decides what is due (`#pump`); it runs after each call, each response, and when the next deadline is over.
 */
import type { AppendOptions, AppendOutcome, NewRecord } from "../../broker.ts";
import type { Cluster } from "../wire/cluster.ts";
import { AppendCall } from "./append_call.ts";
import { Backlog } from "./backlog.ts";
import { Expiry } from "./expiry.ts";
import { Leaders } from "./leaders.ts";
import type { ProducerOptions } from "./options.ts";
import type { PartitionQueue } from "./partition_queue.ts";
import { ProducerId } from "./producer_id.ts";
import { Responses } from "./responses.ts";
import { Sender } from "./sender.ts";
import { TopicRefresh } from "./topic_refresh.ts";

/** A leader that is silent for so long may have lost its place, in milliseconds. */
const SLOW_MS = 500;

/** See the module. */
export class Producer {
  readonly #options: ProducerOptions;
  readonly #leaders: Leaders;
  readonly #backlog: Backlog;
  readonly #expiry: Expiry;
  readonly #producerId: ProducerId;
  readonly #topicRefresh: TopicRefresh;
  readonly #sender: Sender;
  #isPumpDue = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerMs = Infinity;
  readonly #closing = new AbortController();

  constructor(cluster: Cluster, options: ProducerOptions) {
    const { signal } = this.#closing;
    const pump = () => this.#pump();
    this.#options = options;
    this.#leaders = new Leaders(cluster);
    this.#backlog = new Backlog(this.#leaders);
    this.#expiry = new Expiry(this.#backlog, this.#leaders, options.deliveryTimeoutMs);
    this.#producerId = new ProducerId(cluster, this.#backlog, signal, pump);
    this.#topicRefresh = new TopicRefresh(cluster, this.#backlog, options, signal, pump);
    const responses = new Responses(this.#backlog, this.#topicRefresh, signal, pump);
    this.#sender = new Sender(cluster, this.#backlog, this.#leaders, responses, pump);
  }

  /** Appends to one topic. Never rejects. */
  append(
    name: string,
    records: readonly NewRecord[],
    { compression, settled }: AppendOptions = {},
  ): Promise<readonly AppendOutcome[]> {
    const call = new AppendCall(records, this.#options.deliveryTimeoutMs, settled);
    this.#backlog.add(name, call, compression);
    this.#pumpSoon();
    return call.done;
  }

  /** Gives up what is pending, at once. */
  close(): void {
    this.#closing.abort();
    clearTimeout(this.#timer);
    this.#backlog.abandon("it was not acknowledged before the broker was closed");
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  #pumpSoon(): void {
    if (this.#isPumpDue || this.#isClosed) return;
    this.#isPumpDue = true;
    queueMicrotask(() => {
      this.#isPumpDue = false;
      this.#pump();
    });
  }

  /** Pumps again at this time; never, where nothing is due any more: a timer would keep the process alive. */
  #pumpAt(atMs: number): void {
    if (atMs === this.#timerMs) return;
    clearTimeout(this.#timer);
    this.#timerMs = atMs;
    if (atMs === Infinity || this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.#timerMs = Infinity;
      this.#pump();
    }, Math.max(1, atMs - performance.now()));
  }

  /** Does whatever is due now. */
  #pump(): void {
    if (this.#isClosed) return;
    const nowMs = performance.now();
    let nextMs = Infinity;
    let isStale = this.#topicRefresh.isStale(nowMs);
    for (const topic of this.#backlog.topics.values()) {
      isStale = this.#topicRefresh.checkWaiting(topic, nowMs) || isStale;
      for (const call of topic.waiting) nextMs = Math.min(nextMs, call.endMs);
    }
    const due = new Map<number, PartitionQueue[]>();
    const dueLagging = new Map<number, PartitionQueue[]>();
    /** Leaders with a request for partitions whose replicas lag: the next one goes out after its end. */
    const busy = new Set<number>();
    for (const queue of [...this.#backlog.active]) {
      nextMs = Math.min(nextMs, this.#expiry.expire(queue, nowMs));
      if (queue.inFlight !== null) {
        const { leader, sentMs, isLagging } = queue.inFlight;
        if (isLagging) busy.add(leader);
        if (nowMs - sentMs < SLOW_MS) nextMs = Math.min(nextMs, sentMs + SLOW_MS);
        else {
          isStale = true;
          this.#expiry.cutIfMoved(queue);
        }
        if (queue.inFlight !== null) {
          isStale ||= queue.hasLostLeader;
          continue;
        }
      }
      if (queue.hasLostLeader) {
        if (this.#leaders.epochOf(queue) !== queue.leaderEpoch) queue.endLeaderWait();
        else isStale = true;
      }
      if (!this.#leaders.canReach(queue) && this.#backlog.moveMovable(queue)) this.#pumpSoon();
      if (queue.head === undefined) {
        this.#backlog.active.delete(queue);
        continue;
      }
      const leader = this.#leaders.of(queue);
      if (leader === null) isStale = true;
      else if (queue.notBeforeMs > nowMs) nextMs = Math.min(nextMs, queue.notBeforeMs);
      else if (this.#producerId.assign(queue)) {
        const byLeader = queue.isLagging ? dueLagging : due;
        const queues = byLeader.get(leader);
        if (queues === undefined) byLeader.set(leader, [queue]);
        else queues.push(queue);
      }
    }
    for (const [leader, queues] of due) {
      this.#sender.send(leader, queues);
      nextMs = Math.min(nextMs, nowMs + SLOW_MS);
    }
    for (const [leader, queues] of dueLagging) {
      if (busy.has(leader)) continue;
      for (const queue of this.#sender.sendLagging(leader, queues)) this.#backlog.putLast(queue);
      nextMs = Math.min(nextMs, nowMs + SLOW_MS);
    }
    if (!isStale) this.#topicRefresh.resetWait();
    else if (!this.#backlog.isEmpty) void this.#topicRefresh.run();
    this.#pumpAt(nextMs);
  }
}
