/**
 * The sender of one topic: records stay in order, one batch is in flight, none lingers, and each record has its own
 * outcome.
 */
import { assert, assertEquals } from "@std/assert";
import type { AppendOutcome, Broker, NewRecord } from "../../src/broker/broker.ts";
import { FaultInjectionLog } from "../support/fault_injection_log.ts";
import { until } from "../support/until.ts";
import { TopicSender } from "../../src/dispatch/topic_sender.ts";

/** A memory broker whose appends are recorded, and held until the test releases them. */
class HeldBroker {
  readonly capabilities: Partial<Broker["capabilities"]>;
  readonly batches: string[][] = [];
  readonly durabilities: (string | undefined)[] = [];
  inFlight = 0;
  /** The largest number of batches in flight at once. */
  most = 0;
  readonly #broker: Broker;
  #held: (() => void)[] = [];

  constructor(broker: Broker, capabilities: Partial<Broker["capabilities"]>) {
    this.#broker = broker;
    this.capabilities = capabilities;
  }

  async append(topic: string, records: readonly NewRecord[], options?: { durability?: "buffered" | "durable" }) {
    this.batches.push(records.map(({ value }) => String(value).slice(0, 10)));
    this.durabilities.push(options?.durability);
    this.most = Math.max(this.most, ++this.inFlight);
    await new Promise<void>((resolve) => this.#held.push(resolve));
    this.inFlight--;
    return await this.#broker.append(topic, records);
  }

  /** Releases the batch in flight, once there is one. */
  async release(): Promise<void> {
    while (this.#held.length === 0) await turn();
    this.#held.shift()!();
  }
}

function setUp(config: Record<string, string> = {}, capabilities: Partial<Broker["capabilities"]> = {}) {
  const log = new FaultInjectionLog();
  log.createTopic("default", 1, config);
  const broker = new HeldBroker(log.open(), capabilities);
  const sender = new TopicSender("default", () => Promise.resolve(broker as unknown as Broker));
  const push = (value: string, { durable = false, bytes = value.length } = {}) =>
    new Promise<AppendOutcome>((settle) => sender.push({ record: { value }, bytes, durable, settle }));
  return { log, broker, push };
}

const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 0));
const offsetOf = (outcome: AppendOutcome) => outcome.ok ? outcome.position.offset : outcome.written;

Deno.test("TopicSender sends the records of one turn at once, and gathers while a batch is in flight", async () => {
  const { broker, push } = setUp();
  const first = [push("a"), push("b")];
  await turn();
  assertEquals(broker.batches, [["a", "b"]], "nothing lingers");
  const second = ["c", "d", "e"].map((value) => push(value));
  await turn();
  assertEquals([broker.batches.length, broker.most], [1, 1]);
  await broker.release();
  assertEquals((await Promise.all(first)).map(offsetOf), [0, 1]);
  await broker.release();
  assertEquals((await Promise.all(second)).map(offsetOf), [2, 3, 4]);
  assertEquals(broker.batches, [["a", "b"], ["c", "d", "e"]]);
  const third = push("f");
  await broker.release();
  assertEquals(offsetOf(await third), 5);
});

Deno.test("TopicSender sends at once, in order, to a broker that keeps the order of concurrent appends", async () => {
  const { broker, push } = setUp({}, { concurrentAppends: true });
  const first = push("a");
  await turn();
  const second = [push("b"), push("c")];
  await turn();
  assertEquals([broker.batches, broker.most], [[["a"], ["b", "c"]], 2]);
  await broker.release();
  assertEquals(offsetOf(await first), 0);
  await broker.release();
  assertEquals((await Promise.all(second)).map(offsetOf), [1, 2]);
});

