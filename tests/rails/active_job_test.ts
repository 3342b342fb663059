/** A real Active Job on the other side: a Ruby process reads what we write, and writes what we read. */
import { duration, globalId, Job, keywords, rubyModule, type Serializer, symbol, symbolKeys } from "@activejob/kafka";
import { assert, assertEquals } from "@std/assert";
import { findMissingRuby } from "../../tasks/ruby.ts";
import { codecOf } from "../support/codec.ts";

const missing = await findMissingRuby();

class Money {
  readonly cents: number | bigint;
  readonly currency: string;
  constructor(cents: number | bigint, currency: string) {
    this.cents = cents;
    this.currency = currency;
  }
}

const money: Serializer<Money, { cents: number | bigint; currency: string }> = {
  name: "MoneySerializer",
  handles: (value) => value instanceof Money,
  serialize: ({ cents, currency }) => ({ cents, currency }),
  deserialize: ({ cents, currency }) => new Money(cents, currency),
};

class EchoJob extends Job {
  perform(..._args: unknown[]) {}
}

const codec = codecOf({ serializers: [money] });

/** The response of the Ruby process to one line. */
interface RubyResponse {
  readonly envelope: string;
  readonly shown?: readonly string[];
  readonly keywords?: string;
  readonly error?: string;
}

