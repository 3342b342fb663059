/**
 * Records of a real Rails application (Active Job 8.1): each is read to the right values and written back equal, byte for
 * byte; what Rails refuses is refused here.
 */
import {
  currentAttributes,
  decimal,
  duration,
  globalId,
  Job,
  keywords,
  range,
  rubyModule,
  SerializationError,
  type Serializer,
  symbol,
  symbolKeys,
} from "@activejob/kafka";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { SOURCE } from "../../../src/job/carried.ts";
import { codecOf } from "../../support/codec.ts";

class Money {
  readonly cents: number;
  readonly currency: string | null;

  constructor(cents: number, currency: string | null) {
    this.cents = cents;
    this.currency = currency;
  }
}

const money: Serializer<Money, { cents: number; currency: string | null }> = {
  name: "MoneySerializer",
  handles: (value) => value instanceof Money,
  serialize: ({ cents, currency }) => ({ cents, currency }),
  deserialize: ({ cents, currency }) => new Money(cents, currency),
};

class EchoJob extends Job {
  perform(..._args: unknown[]) {}
}

const codec = codecOf({ serializers: [money] });

async function readLines<Line>(file: string): Promise<Line[]> {
  const text = await Deno.readTextFile(new URL(`../${file}`, import.meta.url));
  return text.trim().split("\n").map((line) => JSON.parse(line));
}

const records = new Map(
  (await readLines<{ name: string; value: string }>("rails_records.jsonl")).map(({ name, value }) => [name, value]),
);

function read(value: string): readonly unknown[] {
  return codec.readArguments(codec.read(value));
}

/** The text of the arguments in an envelope. */
function argumentsText(envelope: string): string {
  return /"arguments":(\[.*\]),"executions"/s.exec(envelope)![1]!;
}

function written(...args: readonly unknown[]): string {
  return argumentsText(codec.write(EchoJob.of(...args), "default"));
}

/** Records whose text differs, and the text that is written: JavaScript has one kind of number. */
const WRITTEN_OTHERWISE: Readonly<Record<string, string>> = {
  floats: "[1,0.1,-0.0,100,1000000000000000,1e+16,1e+20,0.0000001,1e+100,1.7976931348623157e+308,5e-324," +
    "123456789.12345679,-2.5,0.00003,0.0001]",
  range: argumentsText(records.get("range")!).replace('"begin":1.0', '"begin":1'),
  // Two settings of Rails; by default Rails 8.1 escapes HTML, and does not escape the separators.
  string_html_escape_off: '["line\u2028sep\u2029end \\u003cb\\u003e\\u0026"]',
  string_js_separators: '["line\u2028sep\u2029end"]',
};

Deno.test("every record of Rails is written back as it was, byte for byte", () => {
  assertEquals(records.size, 98);
  for (const [name, value] of records) {
    assertEquals(written(...read(value)), WRITTEN_OTHERWISE[name] ?? argumentsText(value), name);
  }
});

const NAMES = ["user_id", "request_id", "flag", "amount", "tags", "opts", "sym", "time", "nothing"] as const;
class Current extends currentAttributes<Record<typeof NAMES[number], unknown>>(...NAMES) {}
class Tenant extends currentAttributes<{ account: string; region: string }>("account", "region") {}

/** Reads a record and writes it again, as a worker does that enqueues the job once more. */
function rewrite(value: string): string {
  const whole = codecOf({ serializers: [money], railsCurrentAttributes: [Current, Tenant] });
  const envelope = whole.read(value);
  const job = EchoJob.of(...whole.readArguments(envelope)).set({ priority: envelope.priority });
  Object.defineProperty(job, "constructor", { value: class extends EchoJob {}, configurable: true });
  Object.defineProperty(job.constructor, "jobName", { value: envelope.jobClass });
  job[SOURCE] = envelope;
  job.jobId = envelope.jobId!;
  job.executions = envelope.executions;
  job.enqueuedAt = envelope.enqueuedAt;
  job.scheduledAt = envelope.scheduledAtMs === null ? null : new Date(envelope.scheduledAtMs);
  return whole.runWithAttributes(envelope, () => whole.write(job, envelope.queueName!));
}

Deno.test("the whole of each record is written back: counters, locale, zone, progress, attributes", () => {
  for (const [name, value] of records) {
    const other = WRITTEN_OTHERWISE[name];
    const expected = other === undefined ? value : value.replace(argumentsText(value), () => other);
    // A Date has milliseconds.
    assertEquals(rewrite(value), expected.replace(/("scheduled_at":"[^"]{23})\d{6}Z/, "$1Z"), name);
  }
});

