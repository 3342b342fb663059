/** Arguments in assertions of the test kit: compared deeply, by type. */
import {
  activeJobTopic,
  App,
  type CustomArgument,
  decimal,
  duration,
  globalId,
  Job,
  range,
  type Serializer,
  symbol,
} from "@activejob/kafka";
import { TestApp } from "@activejob/kafka/testing";
import { AssertionError } from "node:assert";
import { assertEquals, assertThrows } from "@std/assert";

class Money {
  readonly #cents: number;
  constructor(cents: number) {
    this.#cents = cents;
  }
  get cents(): number {
    return this.#cents;
  }
}
interface Money extends CustomArgument {}

const money: Serializer<Money, { cents: number }> = {
  name: "MoneySerializer",
  handles: (value) => value instanceof Money,
  serialize: ({ cents }) => ({ cents }),
  deserialize: ({ cents }) => new Money(cents),
};

class EchoJob extends Job {
  perform(_value: unknown) {}
}

const app = new App({
  name: "shop",
  broker: "memory:",
  jobs: [EchoJob],
  topics: [activeJobTopic("default")],
  serializers: [money],
  locateGlobalId: () => ({ found: true }),
  logger: false,
});

/** Makes two values that are equal, and one that differs in its contents or in its type only. */
const CASES: [() => unknown, unknown][] = [
  [() => 5n, 5],
  [() => [undefined], [null]],
  [() => ({ a: undefined }), {}],
  [() => new Date(5), new Date(6)],
  [() => new Date(5), "1970-01-01T00:00:00.005Z"],
  [() => new Map([["a", 1], ["b", 2]]), new Map([["a", 1], ["b", 3]])],
  [() => new Map(), new Map([["a", 1]])],
  [() => new Map(), {}],
  [() => new Set([1, 2]), new Set([1, 3])],
  [() => new Set([[new Date(1)]]), new Set([[new Date(2)]])],
  [() => new URL("https://a.b"), new URL("https://a.c")],
  [() => /a/g, /a/],
  [() => new Uint8Array([1]), new Uint8Array([2])],
  [() => Temporal.PlainTime.from("10:00"), Temporal.PlainTime.from("11:00")],
  [() => Temporal.Instant.from("2024-01-01T00:00Z"), new Date("2024-01-01T00:00Z")],
  [
    () => new Map([["at", Temporal.PlainDate.from("2024-01-01")]]),
    new Map([["at", Temporal.PlainDate.from("2024-01-02")]]),
  ],
  [() => symbol("a"), symbol("b")],
  [() => symbol("a"), "a"],
  [() => duration({ hours: 1.5 }), duration({ minutes: 90 })],
  [() => range(1, 2), range(1, 2, { excludeEnd: true })],
  [() => decimal("1.0"), decimal("1.00")],
  [() => globalId("gid://shop/Person/1"), globalId("gid://shop/Person/2")],
  [() => new Money(1), new Money(2)],
  [() => [new Money(1)], [{ cents: 1 }]],
];

Deno.test("assertEnqueuedWith() compares arguments deeply, by type and contents", async () => {
  for (const [make, other] of CASES) {
    await using t = TestApp.of(app);
    await EchoJob.performLater(make());
    t.assertEnqueuedWith(EchoJob, { args: [make()] });
    assertThrows(() => t.assertEnqueuedWith(EchoJob, { args: [other] }), AssertionError, "args[0]");
  }
});

Deno.test("the order in a Map or a Set does not matter", async () => {
  await using t = TestApp.of(app);
  await EchoJob.performLater([new Map([["a", 1], ["b", 2]]), new Set([1, 2])]);
  t.assertEnqueuedWith(EchoJob, { args: [[new Map([["b", 2], ["a", 1]]), new Set([2, 1])]] });
});

Deno.test("assertions show values of serializers with their class", async () => {
  await using t = TestApp.of(app);
  await EchoJob.performLater([new Date(5), symbol("a"), new Map([["k", 1n]])]);
  const { message } = assertThrows(() => t.assertEnqueuedWith(EchoJob, { args: [[]] }), AssertionError);
  assertEquals(
    /EchoJob\((.*)\) on/.exec(message)![1]!.startsWith("[ 1970-01-01T00:00:00.005Z, RubySymbol { name: 'a' }"),
    true,
  );
});
