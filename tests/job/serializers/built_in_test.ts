/** JavaScript's own types: a value keeps its type and its contents from one process to another. */
import { globalId, Job, range, SerializationError, type Serializer, symbol } from "@activejob/kafka";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { codec, codecOf } from "../../support/codec.ts";

class EchoJob extends Job {
  perform(..._args: unknown[]) {}
}

function roundTrip(...values: readonly unknown[]): unknown[] {
  return [...codec.readArguments(codec.read(codec.write(EchoJob.of(...values), "default")))];
}

function written(...values: readonly unknown[]): string {
  return /"arguments":(\[.*\]),"executions"/s.exec(codec.write(EchoJob.of(...values), "default"))![1]!;
}

Deno.test("values of built-in types come back equal, also nested in each other", () => {
  const sticky = /[a-z]+(?<x>"<\/>)/giu;
  sticky.lastIndex = 3;
  const values = [
    new Date(0),
    new Date(8.64e15),
    new Date(-8.64e15),
    new Date(-62198755200000), // before the year 0
    new Map<unknown, unknown>([["a", 1], [2, new Map([[symbol("k"), 5n]])], [null, undefined], [
      { key: 1 },
      [NaN].length,
    ]]),
    new Set<unknown>([1, "1", 1n, -0 + 0, null, undefined, new Set()]),
    /plain/,
    sticky,
    new Uint8Array([0, 1, 254, 255]),
    new Uint8Array(),
    undefined,
    { a: undefined, b: [undefined, null] },
    range(new Date(1), null, { excludeEnd: true }),
    [],
  ];
  const back = roundTrip(...values);
  assertEquals(back, values);
  for (const [at, value] of values.entries()) {
    assertEquals(Object.prototype.toString.call(back[at]), Object.prototype.toString.call(value));
  }
  assert("a" in (back[11] as object));
  assertEquals([...back[4] as Map<unknown, unknown>], [...values[4] as Map<unknown, unknown>]);
});

Deno.test("a URL comes back as a URL", () => {
  const [url] = roundTrip(new URL("https://user@example.org:8080/a%20b?q=1&r=<2>#ä")) as [URL];
  assert(url instanceof URL);
  assertEquals(url.href, "https://user@example.org:8080/a%20b?q=1&r=%3C2%3E#%C3%A4");
});

Deno.test("values of Temporal come back with their class and every digit", () => {
  const values = [
    Temporal.Instant.from("2023-11-14T22:13:20.123456789Z"),
    Temporal.Instant.from("-271821-04-20T00:00:00Z"),
    Temporal.ZonedDateTime.from("2023-11-14T23:13:20.000000005[Europe/Prague]"),
    Temporal.ZonedDateTime.from("2023-10-29T02:30:00+01:00[Europe/Prague]"), // the second of two
    Temporal.ZonedDateTime.from("2024-01-01T00:00[UTC]"),
    Temporal.ZonedDateTime.from("2024-01-01T00:00[+05:30]"),
    Temporal.ZonedDateTime.from("2024-01-01T00:00[Europe/Prague][u-ca=hebrew]"),
    Temporal.PlainDate.from("2024-02-29"),
    Temporal.PlainDate.from("2024-02-29[u-ca=hebrew]"),
    new Temporal.PlainDate(-271821, 4, 19),
    Temporal.PlainTime.from("23:59:59.999999999"),
    Temporal.PlainDateTime.from("2024-02-29T10:00:00.000000001"),
    Temporal.PlainYearMonth.from("2024-02"),
    Temporal.PlainMonthDay.from("02-29"),
    Temporal.Duration.from("-P1Y2M3W4DT5H6M7.000000008S"),
  ];
  for (const value of values) {
    const [back] = roundTrip(value);
    assertEquals(Object.prototype.toString.call(back), Object.prototype.toString.call(value));
    assertEquals(String(back), String(value));
  }
});

Deno.test("an Instant is a Time of Rails, with a field that Rails ignores", () => {
  assertEquals(
    written(Temporal.Instant.from("2023-11-14T22:13:20.1Z")),
    '[{"_aj_serialized":"ActiveJob::Serializers::TimeSerializer","value":"2023-11-14T22:13:20.100000000Z",' +
      '"type":"Temporal.Instant"}]',
  );
});

Deno.test("the names of types that Rails does not have begin with JavaScript::", () => {
  const cases: [unknown, string][] = [
    [new Map([["a", 1]]), '"JavaScript::MapSerializer","entries":[["a",1]]}'],
    [new Set([1]), '"JavaScript::SetSerializer","values":[1]}'],
    [/a\/b/g, '"JavaScript::RegExpSerializer","source":"a\\\\/b","flags":"g"}'],
    [new URL("https://x.y"), '"JavaScript::URLSerializer","value":"https://x.y/"}'],
    [new Uint8Array([255, 254]), '"JavaScript::Uint8ArraySerializer","value":"//4="}'],
    [Temporal.PlainTime.from("10:00"), '"JavaScript::TemporalPlainTimeSerializer","value":"10:00:00"}'],
    [Temporal.Duration.from("PT1H"), '"JavaScript::TemporalDurationSerializer","value":"PT1H"}'],
  ];
  for (const [value, text] of cases) assertEquals(written(value), `[{"_aj_serialized":${text}]`);
});

Deno.test("a value of another realm is accepted", async () => {
  const { runInNewContext } = await import("node:vm");
  const [date, map] = roundTrip(...runInNewContext('[new Date(5), new Map([["a", new Set([1])]])]')) as [Date, unknown];
  assertEquals([date.getTime(), map], [5, new Map([["a", new Set([1])]])]);
});

Deno.test("the App's serializers come first, in their order, and may take a type from the library", () => {
  const instant: Serializer<Temporal.Instant, { value: string }> = {
    name: "ActiveJob::Serializers::TimeSerializer",
    handles: (value) => value instanceof Temporal.Instant,
    serialize: (value) => ({ value: value.toString({ fractionalSecondDigits: 9 }) }),
    deserialize: ({ value }) => Temporal.Instant.from(value),
  };
  const own = codecOf({ serializers: [instant, { ...instant, name: "never" }] });
  const text = own.write(EchoJob.of(Temporal.Instant.from("2024-01-01T00:00:00.000000001Z")), "default");
  assert(text.includes('TimeSerializer","value":"2024-01-01T00:00:00.000000001Z"}'));
  assertEquals(String(own.readArguments(own.read(text))[0]), "2024-01-01T00:00:00.000000001Z");
});

Deno.test("a serializer may name its value by a GlobalID, which the locator finds", async () => {
  class Person {
    readonly id: string;
    constructor(id: string) {
      this.id = id;
    }
  }
  const own = codecOf({
    serializers: [{
      name: "Person",
      handles: (value) => value instanceof Person,
      serialize: ({ id }: Person) => globalId(`gid://shop/Person/${id}`),
      deserialize: () => {
        throw new Error("never called");
      },
    }],
    locateGlobalId: ({ modelId }) => Promise.resolve(new Person(modelId)),
  });
  const text = own.write(EchoJob.of([new Person("7")]), "default");
  assert(text.includes('"arguments":[[{"_aj_globalid":"gid://shop/Person/7"}]]'));
  const [[person]] = await own.deserializeArguments(own.read(text)) as [[Person]];
  assert(person instanceof Person);
  assertEquals(person.id, "7");
});

Deno.test("a serializer that fails, or returns no fields, is an error with the path and its name", () => {
  class Money {}
  const money = (serialize: () => unknown) =>
    codecOf({
      serializers: [{
        name: "MoneySerializer",
        handles: (value) => value instanceof Money,
        serialize: serialize as () => Record<string, unknown>,
        deserialize: () => new Money(),
      }],
    });
  const cases: [() => unknown, string][] = [
    [() => {
      throw new RangeError("no cents");
    }, "Cannot serialize arguments[0].price: MoneySerializer: no cents"],
    [() => 5, "MoneySerializer must return an object of fields, but it returned a value of type number"],
    [() => [5], "MoneySerializer must return an object of fields, but it returned an array"],
    [() => ({ _aj_serialized: "x" }), 'arguments[0].price: its key "_aj_serialized" is reserved'],
    [() => ({ rate: NaN }), "arguments[0].price.rate: JSON has no NaN"],
  ];
  for (const [serialize, message] of cases) {
    const job = EchoJob.of({ price: new Money() });
    assertThrows(() => money(serialize).write(job, "default"), SerializationError, message);
  }
});

Deno.test("a Map that holds itself is circular", () => {
  const map = new Map<string, unknown>();
  map.set("self", [map]);
  assertThrows(() => written(map), Error, "Cannot serialize arguments[0].entries[0][1][0]: it is circular");
});
