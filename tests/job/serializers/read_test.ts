/** Reading arguments: nothing in a record is trusted, and what cannot be read is an error with its path. */
import { DeserializationError, globalId, Job } from "@activejob/kafka";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { CodecOptions } from "../../../src/job/codec_options.ts";
import { replaceAt } from "../../../src/job/serializers/place.ts";
import { inspectJson, parseExactly, UNSAFE_INTEGER } from "../../../src/job/serializers/read.ts";
import { codecOf } from "../../support/codec.ts";

const JOB = "ActiveJob::Serializers";

class EchoJob extends Job {
  perform(..._values: unknown[]) {}
}

function deserialize(args: unknown[], options: Partial<CodecOptions> = {}): unknown {
  const codec = codecOf(options);
  return codec.deserializeArguments(codec.read(JSON.stringify({ job_class: "EchoJob", arguments: args })));
}

Deno.test("replaceAt() ignores pointers to anything but an own entry inside of a field", () => {
  const envelope = () => ({ executions: 3, arguments: [1, "2", 1.5, null, [], { a: 1 }] });
  const toBigint = (value: unknown) => Number.isSafeInteger(value) ? BigInt(value as number) : value;
  const forged = [
    ...["", "/", "arguments/0", "/executions", "/arguments", "/arguments/1", "/arguments/2", "/arguments/length"],
    ...["/arguments/__proto__/length", "/__proto__/a", "/arguments/4/0", "/arguments/5/b", "/arguments/5/a/b"],
  ];
  for (const pointers of [null, 5, {}, "/arguments/0", [5, null, {}, ["/arguments/0"], ...forged]]) {
    const root = envelope();
    replaceAt(root, pointers, toBigint);
    assertEquals(root, envelope(), JSON.stringify(pointers));
  }
  const root = envelope();
  replaceAt(root, ["/arguments/5/a", "/arguments/0", "/arguments/0"], toBigint);
  assertEquals(root.arguments as unknown[], [1n, "2", 1.5, null, [], { a: 1n }]);
});

Deno.test("a forged list of undefined places changes only null", () => {
  const codec = codecOf();
  const text =
    '{"job_class":"EchoJob","arguments":[1,null,{"a":null}],"undefineds":["/arguments/0","/arguments/2/a",5]}';
  assertEquals(codec.readArguments(codec.read(text)), [1, null, { a: undefined }]);
});

Deno.test("parseExactly() reads integers beyond 2^53 as bigints, and leaves everything else alone", () => {
  const text =
    '[9007199254740993, 1, 1.5, 1e300, 9007199254740992.0, "9007199254740993", {"a": -18446744073709551616}]';
  assert(inspectJson(JSON.parse(text)) & UNSAFE_INTEGER);
  assertEquals(parseExactly(text), [
    ...[9007199254740993n, 1, 1.5, 1e300, 2 ** 53, "9007199254740993"],
    { a: -18446744073709551616n },
  ]);
  assertEquals(inspectJson([1, 1.5, "9007199254740993", null, { a: [2 ** 53 - 1] }]) & UNSAFE_INTEGER, 0);
});

Deno.test("a value that cannot be read is a DeserializationError with its path", () => {
  const cases: [unknown, string][] = [
    [{ _aj_serialized: "MoneySerializer" }, 'arguments[0]: no serializer is called "MoneySerializer"; list it in'],
    [[{ a: { _aj_serialized: "constructor" } }], 'arguments[0][0].a: no serializer is called "constructor"'],
    [{ _aj_serialized: 5 }, "arguments[0]: no serializer is called 5"],
    [{ _aj_serialized: `${JOB}::TimeSerializer`, value: "soon" }, 'TimeSerializer: "soon" is not a time'],
    [{ _aj_serialized: `${JOB}::TimeSerializer`, value: "2024-13-01T00:00:00Z" }, "is not a time"],
    [{ _aj_serialized: `${JOB}::TimeSerializer`, value: 5 }, "TimeSerializer: number is not a string"],
    [{ _aj_serialized: `${JOB}::TimeSerializer` }, "TimeSerializer: undefined is not a string"],
    [{ _aj_serialized: `${JOB}::DateSerializer`, value: "2023-02-30" }, "arguments[0]: ActiveJob::Serializers::Date"],
    [{ _aj_serialized: `${JOB}::TimeWithZoneSerializer`, value: "2024-01-01T00:00:00Z", time_zone: "Mars" }, "[0]: "],
    [{ _aj_serialized: `${JOB}::DurationSerializer`, value: "5", parts: [] }, "are not those of a duration"],
    [{ _aj_serialized: `${JOB}::DurationSerializer`, value: 5, parts: [["seconds", 5]] }, "a part is not that of"],
    [{ _aj_serialized: `${JOB}::BigDecimalSerializer`, value: "1,5" }, "decimal() needs a number as a string"],
    [{ _aj_serialized: "JavaScript::MapSerializer" }, "undefined is not a list"],
    [{ _aj_serialized: "JavaScript::SetSerializer", values: "ab" }, '"ab" is not a list'],
    [{ _aj_serialized: "JavaScript::URLSerializer", value: "no" }, "JavaScript::URLSerializer: Invalid URL"],
    [{ _aj_serialized: "JavaScript::RegExpSerializer", source: "(", flags: "" }, "JavaScript::RegExpSerializer: "],
    [{ _aj_serialized: "JavaScript::Uint8ArraySerializer", value: "?" }, "JavaScript::Uint8ArraySerializer: "],
    [{ _aj_globalid: "person 1" }, 'arguments[0]: globalId() needs an id such as "gid://shop/Person/7"'],
    [{ _aj_globalid: 5 }, 'but it is given "5"'],
  ];
  for (const [value, message] of cases) {
    assertThrows(() => deserialize([value]), DeserializationError, message);
  }
});

