/**
 * The idempotent producer of a client.
 *
 *     append ──▶ placed: a partition's queue ──▶ sealed and stamped ──▶ sent ──▶ acknowledged
 *                                                     ▲                  │
 *                                                     └── wait, again ◀──┴── refused, halved, given up
 *
 * - A partition has one batch in flight; the first batches of all partitions that one broker leads travel in one request.
 * - A batch is sent again, byte for byte, until the broker acknowledges it, refuses it for good, or the delivery timeout of
 *   its calls is over. Given up while it may be in the log, its partition goes on under the next epoch, and what still
 *   arrives of it is refused.
 * - The answer of a leader that is silent for half a second is not waited for once another broker leads the partition.
 *
 * One function decides what is due (`#pump`); it runs after each call, each response, and when the next deadline is over.
 */
import { BrokerError, RecordRefusedError, UnknownTopicError } from "../../../errors.ts";
import { sleep } from "../../../support/abort.ts";
import { formatPartition } from "../../../support/position.ts";
import type { AppendOptions, AppendOutcome, NewRecord } from "../../broker.ts";
import { recordTooLargeError } from "../../refusals.ts";
import type { Cluster } from "../wire/cluster.ts";
import type { Connection } from "../wire/connection.ts";
import { Code, ConnectionError, errorName, ProtocolError } from "../wire/errors.ts";
import { produceRequest, type ProduceResponse } from "../wire/produce_request.ts";
import { describeTopicConfigs, initProducerId } from "../wire/requests.ts";
import { brokerError } from "../broker_error.ts";
import { AppendCall } from "./append_call.ts";
import type { OutgoingBatch } from "./outgoing_batch.ts";
import type { PartitionQueue } from "./partition_queue.ts";
import { reactionTo } from "./reactions.ts";
import { TopicProducer } from "./topic_producer.ts";

/** Options of a producer. Times are milliseconds. */
export interface ProducerOptions {
  readonly deliveryTimeoutMs: number;
  readonly metadataMaxAgeMs: number;
}

const MAX_REQUEST_BYTES = 4_000_000;
/** Longest time that a broker waits for the in-sync replicas, in milliseconds. */
const ACK_TIMEOUT_MS = 30_000;
/** A leader that is silent for so long may have lost its place, in milliseconds. */
const SLOW_MS = 500;
/** Time for which records that may go elsewhere avoid a broker that could not be reached, in milliseconds. */
const AVOID_MS = 2000;
/** Time for which a topic must be missing before its records are refused, in milliseconds: metadata travels. */
const MISSING_MS = 1000;
const FIRST_REFRESH_MS = 50;
const MAX_REFRESH_MS = 500;
const PRODUCER_ID_RETRY_MS = 100;

/** Codes of InitProducerId after which asking again cannot help. */
const HOPELESS: ReadonlySet<number> = new Set([
  Code.clusterAuthorizationFailed,
  Code.transactionalIdAuthorizationFailed,
  Code.unsupportedVersion,
]);

/** See the module. */
export class Producer {
  readonly #cluster: Cluster;
  readonly #options: ProducerOptions;
  readonly #topics = new Map<string, TopicProducer>();
  /** Queues with batches. */
  readonly #active = new Set<PartitionQueue>();
  readonly #avoidUntilMs = new Map<number, number>();
  #producerId: bigint | null = null;
  #isAskingForId = false;
  #isRefreshing = false;
  #refreshMs = FIRST_REFRESH_MS;
  #refreshedMs = -Infinity;
  #isPumpDue = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerMs = Infinity;
  readonly #closing = new AbortController();