Deno.test("values that were made here are written as Rails writes them", () => {
  const cases: Readonly<Record<string, readonly unknown[]>> = {
    symbol: [symbol("sym"), symbol("with space"), symbol("ünïcode"), symbol("q?")],
    date: [
      Temporal.PlainDate.from("2024-02-29"),
      Temporal.PlainDate.from("0001-01-01"),
      new Temporal.PlainDate(-4, 3, 1),
      new Temporal.PlainDate(12345, 6, 7),
    ],
    time_no_fraction: [new Date(Date.UTC(2024, 0, 1))],
    time_negative_epoch: [new Date("1912-06-23T01:02:03.5Z")],
    datetime: [
      Temporal.ZonedDateTime.from("2024-07-01T12:34:56.123456789+05:30[+05:30]"),
      Temporal.ZonedDateTime.from("2000-01-01T00:00+00:00[+00:00]"),
    ],
    time_with_zone: [
      Temporal.ZonedDateTime.from("2023-11-14T23:13:20.000000005+01:00[Europe/Prague]"),
      Temporal.ZonedDateTime.from("2024-06-30T20:00-04:00[America/New_York]"),
      Temporal.ZonedDateTime.from("2024-01-01T00:00Z[Etc/UTC]"),
    ],
    duration: [
      duration({ minutes: 5 }),
      duration({ months: 1, days: 2 }),
      duration({ hours: 1.5 }),
      duration({ days: -3 }),
      duration({ seconds: 0 }),
      duration({ weeks: 2 }),
      duration({ years: 1, months: 6, seconds: 3.5 }),
    ],
    bigdecimal: [
      decimal("0.1"),
      decimal("-123456789012345678901234567890.000000001"),
      decimal(`1${"0".repeat(400)}.0`),
      decimal("0.0"),
      decimal("-0.0"),
      decimal("100.0"),
    ],
    range_of_symbols_unsupported_or_not: [range(symbol("a"), symbol("c"))],
    range_time: [range(new Date(Date.UTC(2024, 0, 1)), new Date(Date.UTC(2024, 0, 2)))],
    module_class: ["String", "ActiveSupport", "Person", "ActiveSupport::HashWithIndifferentAccess"].map(rubyModule),
    globalid_in_collections: [
      [globalId("gid://anchor/Person/1")],
      symbolKeys({ p: globalId("gid://anchor/Person/2"), q: [globalId("gid://anchor/Person/3")] }, ["q"]),
    ],
    custom_serializer: [new Money(1234, "EUR"), [new Money(0, null)]],
    kwargs: [keywords({ a: 1, b: "two", c: null })],
    "bulk_mixed#1": [keywords({ a: 2 })],
    hash_same_key_string_and_symbol: [symbolKeys({ a: 2 })],
    bigint_2_70: [2n ** 70n, -(2n ** 70n), 10n ** 40n],
    string_html: ["<script>alert('x & y')</script>", "a>b"],
  };
  for (const [name, values] of Object.entries(cases)) {
    assertEquals(written(...values), argumentsText(records.get(name)!), name);
  }
});

/** Values with each object of Temporal as text: an assertion does not see what is inside of it. */
function withTemporalText(value: unknown): unknown {
  const kind = Object.prototype.toString.call(value).slice(8, -1);
  if (kind.startsWith("Temporal.")) return `${kind} ${value}`;
  if (Array.isArray(value)) return value.map(withTemporalText);
  if (kind !== "Object" || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value as object).map(([key, entry]) => [key, withTemporalText(entry)]));
}

Deno.test("Rails' values are read with their type", () => {
  const utc = (...fields: [number, number, ...number[]]) => new Date(Date.UTC(...fields));
  const cases: Readonly<Record<string, readonly unknown[]>> = {
    int_edges: [
      ...[2147483648, 9007199254740992n, 9007199254740993n, 9223372036854775807n, 18446744073709551616n],
      -9223372036854775808n,
    ],
    floats: [
      ...[1, 0.1, -0, 100, 1e15, 1e16, 1e20, 1e-7, 1e100, 1.7976931348623157e308, 5e-324],
      ...[123456789.12345679, -2.5, 0.00003, 0.0001],
    ],
    float_infinity: [null, null],
    nil_true_false: [null, true, false],
    hash_mixed_keys: [{ a: 1, b: 2, c: { x: 1, y: 2 } }],
    hash_key_aj_unknown_prefix: [{ _aj_other: 1 }],
    kwargs_and_positional: [1, "x", { h: 1 }, { a: 1, nested: { k: symbol("v"), s: 2 } }],
    hwia_nested_in_hash: [{ h: { z: 1 }, list: [{ y: 2 }] }],
    symbol: [symbol("sym"), symbol("with space"), symbol("ünïcode"), symbol("q?")],
    date: [
      ...["Temporal.PlainDate 2024-02-29", "Temporal.PlainDate 0001-01-01", "Temporal.PlainDate -000004-03-01"],
      "Temporal.PlainDate +012345-06-07",
    ],
    time_utc_ns: [utc(2023, 10, 14, 22, 13, 20, 123)],
    time_local_offset_ns: [utc(2024, 6, 1, 10, 34, 56, 987)],
    time_negative_epoch: [utc(1912, 5, 23, 1, 2, 3, 500)],
    datetime: [
      "Temporal.ZonedDateTime 2024-07-01T12:34:56.123456789+05:30[+05:30]",
      "Temporal.ZonedDateTime 2000-01-01T00:00:00+00:00[+00:00]",
    ],
    time_with_zone: [
      "Temporal.ZonedDateTime 2023-11-14T23:13:20.000000005+01:00[Europe/Prague]",
      "Temporal.ZonedDateTime 2024-06-30T20:00:00-04:00[America/New_York]",
      "Temporal.ZonedDateTime 2024-01-01T00:00:00+00:00[Etc/UTC]",
    ],
    bigdecimal: [
      ...[decimal("0.1"), decimal("-123456789012345678901234567890.000000001"), decimal(`1${"0".repeat(400)}.0`)],
      ...[decimal("0.0"), decimal("-0.0"), decimal("100.0")],
    ],
    range_time: [range(utc(2024, 0, 1), utc(2024, 0, 2))],
    module_class: ["String", "ActiveSupport", "Person", "ActiveSupport::HashWithIndifferentAccess"].map(rubyModule),
    globalid_in_collections: [
      [globalId("gid://anchor/Person/1")],
      { p: globalId("gid://anchor/Person/2"), q: [globalId("gid://anchor/Person/3")] },
    ],
    custom_serializer: [new Money(1234, "EUR"), [new Money(0, null)]],
    mailer_like: [
      ...["UserMailer", "welcome", "deliver_now"],
      { params: { user: globalId("gid://anchor/Person/1") }, args: [1, { a: symbol("b") }] },
    ],
  };
  for (const [name, values] of Object.entries(cases)) {
    assertEquals(withTemporalText(read(records.get(name)!)), values, name);
  }
  const [minutes, , hours] = read(records.get("duration")!);
  assertEquals(minutes, duration({ minutes: 5 }));
  assertEquals(hours, duration({ hours: 1.5 }));
  const [inclusive, exclusive] = read(records.get("range")!);
  assertEquals([inclusive, exclusive], [range(1, 5), range(1, 5, { excludeEnd: true })]);
});