/** Gives lines to a Ruby process. @returns its responses, in order */
async function askRuby(lines: readonly object[]): Promise<RubyResponse[]> {
  const ruby = new Deno.Command("ruby", {
    args: [new URL("echo.rb", import.meta.url).pathname],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = ruby.stdin.getWriter();
  await writer.write(new TextEncoder().encode(lines.map((line) => `${JSON.stringify(line)}\n`).join("")));
  await writer.close();
  const { success, stdout, stderr } = await ruby.output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim().split("\n").map((line) => JSON.parse(line));
}

function argumentsText(envelope: string): string {
  return /"arguments":(\[.*\]),"executions"/s.exec(envelope)![1]!;
}

/** Values with each object of Temporal as text: an assertion does not see what is inside of it. */
function withTemporalText(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withTemporalText);
  return /^\[object Temporal/.test(Object.prototype.toString.call(value)) ? String(value) : value;
}

/** Values, as Ruby shows them, and as they come back if they differ. */
const OURS: readonly (readonly [value: unknown, shown: string, back?: unknown])[] = [
  [null, "nil"],
  [true, "true"],
  [42, "42"],
  [5n, "5", 5],
  [2n ** 70n, "1180591620717411303424"],
  [1.5, "1.5"],
  [-0, "-0.0"],
  [1e20, "1.0e+20"],
  [2 ** 53, "9.007199254740992e+15"],
  [1e-7, "1.0e-07"],
  ['žluť <b> & \u2028 "q" \\ \u0000', '"žluť <b> & \\u2028 \\"q\\" \\\\ \\u0000"'],
  [[1, ["x", null]], '[1, ["x", nil]]'],
  [undefined, "nil", null],
  [{ a: 1, b: { c: [true] } }, '{"a"=>1, "b"=>{"c"=>[true]}}'],
  [{ note: undefined }, '{"note"=>nil}', { note: null }],
  [symbolKeys({ a: 1, b: symbol("x") }), "{:a=>1, :b=>:x}"],
  [symbolKeys({ a: 1, b: 2 }, ["b"]), '{"a"=>1, :b=>2}'],
  [symbol("with space"), ':"with space"'],
  [duration({ days: -2, hours: 1.5 }), "-2 days and 1.5 hours"],
  [duration({ months: 1 }), "1 month"],
  [new Date(Date.UTC(2024, 1, 29, 1, 2, 3, 456)), "2024-02-29 01:02:03.456 UTC"],
  [new Date("-000004-03-01T00:00:00Z"), "-0004-03-01 00:00:00 UTC"],
  [
    Temporal.Instant.from("2023-11-14T22:13:20.123456789Z"),
    "2023-11-14 22:13:20.123456789 UTC",
    new Date(1700000000123),
  ],
  [Temporal.PlainDate.from("2024-02-29"), "Thu, 29 Feb 2024"],
  [
    Temporal.ZonedDateTime.from("2023-11-14T23:13:20.000000005[Europe/Prague]"),
    "Tue, 14 Nov 2023 23:13:20.000000005 CET +01:00",
    "2023-11-14T23:13:20.000000005+01:00[+01:00]", // Rails 6.1 writes no zone
  ],
  [Temporal.ZonedDateTime.from("2024-07-01T12:34:56.5+05:30[+05:30]"), "Mon, 01 Jul 2024 12:34:56 +0530"],
  [rubyModule("ActiveSupport::HashWithIndifferentAccess"), "ActiveSupport::HashWithIndifferentAccess"],
  [globalId("gid://shop/Person/7"), '#<struct Person id="7">'],
  [new Money(1250, "EUR"), '#<struct Money cents=1250, currency="EUR">'],
  [[new Money(2n ** 64n, "EUR")], '[#<struct Money cents=18446744073709551616, currency="EUR">]'],
  [new Set<unknown>([1, symbol("b")]), "#<Set: {1, :b}>"],
];

Deno.test({
  name: "Ruby reads the arguments that we write, and we read them again as Ruby writes them",
  ignore: missing !== null,
  async fn() {
    const responses = await askRuby(OURS.map(([value]) => ({ envelope: codec.write(EchoJob.of([value]), "default") })));
    for (const [at, [value, shown, changed]] of OURS.entries()) {
      const back = changed === undefined ? value : changed;
      const { error, envelope, shown: [seen] = [] } = responses[at]!;
      assertEquals([error, seen], [undefined, `[${shown}]`]);
      const [[read]] = codec.readArguments(codec.read(envelope)) as [[unknown]];
      assertEquals(withTemporalText(read), withTemporalText(back), shown);
    }
  },
});

Deno.test({
  name: "Ruby takes keywords for keywords, and a hash for a hash",
  ignore: missing !== null,
  async fn() {
    const envelopes = [[1, keywords({ a: 1, b: symbol("x") })], [1, symbolKeys({ a: 1 })]]
      .map((args) => ({ envelope: codec.write(EchoJob.of(...args), "default") }));
    const [asKeywords, asHash] = await askRuby(envelopes);
    assertEquals([asKeywords!.error, asKeywords!.keywords], [undefined, "{:a=>1, :b=>:x}"]);
    assertEquals([asHash!.error, asHash!.keywords], [undefined, "{}"]);
  },
});

/** Arguments of Ruby, and how they are read. */
const RUBY: readonly (readonly [ruby: string, value: unknown])[] = [
  ["[nil, true, 5, 2**64, -2.5, 'é<&>']", [null, true, 5, 2n ** 64n, -2.5, "é<&>"]],
  ["[:a, [:b]]", [symbol("a"), [symbol("b")]]],
  ["[{a: 1, 'b' => {c: nil}}]", [{ a: 1, b: { c: null } }]],
  ["[{a: 1}.with_indifferent_access]", [{ a: 1 }]],
  ["[{}, []]", [{}, []]],
  ["[1, Hash.ruby2_keywords_hash({a: 1, b: :x})]", [1, { a: 1, b: symbol("x") }]],
  ["[5.minutes, 1.month + 2.days, 1.5.hours]", [
    duration({ minutes: 5 }),
    duration({ months: 1, days: 2 }),
    duration({ hours: 1.5 }),
  ]],
  ["[Date.new(2024, 2, 29), Date.new(-4, 3, 1)]", ["2024-02-29", "-000004-03-01"]],
  ["[Time.at(1700000000, 123456789, :nsec).utc]", [new Date(1700000000123)]],
  ["[Time.new(2024, 7, 1, 12, 0, 0, '+02:00')]", [new Date(Date.UTC(2024, 6, 1, 10))]],
  ["[Time.zone.local(2024, 7, 1)]", ["2024-07-01T00:00:00+02:00[+02:00]"]],
  ["[DateTime.new(2024, 7, 1, 12, 34, 56, '+05:30')]", ["2024-07-01T12:34:56+05:30[+05:30]"]],
  ["[String, ActiveSupport]", [rubyModule("String"), rubyModule("ActiveSupport")]],
  ["[Person.new(7), [Person.new('a b/ü')]]", [
    globalId("gid://shop/Person/7"),
    [globalId("gid://shop/Person/a+b%2F%C3%BC")],
  ]],
  ["[Money.new(5, 'EUR')]", [new Money(5, "EUR")]],
  ["[Set[1, :b]]", [new Set([1, symbol("b")])]],
];

Deno.test({
  name: "we read the arguments that Ruby writes, and write them back byte for byte",
  ignore: missing !== null,
  async fn() {
    const responses = await askRuby(RUBY.map(([ruby]) => ({ ruby })));
    for (const [at, [ruby, value]] of RUBY.entries()) {
      const { error, envelope } = responses[at]!;
      assertEquals(error, undefined, ruby);
      const args = codec.readArguments(codec.read(envelope));
      assertEquals(withTemporalText(args), value, ruby);
      assertEquals(argumentsText(codec.write(EchoJob.of(...args), "default")), argumentsText(envelope), ruby);
    }
    const [{ shown } = assertEquals(0, 1) as never] = await askRuby([
      { envelope: codec.write(EchoJob.of(globalId("gid://shop/Person/a+b%2F%C3%BC")), "default") },
    ]);
    assertEquals(shown, ['#<struct Person id="a b/ü">']);
    assertEquals(globalId("gid://shop/Person/a+b%2F%C3%BC").modelId, "a b/ü");
  },
});

Deno.test({
  name: "a value without a serializer class in Ruby fails there with its name, and a GlobalID that is gone as such",
  ignore: missing !== null,
  async fn() {
    const [map, gone] = await askRuby([
      { envelope: codec.write(EchoJob.of(new Map()), "default") },
      { envelope: codec.write(EchoJob.of(globalId("gid://shop/Person/0")), "default") },
    ]);
    assert(map!.error!.includes("JavaScript::MapSerializer is not known"), map!.error);
    assert(gone!.error!.startsWith("ActiveJob::DeserializationError: "), gone!.error);
  },
});
