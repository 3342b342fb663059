/**
 * One topic's producer. It makes frozen batches of what it is given, sends each until it is acknowledged or definitely
 * refused, and says what became of every record.
 *
 *     freeze ──▶ send, all batches of one leader together ──▶ acknowledged
 *                  │  no answer: wait, send the identical batch again, until the delivery timeout
 *                  │  refused for one of its records: batch by batch, then in halves, until the record stands alone
 *                  └─ given up: `no` if it was never sent, else `unknown`, and the client is thrown away
 *
 * The client underneath numbers batches so that the broker can tell a repetition, but takes a number back after every
 * error, also where the batch had been written: only the identical batch may follow. Thrown away, it takes no other topic's
 * numbers with it, since each topic has its own. All batches of one call of it go to one broker: kafkajs would otherwise
 * resolve although a partition that changed its leader in between was never sent.
 */
import { BrokerError, UnknownTopicError } from "../../errors.ts";
import type { AppendOutcome, NewRecord } from "../broker.ts";
import { type Batch, exactSizeOf, freeze, halved, tooLargeError } from "./batches.ts";
import type { ClientFactory } from "./client.ts";
import { safeOffset } from "./cluster.ts";
import { brokerError, isForbidden, isUnknownTopic, protocolError } from "./failures.ts";
import { ProducerClient } from "./producer_client.ts";
import type { TopicBudget, TopicInfo } from "./topic_budget.ts";

/** A refusal that one record of a batch may be to blame for. */
const GUILTY = new Set(["MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE", "INVALID_RECORD", "INVALID_TIMESTAMP"]);
/** The broker has lost count of this client. */
const LOST_COUNT = /^(OUT_OF_ORDER_SEQUENCE_NUMBER|UNKNOWN_PRODUCER_ID|INVALID_PRODUCER_\w+)$/;
/** It answered, and the batch may be in the log all the same. */
const AMBIGUOUS = new Set([
  "REQUEST_TIMED_OUT",
  "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
  "DUPLICATE_SEQUENCE_NUMBER",
  "UNKNOWN",
]);
const DISPOSED = "it was not acknowledged before the broker was closed";
const FIRST_WAIT_MS = 50;
const MAX_WAIT_MS = 1000;

/** One call of append on its way. */
interface Delivery {
  readonly outcomes: AppendOutcome[];
  readonly over: Promise<"over">;
  isOver: boolean;
  why: string;
  lastError: unknown;
}

/** See the module. */
export class TopicProducer {
  readonly #topic: string;
  readonly #clients: ClientFactory;
  readonly #budget: TopicBudget;
  #client: ProducerClient | null = null;
  /** Clients that were thrown away and have not closed yet. */
  readonly #leaving = new Set<Promise<void>>();
  #tail: Promise<unknown> = Promise.resolve();
  #spread = Math.floor(Math.random() * 0x10000);
  /** Ends the call that is on its way. */
  #finish: ((why: string) => void) | null = null;
  #isDisposed = false;

  constructor(topic: string, clients: ClientFactory, budget: TopicBudget) {
    this.#topic = topic;
    this.#clients = clients;
    this.#budget = budget;
  }

  /** Appends; one outcome a record. Calls go one after the other, so that the order in a partition is theirs. */
  append(records: readonly NewRecord[]): Promise<readonly AppendOutcome[]> {
    const result = this.#tail.then(() => this.#append(records));
    this.#tail = result;
    return result;
  }

