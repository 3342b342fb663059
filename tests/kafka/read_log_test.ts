/** Reading a place of a log of a real Kafka, while a transaction is open. */
import { assertEquals } from "@std/assert";
import { bareKafka, noKafka, openKafka } from "../support/kafka/cluster.ts";
import { until } from "../support/until.ts";

Deno.test({
  name: "read() ends before the first record of an open transaction, and reads on once it is committed",
  ignore: noKafka,
  async fn() {
    await using broker = openKafka();
    const topic = crypto.randomUUID();
    await broker.admin.create([{ name: topic, partitions: 1 }]);
    const read = (from: number) => broker.admin.read(topic, 0, { from, maxBytes: 100_000 });
    await broker.append(topic, [{ value: "a" }, { value: "b" }]);
    const producer = bareKafka().producer({
      idempotent: true,
      maxInFlightRequests: 1,
      transactionalId: crypto.randomUUID(),
    });
    await producer.connect();
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: [{ value: "open" }, { value: "too" }] });
    await broker.append(topic, [{ value: "behind" }]);
    const { records, ...ends } = await read(0);
    assertEquals(records.map(({ value }) => value), ["a", "b"]);
    assertEquals(ends, { next: 2, low: 0, high: 5, lastStable: 2 });
    for (const from of [2, 3, 5]) {
      assertEquals(await read(from), { records: [], next: from, low: 0, high: 5, lastStable: 2 });
    }
    await transaction.commit();
    await producer.disconnect();
    // The marker is written after the response of the broker.
    const page = await until(async () => {
      const page = await read(2);
      return page.lastStable === 6 ? page : null;
    }, () => "the transaction is open");
    assertEquals(page.records.map(({ value }) => value), ["open", "too", "behind"]);
    assertEquals([page.next, page.high], [6, 6]);
  },
});