Deno.test("a Date that was changed since it was read is written as it is now", () => {
  const [at] = read(records.get("time_utc_ns")!) as [Date];
  assertEquals(written(at), argumentsText(records.get("time_utc_ns")!));
  at.setUTCMilliseconds(124);
  assert(written(at).includes('"value":"2023-11-14T22:13:20.124000000Z"'));
  assert(written(new Date(at)).includes('"value":"2023-11-14T22:13:20.124000000Z"'));
});

Deno.test("a hash that was changed since it was read has the symbols that are left", () => {
  const [hash] = read(records.get("kwargs")!) as [Record<string, unknown>];
  delete hash.a;
  hash.d = 1;
  assertEquals(written(hash), '[{"b":"two","c":null,"d":1,"_aj_ruby2_keywords":["b","c"]}]');
  assertEquals(written({ ...hash }), '[{"b":"two","c":null,"d":1}]');
});

Deno.test("a time with zone of Rails 6, which writes no zone, is read with its offset and written as it was", () => {
  const name = "ActiveJob::Serializers::TimeWithZoneSerializer";
  const json = { _aj_serialized: name, value: "2023-11-14T23:13:20.000000005+01:00" };
  const args = read(JSON.stringify({ job_class: "EchoJob", arguments: [json] }));
  assertEquals(String(args[0]), "2023-11-14T23:13:20.000000005+01:00[+01:00]");
  assertEquals(written(...args), JSON.stringify([json]));
});

Deno.test("an offset with seconds, which has no place in the text, is written as UTC", () => {
  const local = Temporal.Instant.from("1880-01-01T00:00:00Z").toZonedDateTimeISO("Europe/Prague");
  assert(written(local).includes('"value":"1880-01-01T00:00:00.000000000Z","time_zone":"Europe/Prague"'));
});

/** Values of the kinds that Rails refuses, by the names of its records; Ruby's other types do not exist here. */
const REFUSED: Readonly<Record<string, unknown>> = {
  hash_integer_keys: { [Symbol("1")]: 1 },
  hash_reserved_key_globalid: { _aj_globalid: "gid://shop/Person/1" },
  hash_reserved_key_symbol: { _aj_symbol_keys: [] },
  hash_reserved_key_serialized: { _aj_serialized: "x" },
  hash_reserved_key_hwia: { _aj_hash_with_indifferent_access: true },
  hash_reserved_key_ruby2: { _aj_ruby2_keywords: [] },
  module_anonymous: class {},
  object_unsupported: new (class Thing {})(),
  lambda_unsupported: () => 1,
};

Deno.test("what Rails refuses is refused", async () => {
  const names = new Set((await readLines<{ name: string }>("rails_refused.jsonl")).map(({ name }) => name));
  for (const [name, value] of Object.entries(REFUSED)) {
    assert(names.delete(name), name);
    assertThrows(() => written({ a: [value] }), SerializationError, "Cannot serialize arguments[0].a[0]: ");
  }
  assertEquals([...names], [
    // Strings are Unicode here.
    ...["string_binary_high", "string_invalid_utf8"],
    // They have values here, which Rails reads, or a serializer of their own.
    ...["globalid_object_itself", "set_unsupported"],
    // Types of Ruby alone.
    ...["rational_unsupported", "complex_unsupported", "struct_unsupported"],
    "regexp_unsupported",
    // Delays are no arguments.
    ...["wait_future", "wait_until_future"],
  ]);
});