Deno.test("TopicSender bounds a batch in records and bytes; a large record goes alone", async () => {
  const { broker, push } = setUp();
  const many = Array.from({ length: 2500 }, (_, index) => push(`${index}`));
  for (let batch = 0; batch < 3; batch++) await broker.release();
  assertEquals((await Promise.all(many)).map(offsetOf), Array.from({ length: 2500 }, (_, index) => index));
  assertEquals(broker.batches.splice(0).map((batch) => batch.length), [1000, 1000, 500]);
  const large = [600_000, 300_000, 200_000, 2_000_000, 1, 999_999].map((bytes, index) => push(`${index}`, { bytes }));
  for (let batch = 0; batch < 4; batch++) await broker.release();
  await Promise.all(large);
  assertEquals(broker.batches, [["0", "1"], ["2"], ["3"], ["4", "5"]]);
});

Deno.test("TopicSender gives each record its own outcome, and goes on after a refusal", async () => {
  const { broker, push } = setUp({ "max.message.bytes": "100" });
  const pushed = [push("a"), push("x".repeat(500)), push("c")];
  await broker.release();
  assertEquals((await Promise.all(pushed)).map(offsetOf), [0, "no", 1]);
  const next = push("d");
  await broker.release();
  assertEquals(offsetOf(await next), 2);
});

Deno.test("TopicSender settles a record once, as soon as the broker reports its outcome", async () => {
  const settled: string[] = [];
  const released = Promise.withResolvers<void>();
  const outcome = (offset: number): AppendOutcome => ({
    ok: true,
    position: { topic: "default", partition: 0, offset },
  });
  const broker: Pick<Broker, "append" | "capabilities"> = {
    capabilities: { concurrentAppends: true } as Broker["capabilities"],
    async append(_topic, _records, options) {
      options!.settled!(1, outcome(0));
      await released.promise;
      return [outcome(1), outcome(0)];
    },
  };
  const idle = Promise.withResolvers<void>();
  const sender = new TopicSender("default", () => Promise.resolve(broker as Broker), { onIdle: idle.resolve });
  for (const value of ["waits", "is acknowledged"]) {
    const settle = (outcome: AppendOutcome) => void settled.push(`${value}: ${offsetOf(outcome)}`);
    sender.push({ record: { value }, bytes: 1, durable: true, settle });
  }
  await until(() => settled.length > 0, () => "nothing is settled");
  assertEquals(settled, ["is acknowledged: 0"]);
  released.resolve();
  await idle.promise;
  assertEquals(settled, ["is acknowledged: 0", "waits: 1"]);
});

Deno.test("TopicSender sends a durable batch if any of its records must be durable", async () => {
  const { broker, push } = setUp();
  for (const durable of [[false, false], [false, true], [true]]) {
    const pushed = durable.map((durable) => push("a", { durable }));
    await broker.release();
    await Promise.all(pushed);
  }
  assertEquals(broker.durabilities, ["buffered", "durable", "durable"]);
});

Deno.test("TopicSender fails waiting records if the broker is not ready, and tries again with the next", async () => {
  const log = new FaultInjectionLog();
  let tries = 0;
  const sender = new TopicSender("default", () => {
    if (++tries === 1) return Promise.reject(new Error("Not yet"));
    log.createTopic("default", 1);
    return Promise.resolve(log.open());
  });
  const push = (value: string) =>
    new Promise<AppendOutcome>((settle) => sender.push({ record: { value }, bytes: 1, durable: false, settle }));
  const refused = await Promise.all([push("a"), push("b")]);
  for (const outcome of refused) assert(!outcome.ok && outcome.written === "no" && outcome.error.message === "Not yet");
  assertEquals(offsetOf(await push("c")), 0);
});

Deno.test("TopicSender settles records as unknown if a broker rejects, and continues", async () => {
  const log = new FaultInjectionLog();
  log.createTopic("default", 1);
  const broker = log.open();
  let calls = 0;
  const faulty = {
    capabilities: broker.capabilities,
    append: (topic: string, records: readonly NewRecord[]) =>
      ++calls === 1 ? Promise.reject(new Error("a fault")) : broker.append(topic, records),
  };
  const sender = new TopicSender("default", () => Promise.resolve(faulty as unknown as Broker));
  const push = (value: string) =>
    new Promise<AppendOutcome>((settle) => sender.push({ record: { value }, bytes: 1, durable: false, settle }));
  assertEquals(offsetOf(await push("a")), "unknown");
  assertEquals(offsetOf(await push("b")), 0);
});