Deno.test("reserved keys of a record are inert: they reach neither a prototype nor the values of others", () => {
  const evil = JSON.parse('{"__proto__":{"polluted":1},"constructor":2,"_aj_symbol_keys":["__proto__",5]}');
  const [read] = deserialize([evil, { _aj_hash_with_indifferent_access: true }]) as [Record<string, unknown>];
  assertEquals(Object.keys(read), ["__proto__", "constructor"]);
  assertEquals(({} as { polluted?: unknown }).polluted, undefined);
});

Deno.test("the locator finds the object of each GlobalID once, and the object is written as its GlobalID again", async () => {
  const asked: string[] = [];
  const people = new Map([["1", { name: "Ada" }], ["2", { name: "Bob" }]]);
  const codec = codecOf({
    locateGlobalId: ({ uri, app, modelName, modelId }) => {
      asked.push(uri);
      assertEquals([app, modelName], ["shop", "Admin::Person"]);
      return Promise.resolve(people.get(modelId));
    },
  });
  const json = [
    { _aj_globalid: "gid://shop/Admin::Person/1" },
    [{ _aj_globalid: "gid://shop/Admin::Person/2" }, { _aj_globalid: "gid://shop/Admin::Person/1" }],
  ];
  const found = await codec.deserializeArguments(codec.read(JSON.stringify({ job_class: "EchoJob", arguments: json })));
  assertEquals(found, [{ name: "Ada" }, [{ name: "Bob" }, { name: "Ada" }]]);
  assertEquals(asked, ["gid://shop/Admin::Person/1", "gid://shop/Admin::Person/2"]);
  assertEquals(codec.read(codec.write(EchoJob.of(...found), "default")).arguments, json);
});

Deno.test("a GlobalID that the locator does not find is a DeserializationError", async () => {
  const args = [{ _aj_globalid: "gid://shop/Person/1" }];
  const failing = () => {
    throw new RangeError("no database");
  };
  for (
    const [locateGlobalId, message] of [
      [() => undefined, "the App's locator returned undefined"],
      [() => Promise.resolve(null), "the App's locator returned null"],
      [failing, "no database"],
    ] as const
  ) {
    const error = await assertRejects(
      async () => await deserialize(args, { locateGlobalId }),
      DeserializationError,
      `Cannot find "gid://shop/Person/1": ${message}`,
    );
    assert(locateGlobalId !== failing || error.cause instanceof RangeError);
  }
  assertEquals(deserialize(args), [globalId("gid://shop/Person/1")]);
});

Deno.test("arguments that cannot be read are written as they were, so that a retry keeps them", () => {
  const codec = codecOf();
  const json = [{ _aj_serialized: "MoneySerializer", cents: 5 }, { a: 1, _aj_symbol_keys: ["a"] }];
  const envelope = codec.read(JSON.stringify({ job_class: "EchoJob", arguments: json }));
  assertThrows(() => codec.deserializeArguments(envelope), DeserializationError);
  assertEquals(codec.read(codec.write(EchoJob.of(...[]), "default")).arguments, []);
  const job = EchoJob.of();
  job.args = envelope.arguments as unknown[];
  assertEquals(codec.read(codec.write(job, "default")).arguments, json);
});
