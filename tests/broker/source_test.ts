/** Reading the `broker` option of an App. */
import { assert, assertEquals, assertNotEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { readBrokerSource } from "../../src/broker/source.ts";
import type { BrokerContext } from "../../src/broker/broker.ts";
import { memory } from "../../src/broker/memory/mod.ts";
import { InvalidConfigurationError, UnknownTopicError } from "../../src/errors.ts";
import { Monitor } from "../../src/monitor/monitor.ts";

function context(): BrokerContext {
  return { clientId: "test", monitor: new Monitor() };
}

Deno.test("readBrokerSource() returns a source as it is", () => {
  const source = memory();
  assertStrictEquals(readBrokerSource(source), source);
});

Deno.test('readBrokerSource() gives each "memory:" that is opened a log of its own', async () => {
  const source = readBrokerSource("memory:");
  assertEquals(source.name, "memory:");
  await using one = await source.open(context());
  await using other = await source.open(context());
  await one.admin.create([{ name: "t", partitions: 1 }]);
  assertEquals((await one.admin.ends("t")).length, 1);
  await assertRejects(() => other.admin.ends("t"), UnknownTopicError, '"t"');
});

Deno.test('readBrokerSource() shares a "memory:name" within the process', async () => {
  await using one = await readBrokerSource("memory:open_test").open(context());
  await using same = await readBrokerSource("memory:open_test").open(context());
  await using other = await readBrokerSource("memory:open_test_2").open(context());
  await one.admin.create([{ name: "t", partitions: 3 }]);
  assertEquals((await same.admin.describe(["t"])).get("t")?.partitions, 3);
  assertEquals((await other.admin.describe(["t"])).get("t"), null);
  assertNotEquals(one.name, other.name);
});

Deno.test("readBrokerSource() reads the addresses of a Kafka, whose default port is 9092", () => {
  assertEquals(readBrokerSource("kafka://a.example:9093,b.example").name, "kafka://a.example:9093,b.example:9092");
});

Deno.test("readBrokerSource() reads the path of a file, and opens nothing", () => {
  for (const path of ["jobs.db", "./a b/jobs.db", "/var/lib/shop/jobs.db", "///var/lib/jobs.db", "C:\\jobs.db"]) {
    assertEquals(readBrokerSource(`sqlite:${path}`).name, `sqlite:${path}`);
  }
  assertThrows(() => readBrokerSource("sqlite::memory:"), InvalidConfigurationError, '"memory:"');
});

Deno.test("readBrokerSource() names the allowed forms when it cannot read the broker", () => {
  const wrong: unknown[] = [
    "localhost:9092",
    "",
    "memory",
    "memory://x",
    "redis://a",
    "sqlite:",
    "sqlite://jobs.db",
    "kafka:",
    "kafka://",
    null,
    1,
    {},
  ];
  for (const broker of wrong) {
    const error = assertThrows(() => readBrokerSource(broker as string), InvalidConfigurationError, '"memory:"');
    assert(error.message.includes('"kafka://host:port'), error.message);
  }
});

Deno.test("readBrokerSource() masks everything that may be a password, whatever the form", () => {
  const addresses = [
    ..."kafka://u:$@h:9092|kafka:u:$@h|kafka:/u:$@h|kafka:///u:$@h|kafkas://u:$@h|kafka+ssl://u:$@h:1".split("|"),
    ..."sasl_ssl://u:$@h|kafka://h:9092?password=$|kafka://h:9092/?sasl.password=$|kafka://h:9092#$".split("|"),
    ..."Kafka://h?password=$|kafka://u:$%40h|kafka://u:$|kafka://a@b:$|amqp://$@h|$@h:9092|u:$|redis:$".split("|"),
    ..."kafka://h,u:$@b|kafka://h,b?p=$|kafka://u:12$@h|memory:x?$|sqlite://u:$@h/jobs.db|http://h/?p=$".split("|"),
  ];
  for (const secret of ["sEcReT!", "sEcReT", "se/cr.et-"]) {
    for (const address of addresses) {
      const broker = address.replace("$", secret);
      const error = assertThrows(() => readBrokerSource(broker), InvalidConfigurationError, undefined, broker);
      assert(!error.message.includes(secret), `${broker}: ${error.message}`);
    }
  }
  assertThrows(() => readBrokerSource("amqp://user:secret@host"), InvalidConfigurationError, '"amqp://***"');
  assertThrows(() => readBrokerSource("redis://host/0"), InvalidConfigurationError, '"redis://host/0"');
});