  get #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  constructor(cluster: Cluster, options: ProducerOptions) {
    this.#cluster = cluster;
    this.#options = options;
  }

  /** Appends to one topic. Never rejects. */
  append(name: string, records: readonly NewRecord[], options: AppendOptions = {}): Promise<readonly AppendOutcome[]> {
    const call = new AppendCall(records, this.#options.deliveryTimeoutMs);
    let topic = this.#topics.get(name);
    if (topic === undefined) this.#topics.set(name, topic = new TopicProducer(name));
    topic.compression = options.compression ?? "none";
    // While nothing is known of the topic, whole calls wait, in their order.
    if (topic.queues.length === 0 || topic.missingSinceMs !== null || topic.waiting.length > 0) {
      topic.waiting.push(call);
    } else this.#place(topic, call);
    this.#pumpSoon();
    return call.done;
  }

  /** Gives up what is pending, at once. */
  close(): void {
    this.#closing.abort();
    clearTimeout(this.#timer);
    const problem = "it was not acknowledged before the broker was closed";
    for (const queue of [...this.#active]) {
      for (const batch of [...queue.batches]) {
        this.#settle(queue, batch, this.#unanswered(queue.topic, problem, batch.problem));
      }
    }
    for (const topic of this.#topics.values()) {
      for (const call of topic.waiting.splice(0)) call.refuse(this.#unanswered(topic.name, problem, call.problem));
    }
  }

  #place(topic: TopicProducer, call: AppendCall): void {
    const queues = topic.place(call, (partition) => this.#isReachable(topic.name, partition));
    for (const queue of queues) this.#active.add(queue);
  }

  #isReachable(topic: string, partition: number): boolean {
    const leader = this.#cluster.leaderOf(topic, partition);
    return leader !== null && performance.now() >= (this.#avoidUntilMs.get(leader) ?? 0);
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
    let isStale = nowMs - this.#refreshedMs > this.#options.metadataMaxAgeMs;
    for (const topic of this.#topics.values()) {
      isStale = this.#checkWaiting(topic, nowMs) || isStale;
      for (const call of topic.waiting) nextMs = Math.min(nextMs, call.endMs);
    }
    const due = new Map<number, PartitionQueue[]>();
    for (const queue of [...this.#active]) {
      nextMs = Math.min(nextMs, this.#expire(queue, nowMs));
      if (queue.inFlight !== null) {
        const { sentMs } = queue.inFlight;
        if (nowMs - sentMs < SLOW_MS) nextMs = Math.min(nextMs, sentMs + SLOW_MS);
        else {
          isStale = true;
          this.#cutIfMoved(queue);
        }
        continue;
      }
      if (!this.#isReachable(queue.topic, queue.partition)) this.#moveMovable(queue);
      const { head } = queue;
      if (head === undefined) {
        this.#active.delete(queue);
        continue;
      }
      const leader = this.#cluster.leaderOf(queue.topic, queue.partition);
      if (leader === null) isStale = true;
      else if (queue.notBeforeMs > nowMs) nextMs = Math.min(nextMs, queue.notBeforeMs);
      else if (!this.#needsId(queue)) {
        const queues = due.get(leader);
        if (queues === undefined) due.set(leader, [queue]);
        else queues.push(queue);
      }
    }
    for (const [leader, queues] of due) {
      for (const part of splitBySize(queues)) void this.#send(leader, part);
      nextMs = Math.min(nextMs, nowMs + SLOW_MS);
    }
    if (!isStale) this.#refreshMs = FIRST_REFRESH_MS;
    else if (this.#active.size > 0 || this.#hasWaiting()) void this.#refresh();
    this.#pumpAt(nextMs);
  }

  #hasWaiting(): boolean {
    return [...this.#topics.values()].some(({ waiting }) => waiting.length > 0);
  }

  /** Ends calls that wait for their topic in vain. @returns whether the topic has to be asked for */
  #checkWaiting(topic: TopicProducer, nowMs: number): boolean {
    const { name, missingSinceMs } = topic;
    const isGone = (call: AppendCall): boolean =>
      // Asked for after the call was made: a topic that was created just before it is found.
      missingSinceMs !== null && nowMs - missingSinceMs > MISSING_MS && this.#refreshedMs > call.sinceMs;
    topic.waiting = topic.waiting.filter((call) => {
      if (isGone(call)) {
        call.refuse(new UnknownTopicError(`Cannot append to topic "${name}": it does not exist`));
      } else if (nowMs >= call.endMs) {
        const problem = `the cluster did not answer within ${this.#options.deliveryTimeoutMs} ms`;
        call.refuse(this.#unanswered(name, problem, call.problem));
      }
      return !call.isDone;
    });
    if (topic.waiting.length > 0) return true;
    // A name that never was a topic: not kept, and not asked for again. One that was has epochs to keep.
    if (missingSinceMs !== null && topic.queues.length === 0) this.#topics.delete(name);
    return false;
  }

  /** Gives up records whose time is over. @returns when the next one's is */
  #expire(queue: PartitionQueue, nowMs: number): number {
    let nextMs = Infinity;
    for (const batch of [...queue.batches]) {
      const connection = batch === queue.head ? queue.inFlight?.connection ?? null : null;
      const isFixed = connection !== null || batch.isMaybeWritten;
      if (nowMs >= batch.endMs || (batch.hasExpired && !isFixed)) this.#expireBatch(queue, batch, connection, nowMs);
    }
    for (const { endMs } of queue.batches) if (endMs > nowMs) nextMs = Math.min(nextMs, endMs);
    return nextMs;
  }

  /** Gives up the records of a batch whose time is over. The others stay; in a batch that may be written, so do the bytes. */
  #expireBatch(queue: PartitionQueue, batch: OutgoingBatch, connection: Connection | null, nowMs: number): void {
    const problem = `it was not acknowledged within ${this.#options.deliveryTimeoutMs} ms`;
    const error = this.#unanswered(queue.topic, problem, batch.problem);
    const [left, expired] = batch.splitExpired(nowMs);
    if (left === null) {
      // A batch in flight is given up once its request has failed.
      if (connection === null) this.#settle(queue, batch, error);
      else connection.close(this.#late(queue, connection));
      return;
    }
    const isFixed = connection !== null || batch.isMaybeWritten;
    for (const { call, index } of expired) {
      call.settle(index, { ok: false, error, written: isFixed ? "unknown" : "no" });
    }
    if (isFixed) return batch.keepExpired(left.endMs);
    if (batch === queue.head) queue.inFlight = null;
    queue.replace(batch, [left]);
  }

  #late(queue: PartitionQueue, { address }: Connection): ConnectionError {
    return new ConnectionError(address, `it did not acknowledge ${formatPartition(queue)} in time`, { isSent: true });
  }

  /** A leader that keeps silent, and leads no more: its answer is not worth waiting for. */
  #cutIfMoved(queue: PartitionQueue): void {
    const { leader, connection } = queue.inFlight!;
    const now = this.#cluster.leaderOf(queue.topic, queue.partition);
    if (now === null || now === leader || connection === null) return;
    connection.close(
      new ConnectionError(connection.address, "another broker leads the partition now", { isSent: true }),
    );
  }

  /** Records without a key go to a partition that has a leader; what may be written stays, and what follows it. */
  #moveMovable(queue: PartitionQueue): void {
    const topic = this.#topics.get(queue.topic)!;
    const isReachable = (partition: number) => this.#isReachable(queue.topic, partition);
    if (!topic.queues.some(({ partition }) => isReachable(partition))) return;
    for (const batch of [...queue.batches]) {
      if (batch.movable === 0 || batch.isMaybeWritten) continue;
      const [left, movable] = batch.splitMovable();
      queue.replace(batch, left === null ? [] : [left]);
      for (const other of topic.move(movable, isReachable)) this.#active.add(other);
      this.#pumpSoon();
    }
  }

  /** Whether a queue waits for a producer id. */
  #needsId(queue: PartitionQueue): boolean {
    if (!queue.needsProducerId) return false;
    if (this.#producerId !== null && queue.useProducerId(this.#producerId)) return false;
    void this.#askForId();
    return true;
  }

  async #askForId(): Promise<void> {
    if (this.#isAskingForId) return;
    this.#isAskingForId = true;
    try {
      const { errorCode, producerId } = await this.#cluster.ask(initProducerId());
      if (errorCode !== Code.none) throw new ProtocolError("InitProducerId", errorCode);
      this.#producerId = BigInt(producerId);
    } catch (error) {
      this.#noteProblem((error as Error).message);
      if (isHopeless(error)) this.#refuseAll(error);
      await sleep(PRODUCER_ID_RETRY_MS, this.#closing.signal);
    }
    this.#isAskingForId = false;
    this.#pump();
  }

  #noteProblem(problem: string): void {
    for (const { head } of this.#active) if (head !== undefined) head.problem = problem;
    for (const { waiting } of this.#topics.values()) for (const call of waiting) call.problem = problem;
  }

  async #refresh(): Promise<void> {
    if (this.#isRefreshing || this.#isClosed) return;
    this.#isRefreshing = true;
    try {
      const askedMs = performance.now();
      await this.#cluster.metadata.refresh(this.#topics.keys());
      this.#refreshedMs = askedMs;
      for (const topic of this.#topics.values()) await this.#learn(topic);
    } catch (error) {
      this.#noteProblem((error as Error).message);
      if (isHopeless(error)) this.#refuseAll(error);
    }
    this.#pump();
    await sleep(this.#refreshMs, this.#closing.signal);
    this.#refreshMs = Math.min(this.#refreshMs * 2, MAX_REFRESH_MS);
    this.#isRefreshing = false;
    this.#pump();
  }

  #refuseAll(cause: Error): void {
    for (const queue of [...this.#active]) {
      // A batch in flight gets its own response.
      const batches = queue.inFlight?.connection ? queue.batches.slice(1) : [...queue.batches];
      for (const batch of batches) this.#giveUp(queue, batch, cause.message, cause);
    }
    for (const { name, waiting } of this.#topics.values()) {
      for (const call of waiting.splice(0)) call.refuse(this.#error(name, cause.message, cause));
    }
  }

  /** Takes over what the cluster says of a topic. */
  async #learn(topic: TopicProducer): Promise<void> {
    const known = this.#cluster.metadata.topic(topic.name);
    if (known === undefined) return;
    if (this.#cluster.metadata.isMissing(topic.name)) {
      topic.missingSinceMs ??= performance.now();
      if (performance.now() - topic.missingSinceMs > MISSING_MS) this.#refuseQueued(topic);
      return;
    }
    if (known.error !== Code.none) return;
    // Another log may begin to count from 0: never under an epoch that was used in the old one.
    if (topic.missingSinceMs !== null) {
      for (const queue of topic.queues) if (!queue.head?.isStamped) queue.raiseEpoch();
    }
    topic.missingSinceMs = null;
    topic.setPartitionCount(known.partitions.length);
    if (performance.now() - topic.limitAskedMs > this.#options.metadataMaxAgeMs) await this.#askLimit(topic);
    for (const call of topic.waiting.splice(0)) if (!call.isDone) this.#place(topic, call);
  }

  #refuseQueued(topic: TopicProducer): void {
    for (const queue of topic.queues) {
      if (queue.inFlight !== null) continue;
      for (const batch of [...queue.batches]) this.#giveUp(queue, batch, "the topic does not exist");
    }
  }

  async #askLimit(topic: TopicProducer): Promise<void> {
    topic.limitAskedMs = performance.now();
    try {
      const { resources } = await this.#cluster.ask(describeTopicConfigs([topic.name]));
      const entry = resources[0]?.configEntries.find(({ configName }) => configName === "max.message.bytes");
      const bytes = Number(entry?.configValue);
      if (Number.isSafeInteger(bytes) && bytes > 0) topic.maxBatchBytes = bytes;
    } catch {
      // A right of its own: a client may write to a topic and not read its configuration.
    }
  }

  async #send(leader: number, queues: readonly PartitionQueue[]): Promise<void> {
    const inFlight = {
      leader,
      sentMs: performance.now(),
      connection: null as Connection | null,
    };
    for (const queue of queues) {
      queue.inFlight = inFlight;
    }
    // Without those whose time was over while they were compressed or the connection was opened.
    const sent = () => queues.filter((queue) => queue.inFlight === inFlight);
    try {
      const sealing = queues.map((queue) => queue.head!.bytes.seal(this.#topics.get(queue.topic)!.compression));
      if (sealing.some((each) => each !== undefined)) await Promise.all(sealing);
      for (const queue of sent()) queue.stampHead();
      const connection = await this.#cluster.connectionTo(leader, "produce");
      inFlight.connection = connection;
      const batches = sent().map((queue) => ({
        topic: queue.topic,
        partition: queue.partition,
        bytes: queue.head!.bytes.sealed!,
      }));
      if (batches.length === 0) return;
      const response = await connection.send(produceRequest(batches, ACK_TIMEOUT_MS), this.#cluster.requestTimeoutMs);
      this.#avoidUntilMs.delete(leader);
      this.#answer(sent(), response);
    } catch (error) {
      this.#noAnswer(leader, sent(), error);
    }
    this.#pump();
  }

  #noAnswer(leader: number, queues: readonly PartitionQueue[], error: unknown): void {
    const isSent = error instanceof ConnectionError && error.isSent;
    this.#avoidUntilMs.set(leader, performance.now() + AVOID_MS);
    this.#refreshedMs = -Infinity;
    for (const queue of queues) {
      queue.inFlight = null;
      const { head } = queue;
      if (head === undefined || this.#isClosed) continue;
      head.isMaybeWritten ||= isSent;
      head.problem = error instanceof Error ? error.message : String(error);
      if (isHopeless(error)) this.#giveUp(queue, head, head.problem, error);
      else queue.notBeforeMs = performance.now() + head.nextRetryMs();
    }
  }

  #answer(queues: readonly PartitionQueue[], { partitions }: ProduceResponse): void {
    const waiting = new Map(queues.map((queue) => [`${queue.partition}/${queue.topic}`, queue]));
    for (const { topic, partition, error, baseOffset } of partitions) {
      const key = `${partition}/${topic}`;
      const queue = waiting.get(key);
      if (queue === undefined) continue;
      waiting.delete(key);
      queue.inFlight = null;
      if (queue.head !== undefined && !this.#isClosed) this.#react(queue, queue.head, error, baseOffset);
    }
    // A partition that the response leaves out.
    for (const queue of waiting.values()) {
      queue.inFlight = null;
      if (queue.head === undefined) continue;
      queue.head.isMaybeWritten = true;
      queue.notBeforeMs = performance.now() + queue.head.nextRetryMs();
    }
  }

  #react(queue: PartitionQueue, batch: OutgoingBatch, code: number, baseOffset: number): void {
    if (code === Code.none) return this.#acknowledge(queue, batch, baseOffset);
    if (code === Code.duplicateSequenceNumber) return this.#acknowledge(queue, batch, -1);
    const { action, isMaybeWritten } = reactionTo(code);
    batch.problem = errorName(code);
    batch.isMaybeWritten ||= isMaybeWritten;
    switch (action) {
      case "refuse":
        return this.#giveUp(queue, batch, batch.problem, new ProtocolError("Produce", code));
      case "halve":
        return this.#halve(queue, batch, code);
      case "epoch":
        queue.raiseEpoch();
        break;
      case "refresh":
        this.#refreshedMs = -Infinity;
        break;
    }
    queue.notBeforeMs = performance.now() + batch.nextRetryMs();
  }

  #acknowledge(queue: PartitionQueue, batch: OutgoingBatch, baseOffset: number): void {
    const { topic, partition } = queue;
    for (const [at, { call, index }] of batch.records.entries()) {
      const offset = baseOffset < 0 ? -1 : baseOffset + at;
      call.settle(index, { ok: true, position: { topic, partition, offset } });
    }
    queue.acknowledgeHead();
  }

  /** One record is to blame: the others go out without it. */
  #halve(queue: PartitionQueue, batch: OutgoingBatch, code: number): void {
    const topic = this.#topics.get(queue.topic)!;
    // The limit may have been changed.
    topic.limitAskedMs = -Infinity;
    this.#refreshedMs = -Infinity;
    if (batch.records.length > 1 && !batch.isMaybeWritten) {
      queue.replace(batch, batch.halves());
      return;
    }
    const isTooLarge = code === Code.messageTooLarge || code === Code.recordListTooLarge;
    if (!isTooLarge) {
      const problem = `Cannot append to topic "${queue.topic}": ${batch.problem}`;
      return this.#settle(queue, batch, new RecordRefusedError(problem, { cause: new ProtocolError("Produce", code) }));
    }
    const bytes = batch.bytes.size;
    void this.#askLimit(topic).then(() => {
      if (!queue.batches.includes(batch)) return;
      // A limit that would allow the batch is out of date: the broker has refused it.
      const limit = topic.maxBatchBytes < bytes ? topic.maxBatchBytes : null;
      this.#settle(queue, batch, recordTooLargeError(queue.topic, bytes, limit));
      this.#pump();
    });
    queue.notBeforeMs = Infinity;
  }

  #giveUp(queue: PartitionQueue, batch: OutgoingBatch, problem: string, cause?: unknown): void {
    this.#settle(queue, batch, this.#error(queue.topic, problem, cause));
  }

  #settle(queue: PartitionQueue, batch: OutgoingBatch, error: Error): void {
    const isHead = batch === queue.head;
    if (isHead && queue.inFlight !== null) {
      // Its response is not heeded any more. A request that still waits for its connection is not sent.
      batch.isMaybeWritten ||= queue.inFlight.connection !== null;
      queue.inFlight = null;
    }
    const written = batch.isMaybeWritten ? "unknown" : "no";
    for (const { call, index } of batch.records) call.settle(index, { ok: false, error, written });
    queue.remove(batch);
    queue.notBeforeMs = 0;
    // Its numbers may be taken: under the next epoch it can arrive no more.
    if (isHead && batch.isStamped && batch.isMaybeWritten) queue.raiseEpoch();
    if (queue.batches.length === 0) this.#active.delete(queue);
  }

  /** The error of records that are given up without an answer: its cause is the last problem, if there was one. */
  #unanswered(topic: string, problem: string, last: string): Error {
    if (last === "") return this.#error(topic, problem);
    return this.#error(topic, `${problem} (last: ${last})`, new BrokerError(last));
  }

  #error(topic: string, problem: string, cause?: unknown): Error {
    if (cause instanceof ConnectionError && cause.isPermission) {
      return brokerError(`Cannot append to topic "${topic}"`, cause);
    }
    return new BrokerError(
      `Cannot append to topic "${topic}": ${problem}`,
      cause === undefined ? undefined : { cause },
    );
  }
}

/**
 * Whether trying again cannot help: a wrong password, a permission that the process or the user does not have, a broker that
 * is too old.
 */
function isHopeless(error: unknown): error is Error {
  if (error instanceof ProtocolError) return HOPELESS.has(error.code);
  return (error as { readonly isFinal?: boolean }).isFinal === true;
}

/** Splits queues so that no request is larger than it may be. */
function splitBySize(queues: readonly PartitionQueue[]): PartitionQueue[][] {
  const parts: PartitionQueue[][] = [[]];
  let bytes = 0;
  for (const queue of queues) {
    const { size } = queue.head!.bytes;
    if (bytes > 0 && bytes + size > MAX_REQUEST_BYTES) {
      parts.push([]);
      bytes = 0;
    }
    bytes += size;
    parts.at(-1)!.push(queue);
  }
  return parts;
}