  /** Gives up what is pending and disconnects. */
  async dispose(): Promise<void> {
    this.#isDisposed = true;
    this.#finish?.(DISPOSED);
    await this.#tail;
    this.#throwAway();
    await Promise.all(this.#leaving);
  }

  async #append(records: readonly NewRecord[]): Promise<AppendOutcome[]> {
    const { deliveryTimeoutMs } = this.#clients.settings;
    const end = Promise.withResolvers<"over">();
    const delivery: Delivery = {
      outcomes: new Array(records.length),
      over: end.promise,
      isOver: false,
      why: "",
      lastError: undefined,
    };
    const finish = (why: string) => {
      delivery.isOver = true;
      delivery.why ||= why;
      end.resolve("over");
    };
    // Sockets do not hold the process: while something is pending, this timer does.
    const timer = setTimeout(finish, deliveryTimeoutMs, `it was not acknowledged within ${deliveryTimeoutMs} ms`);
    this.#finish = finish;
    if (this.#isDisposed) finish(DISPOSED);
    try {
      await this.#deliverAll(records, delivery);
    } finally {
      clearTimeout(timer);
      this.#finish = null;
    }
    return delivery.outcomes;
  }

  async #deliverAll(records: readonly NewRecord[], delivery: Delivery): Promise<void> {
    const info = await this.#topicInfo(delivery);
    if (info === null || "error" in info) {
      const error = info?.error ?? this.#unknownTopic();
      for (let at = 0; at < records.length; at++) delivery.outcomes[at] = { ok: false, error, written: "no" };
      return;
    }
    const { requests, refused } = freeze(this.#topic, records, info, () => this.#spread++);
    for (const { at, error } of refused) delivery.outcomes[at] = { ok: false, error, written: "no" };
    // One after the other: a partition's second batch must not overtake its first.
    for (const batches of requests) await this.#deliver(batches, delivery);
  }

  /** What is known of the topic, waiting for the broker as long as the delivery may take. */
  async #topicInfo(delivery: Delivery): Promise<TopicInfo | { error: Error } | null> {
    for (let waitMs = FIRST_WAIT_MS; !delivery.isOver; waitMs = Math.min(waitMs * 2, MAX_WAIT_MS)) {
      try {
        const info = await Promise.race([this.#budget.get(this.#topic), delivery.over]);
        if (info !== "over") return info;
      } catch (error) {
        delivery.lastError = error;
        if (isForbidden(error)) return { error: brokerError(`Cannot append to topic "${this.#topic}"`, error) };
        await pause(waitMs, delivery);
      }
    }
    return { error: this.#givenUp(delivery) };
  }

  /** Sends batches until each has an outcome. */
  async #deliver(batches: readonly Batch[], delivery: Delivery): Promise<void> {
    let waiting = batches;
    for (let waitMs = FIRST_WAIT_MS; waiting.length > 0; waitMs = Math.min(waitMs * 2, MAX_WAIT_MS)) {
      if (delivery.isOver) return this.#giveUp(waiting, delivery);
      const leaders = (await this.#leaders(delivery)) ?? new Map<number, number>();
      const groups = Map.groupBy(waiting, ({ partition }) => leaders.get(partition));
      const again = await Promise.all([...groups.values()].map((group) => this.#attempt(group, delivery)));
      waiting = again.flat();
      if (waiting.length > 0) await pause(waitMs, delivery);
    }
  }

  /** One attempt for the batches of one leader. @returns those that must be sent again */
  async #attempt(batches: readonly Batch[], delivery: Delivery): Promise<readonly Batch[]> {
    const client = this.#client ??= new ProducerClient(this.#clients);
    const before = client.produceRequests;
    try {
      const answer = await Promise.race([client.send(this.#topic, batches), delivery.over]);
      if (answer !== "over") return this.#acknowledge(batches, answer, delivery);
    } catch (error) {
      return await this.#failed(batches, error, client.produceRequests > before, delivery);
    }
    if (client.produceRequests > before) mark(batches);
    return batches;
  }

  #acknowledge(
    batches: readonly Batch[],
    answer: ReadonlyMap<number, string>,
    delivery: Delivery,
  ): readonly Batch[] {
    return batches.filter(({ partition, at }) => {
      const base = answer.get(partition);
      // Its leader changed while this was on its way, and kafkajs did not send it.
      if (base === undefined) return true;
      const offset = safeOffset(base);
      at.forEach((index, n) => {
        delivery.outcomes[index] = { ok: true, position: { topic: this.#topic, partition, offset: offset + n } };
      });
      return false;
    });
  }

  async #failed(
    batches: readonly Batch[],
    error: unknown,
    sent: boolean,
    delivery: Delivery,
  ): Promise<readonly Batch[]> {
    delivery.lastError = error;
    const type = protocolError(error);
    // Of several batches, the answer tells of the worst: the others may be written.
    if (sent && (type === null || AMBIGUOUS.has(type) || batches.length > 1)) mark(batches);
    if (type !== null && GUILTY.has(type)) {
      await this.#isolate(batches, type, error, delivery);
      return [];
    }
    if (isForbidden(error)) return this.#refuse(batches, error, delivery);
    if (type !== null && LOST_COUNT.test(type)) return await this.#renew(batches, error, delivery);
    this.#budget.forget(this.#topic);
    if (isUnknownTopic(error) && await this.#leaders(delivery) === null) return this.#refuse(batches, error, delivery);
    return batches;
  }

  async #isolate(batches: readonly Batch[], type: string, error: unknown, delivery: Delivery): Promise<void> {
    if (batches.length > 1) {
      for (const batch of batches) await this.#deliver([batch], delivery);
      return;
    }
    const batch = batches[0]!;
    if (batch.at.length > 1) {
      for (const half of halved(batch)) await this.#deliver([half], delivery);
      return;
    }
    const info = await Promise.race([this.#budget.get(this.#topic).catch(() => null), delivery.over]);
    const size = exactSizeOf(batch.messages[0]!);
    const cause = type.endsWith("TOO_LARGE") && info !== null && info !== "over"
      ? Object.assign(tooLargeError(this.#topic, size, info.maxBatchBytes), { cause: error })
      : brokerError(`Cannot append to topic "${this.#topic}": the record was refused`, error);
    delivery.outcomes[batch.at[0]!] = { ok: false, error: cause, written: "no" };
  }

  /** A new client, and another try where that cannot write anything twice. */
  async #renew(batches: readonly Batch[], error: unknown, delivery: Delivery): Promise<readonly Batch[]> {
    if (batches.length > 1) {
      for (const batch of batches) await this.#deliver([batch], delivery);
      return [];
    }
    this.#throwAway();
    return batches[0]!.maybeWritten ? this.#refuse(batches, error, delivery) : batches;
  }

  #refuse(batches: readonly Batch[], cause: unknown, delivery: Delivery): readonly Batch[] {
    const error = isUnknownTopic(cause)
      ? this.#unknownTopic(cause)
      : brokerError(`Cannot append to topic "${this.#topic}"`, cause);
    this.#settle(batches, error, delivery);
    return [];
  }

  #giveUp(batches: readonly Batch[], delivery: Delivery): void {
    this.#settle(batches, this.#givenUp(delivery), delivery);
  }

  #settle(batches: readonly Batch[], error: Error, delivery: Delivery): void {
    for (const { at, maybeWritten } of batches) {
      if (maybeWritten) this.#throwAway();
      for (const index of at) delivery.outcomes[index] = { ok: false, error, written: maybeWritten ? "unknown" : "no" };
    }
  }

  /** Whatever it still has on its way must not be mistaken for a later batch. */
  #throwAway(): void {
    const client = this.#client;
    if (client === null) return;
    this.#client = null;
    const closing: Promise<void> = client.close().finally(() => this.#leaving.delete(closing));
    this.#leaving.add(closing);
  }

  /** `null` for a topic that does not exist, none where nobody answers in time. */
  async #leaders(delivery: Delivery): Promise<ReadonlyMap<number, number> | null> {
    try {
      const info = await Promise.race([this.#budget.get(this.#topic), delivery.over]);
      return info === "over" ? new Map() : info?.leaders ?? null;
    } catch {
      return new Map();
    }
  }

  #givenUp(delivery: Delivery): BrokerError {
    const cause = delivery.lastError;
    const last = cause instanceof Error ? `, last: ${cause.message}` : "";
    const text = `Cannot append to topic "${this.#topic}": ${delivery.why}${last}`;
    return new BrokerError(text, cause === undefined ? {} : { cause });
  }

  #unknownTopic(cause?: unknown): UnknownTopicError {
    const text = `Cannot append to topic "${this.#topic}": it does not exist`;
    return new UnknownTopicError(text, cause === undefined ? {} : { cause });
  }
}

function mark(batches: readonly Batch[]): void {
  for (const batch of batches) batch.maybeWritten = true;
}

async function pause(waitMs: number, delivery: Delivery): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  await Promise.race([new Promise((resolve) => timer = setTimeout(resolve, waitMs)), delivery.over]);
  clearTimeout(timer);
}
