/** The envelope: written with Rails' names and order; records of a real Rails application are read. */
import { currentAttributes, Job } from "@activejob/kafka";
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { PoisonError, SerializationError } from "../../src/errors.ts";
import { readTime } from "../../src/job/envelope.ts";
import { codec, codecOf } from "../support/codec.ts";

class EchoJob extends Job {
  static override jobName = "Admin::EchoJob";
  perform(..._args: unknown[]) {}
}

/** Records of a real Active Job application (`value` is the exact string in Kafka). */
const rails = new Map(
  (await Deno.readTextFile(new URL("rails_records.jsonl", import.meta.url))).trim().split("\n")
    .map((line) => JSON.parse(line) as { name: string; topic: string; value: string })
    .map((record) => [record.name, record]),
);

const read = (value: string) => codec.read(value);
const argumentsOf = (name: string) => read(rails.get(name)!.value).arguments;

function envelope(fields: Record<string, unknown>): string {
  return JSON.stringify({ job_class: "EchoJob", arguments: [], ...fields });
}

Deno.test("write() writes Rails' fields in Rails' order", () => {
  const job = EchoJob.of(1, { a: [2n ** 64n] }).set({ priority: -5 });
  job.enqueuedAt = "2026-11-24T06:55:12.669Z";
  const text = codec.write(job, "shop_default");
  assertEquals(
    text,
    `{"job_class":"Admin::EchoJob","job_id":"${job.jobId}","provider_job_id":null,"queue_name":"shop_default",` +
      `"priority":-5,"arguments":[1,{"a":[18446744073709551616]}],"executions":0,"exception_executions":{},` +
      `"locale":null,"timezone":null,"enqueued_at":"2026-11-24T06:55:12.669Z","scheduled_at":null}`,
  );
  assertEquals(Object.keys(JSON.parse(text)), Object.keys(JSON.parse(rails.get("int")!.value)));
  assertMatch(job.jobId, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

Deno.test("the envelope has current attributes at its end, serialized like arguments", () => {
  class Current extends currentAttributes<{ tenant: unknown; id: bigint }>("tenant", "id") {}
  const own = codecOf({ currentAttributes: [Current] });
  const text = Current.run({ tenant: "acme", id: 2n ** 64n }, () => own.write(EchoJob.of(), "default"));
  assert(
    text.endsWith(',"scheduled_at":null,"current_attributes":{"Current":{"tenant":"acme","id":18446744073709551616}}}'),
  );
  assertEquals(own.readAttributes(own.read(text)), { Current: { tenant: "acme", id: 2n ** 64n } });
  const dated = Current.run({ tenant: new Date(5) }, () => own.write(EchoJob.of(), "default"));
  assertEquals(own.readAttributes(own.read(dated)), { Current: { tenant: new Date(5) } });
  const wrong = () => Current.run({ tenant: () => 1 }, () => own.write(EchoJob.of(), "default"));
  assertThrows(wrong, SerializationError, "current_attributes.Current.tenant");
});

Deno.test("write() leaves trailing undefined arguments to the parameters' defaults, and no others", () => {
  assertEquals(read(codec.write(EchoJob.of(1, undefined, undefined), "default")).arguments, [1]);
  assertEquals(read(codec.write(EchoJob.of(undefined), "default")).arguments, []);
  assertEquals(read(codec.write(EchoJob.of(undefined, 1), "default")).arguments, [undefined, 1]);
});

Deno.test("read() reads an envelope of write()", () => {
  const job = EchoJob.of("a", 1.5, null).set({ priority: 7 });
  job.enqueuedAt = "2026-11-24T06:55:12.669Z";
  const { raw, codec: reader, ...envelope } = read(codec.write(job, "default"));
  assertEquals([raw.job_class, raw.exception_executions, reader], ["Admin::EchoJob", {}, codec]);
  assertEquals(envelope, {
    jobClass: "Admin::EchoJob",
    jobId: job.jobId,
    queueName: "default",
    priority: 7,
    arguments: ["a", 1.5, null],
    isPlain: true,
    executions: 0,
    enqueuedAt: "2026-11-24T06:55:12.669Z",
    scheduledAtMs: null,
    currentAttributes: undefined,
  });
});

Deno.test("small bigints and undefined are listed in fields that Rails ignores", () => {
  class Current extends currentAttributes<{ id: bigint }>("id") {}
  const own = codecOf({ currentAttributes: [Current] });
  const text = Current.run(
    { id: 7n },
    () => own.write(EchoJob.of(5n, 5, undefined, { a: undefined, b: null }), "default"),
  );
  assert(text.includes('"arguments":[5,5,null,{"a":null,"b":null}],'), text);
  assert(
    text.endsWith(
      ',"current_attributes":{"Current":{"id":7}},"bigints":["/arguments/0","/current_attributes/Current/id"],' +
        '"undefineds":["/arguments/2","/arguments/3/a"]}',
    ),
    text,
  );
  const envelope = own.read(text);
  assertEquals(own.readArguments(envelope), [5n, 5, undefined, { a: undefined, b: null }]);
  assertEquals(own.readAttributes(envelope), { Current: { id: 7n } });
});

Deno.test("a record of version 0.1 is read: its bigints are listed, and its other values are plain", () => {
  const text = envelope({ arguments: [5, { a: [1] }], bigints: ["/arguments/0", "/arguments/1/a/0"] });
  assertEquals(codec.readArguments(read(text)), [5n, { a: [1n] }]);
  const forged = envelope({ arguments: [1.5, "2", null], bigints: ["/arguments/0", "/arguments/1", "/arguments/2"] });
  assertEquals(codec.readArguments(read(forged)), [1.5, "2", null]);
});

Deno.test("read() reads every record of a Rails application: class, id, queue, counts and times", () => {
  assertEquals(rails.size, 98);
  for (const [name, { value, topic }] of rails) {
    const written = JSON.parse(value);
    const envelope = read(value);
    assertEquals(envelope.jobClass, written.job_class, name);
    assertEquals(envelope.jobId, written.job_id, name);
    assertEquals(envelope.queueName, name.startsWith("dlq_") ? written.queue_name : topic, name);
    assertEquals(envelope.priority, written.priority, name);
    assertEquals(envelope.executions, written.executions, name);
    assertEquals(envelope.arguments.length, written.arguments.length, name);
    // Rails writes nine fraction digits; milliseconds are kept.
    assertEquals(new Date(readTime(envelope.enqueuedAt!)!).toISOString(), `${written.enqueued_at.slice(0, 23)}Z`, name);
  }
  assertEquals(read(rails.get("retry_on_RetryingJob_executions_3")!.value).executions, 3);
  assertEquals(read(rails.get("wait_until_past")!.value).scheduledAtMs, Date.UTC(2024, 0, 1, 0, 0, 0, 250));
  assertEquals(read(rails.get("bulk_wait_future")!.value).scheduledAtMs, Date.UTC(2026, 10, 24, 6, 56, 12, 727));
});

Deno.test("read() reads a Rails application's arguments", () => {
  assertEquals(argumentsOf("int"), [0, 1, -1, 42]);
  assertEquals(argumentsOf("int_edges"), [
    2147483648,
    9007199254740992n,
    9007199254740993n,
    9223372036854775807n,
    18446744073709551616n,
    -9223372036854775808n,
  ]);
  assertEquals(argumentsOf("floats"), [
    ...[1, 0.1, -0, 100, 1e15, 1e16, 1e20, 1e-7, 1e100, 1.7976931348623157e308, 5e-324],
    ...[123456789.12345679, -2.5, 0.00003, 0.0001],
  ]);
  assertEquals(argumentsOf("string_newlines")[0], "a\nb\r\nc\td");
  assertEquals(argumentsOf("string_html"), ["<script>alert('x & y')</script>", "a>b"]);
  assertEquals(argumentsOf("string_js_separators"), ["line\u2028sep\u2029end"]);
  assertEquals(argumentsOf("nil_true_false"), [null, true, false]);
  assertEquals(argumentsOf("bulk_mixed#3"), []);
});

Deno.test("read() reads a wrong count as 0, and a wrong time as null", () => {
  for (const executions of [-1, 1e99, "0x10", " 5 ", "", 1.5, null, [], 100_000, "3"]) {
    assertEquals(read(envelope({ executions })).executions, 0, JSON.stringify(executions));
  }
  assertEquals(read(envelope({ executions: 99_999 })).executions, 99_999);
  assertEquals(
    read('{"job_class":"EchoJob","arguments":[9007199254740993],"executions":9007199254740993}').executions,
    0,
  );
  for (const enqueued_at of [1, "", null, {}, "x".repeat(1001)]) {
    assertEquals(read(envelope({ enqueued_at })).enqueuedAt, null, JSON.stringify(enqueued_at));
  }
  for (const text of ["", "yesterday", "2026-13-45T99:00:00Z", "2026-11-24", "+275761-01-01T00:00:00Z", "NaN"]) {
    assertEquals(readTime(text), null, text);
  }
  assertEquals(readTime("2026-11-24T07:55:12+01:00"), Date.UTC(2026, 10, 24, 6, 55, 12));
  assertEquals(readTime("2026-11-24T06:55:12.669473953Z"), Date.UTC(2026, 10, 24, 6, 55, 12, 669));
});

Deno.test("read() reads a wrong id, queue or priority as null", () => {
  for (const field of ["job_id", "queue_name"]) {
    for (const value of [5, "", null, "x".repeat(1001), {}]) {
      const { jobId, queueName } = read(envelope({ job_id: "id", queue_name: "q", [field]: value }));
      assertEquals([jobId, queueName], field === "job_id" ? [null, "q"] : ["id", null]);
    }
  }
  for (const priority of ["3", 1.5, 1e99, {}]) assertEquals(read(envelope({ priority })).priority, null);
});

Deno.test("read() leaves the name of the class to the registry", () => {
  assertEquals(read(envelope({ job_class: "legacy/echo" })).jobClass, "legacy/echo");
  for (const job_class of [undefined, null, 5, {}]) {
    assertThrows(() => read(envelope({ job_class })), PoisonError, 'The envelope has no "job_class"');
  }
});
