/** Current attributes of Rails: `cattr_0`, `cattr_1` … by the order of the classes, as plain JSON. */
import {
  activeJobTopic,
  App,
  type AppOptions,
  currentAttributes,
  InvalidConfigurationError,
  Job,
  SerializationError,
} from "@activejob/kafka";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { codec, codecOf } from "../support/codec.ts";

const NAMES = ["user_id", "request_id", "flag", "amount", "tags", "opts", "sym", "time", "nothing"] as const;
class Current extends currentAttributes<Record<typeof NAMES[number], unknown>>(...NAMES) {}
class Tenant extends currentAttributes<{ account: string; region: string }>("account", "region") {}

class EchoJob extends Job {
  perform(..._args: unknown[]) {}
}

const rails = codecOf({ railsCurrentAttributes: [Current, Tenant] });

const records = new Map(
  (await Deno.readTextFile(new URL("rails_records.jsonl", import.meta.url))).trim().split("\n")
    .map((line) => JSON.parse(line) as { name: string; value: string })
    .map(({ name, value }) => [name, value]),
);

/** Returns the fields after `scheduled_at`, as text. */
function attributesText(envelope: string): string {
  return /"scheduled_at":null(.*)}$/.exec(envelope)![1]!;
}

Deno.test("Rails' current attributes are read, and written back byte for byte", () => {
  const names = [...records.keys()].filter((name) => name.startsWith("cattr_"));
  assertEquals(names.length, 7);
  for (const name of names) {
    const value = records.get(name)!;
    const text = rails.runWithAttributes(rails.read(value), () => rails.write(EchoJob.of(), "default"));
    assertEquals(attributesText(text), attributesText(value), name);
  }
  rails.runWithAttributes(rails.read(records.get("cattr_one_class_many_types")!), () => {
    assertEquals([Current.user_id, Current.request_id, Current.time], [42, "req-<1>", "2023-11-14T22:13:20.123Z"]);
    assertEquals([Current.opts, Current.nothing, Tenant.account], [{ a: 1, b: { c: null } }, null, undefined]);
  });
  rails.runWithAttributes(rails.read(records.get("cattr_one_class_rich_types")!), () => {
    assertEquals(Current.user_id, 2n ** 70n);
  });
});

Deno.test("Rails' current attributes are ignored without the option, and only declared names are set with it", () => {
  const value = records.get("cattr_one_class_int")!;
  assertEquals(codec.hasAttributes, false);
  assertEquals(codec.readAttributes(codec.read(value)), undefined);
  const forged = value.replace('"user_id":42', '"user_id":42,"run":1,"constructor":2,"unknown":3');
  rails.runWithAttributes(rails.read(forged), () => {
    assertEquals(typeof Current.run, "function");
    assert(rails.write(EchoJob.of(), "default").endsWith('"cattr_0":{"user_id":42}}'));
  });
  for (const cattr of ["null", "5", "[]", '"x"']) {
    rails.runWithAttributes(rails.read(value.replace('{"user_id":42}', cattr)), () => {
      assertEquals(Current.user_id, undefined);
    });
  }
});

Deno.test("a value of Rails' current attributes that is not plain JSON is refused with its path", () => {
  const write = (values: Partial<Record<typeof NAMES[number], unknown>>) =>
    Current.run(values, () => rails.write(EchoJob.of(), "default"));
  assertThrows(
    () => write({ time: new Date(0) }),
    SerializationError,
    "serialize cattr_0.time: unsupported type, an in",
  );
  assertThrows(() => write({ tags: [new Map()] }), SerializationError, "Cannot serialize cattr_0.tags[0]: ");
  const text = write({ user_id: 5n, tags: [undefined] });
  assert(text.endsWith(
    '"cattr_0":{"user_id":5,"tags":[null]},"bigints":["/cattr_0/user_id"],"undefineds":["/cattr_0/tags/0"]}',
  ));
  rails.runWithAttributes(rails.read(text), () => assertEquals([Current.user_id, Current.tags], [5n, [undefined]]));
});

Deno.test("classes of both options travel together; one class cannot be in both", () => {
  const both = codecOf({ currentAttributes: [Tenant], railsCurrentAttributes: [Current] });
  const text = Current.run(
    { user_id: 1 },
    () => Tenant.run({ account: "acme" }, () => both.write(EchoJob.of(), "default")),
  );
  assert(text.endsWith('"current_attributes":{"Tenant":{"account":"acme"}},"cattr_0":{"user_id":1}}'));
  both.runWithAttributes(both.read(text), () => assertEquals([Current.user_id, Tenant.account], [1, "acme"]));
  const make = (options: Partial<AppOptions>) =>
    new App({ name: "shop", broker: "memory:", jobs: [], topics: [activeJobTopic("default")], ...options });
  assertThrows(
    () => make({ currentAttributes: [Current], railsCurrentAttributes: [Current] }),
    InvalidConfigurationError,
    'Two classes of current attributes are called "Current"',
  );
});
