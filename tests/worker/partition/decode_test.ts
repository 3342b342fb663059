/** From a record to a job, or the reason why it cannot be performed. */
import { Job } from "@activejob/kafka";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { JobRegistry } from "../../../src/job/registry.ts";
import { decode, type Decoded } from "../../../src/worker/partition/decode.ts";
import { toQueuedRecord } from "../../../src/worker/partition/queued_record.ts";
import { codec } from "../../support/codec.ts";
import { recordOf } from "../../support/worker.ts";

class EchoJob extends Job {
  static override jobAliases = ["legacy-echo"];
  perform() {}
}

const decoder = { registry: new JobRegistry([EchoJob]), codec, nowMs: Date.now };

function decoded(value: string | Uint8Array | null, maxPayloadBytes = 1000): Decoded {
  return decode(toQueuedRecord(recordOf(value), 1), decoder, {
    topic: "default",
    maxPayloadBytes,
    expiresAfterMs: null,
  });
}

function envelope(fields: Record<string, unknown> = {}): string {
  return JSON.stringify({ job_class: "EchoJob", arguments: [], ...fields });
}

Deno.test("decode() finds the class by its name or alias, and nothing else", () => {
  for (const name of ["EchoJob", "legacy-echo"]) {
    const found = decoded(envelope({ job_class: name }));
    assert(found.kind === "job");
    assertEquals([found.Class, found.envelope.jobClass], [EchoJob, name]);
  }
  assertEquals(decoded(null).kind, "tombstone");
  const unknown = decoded(envelope({ job_class: "Admin::OtherJob" }));
  assert(unknown.kind === "unknown");
  assertEquals(unknown.error.message, 'No job class "Admin::OtherJob" is known (known: EchoJob, legacy-echo)');
});

Deno.test("decode() returns the reason why a record can never be performed", () => {
  const cases: [string | Uint8Array, string][] = [
    [new Uint8Array([0x7b, 0xff]), "not UTF-8"],
    [new Uint8Array([0xef, 0xbb, 0xbf, ...new TextEncoder().encode(envelope())]), "not JSON"],
    ["", "not JSON"],
    ["{", "not JSON"],
    ['""', 'not an envelope: ""'],
    ["null", "not an envelope: null"],
    ["[]", "not an envelope: an array"],
    ["1", "not an envelope: 1"],
    ["{}", 'no "job_class"'],
    [envelope({ job_class: 1 }), 'no "job_class"'],
    [envelope({ arguments: {} }), 'no list of "arguments"'],
    [envelope({ arguments: undefined }), 'no list of "arguments"'],
    [envelope({ pad: "x".repeat(1000) }), "at most 1000 are read"],
    [envelope({ scheduled_at: 5 }), '"scheduled_at" is not a time: 5'],
    [envelope({ scheduled_at: "+275761-01-01T00:00:00Z" }), '"scheduled_at" is not a time'],
    [envelope({ scheduled_at: "soon" }), '"scheduled_at" is not a time: "soon"'],
    ...["constructor", "toString", "__proto__", "", "a\u0000b", "../jobs/x.ts", "https://x.y/z.ts", "a b", "A:B"].map(
      (
        name,
      ) => [envelope({ job_class: name }), "is not a name of a job class"] as [string, string],
    ),
  ];
  for (const [value, part] of cases) {
    const found = decoded(value);
    assert(found.kind === "poison", `${value} is ${found.kind}`);
    assertStringIncludes(found.error.message, part);
  }
  assertEquals(decoded(envelope({ job_class: `A${"a".repeat(254)}` })).kind, "unknown");
  assertEquals(decoded(envelope({ job_class: `A${"a".repeat(255)}` })).kind, "poison");
  const early = decoded(envelope({ scheduled_at: "2999-01-01T00:00:00Z" }));
  assertEquals([early.kind, early.kind === "early" && early.dueAtMs], ["early", Date.UTC(2999, 0)]);
  assertEquals(decoded(envelope({ scheduled_at: "2020-01-01T00:00:00.123456789Z" })).kind, "job", "it is due");
});

Deno.test("decode() accepts or refuses 200,000 nested brackets, wherever they are", () => {
  const deep = "[".repeat(200_000) + "]".repeat(200_000);
  const max = 1_000_000;
  assertEquals(decoded(deep, max).kind, "poison");
  assertEquals(decoded(`{"job_class":"EchoJob","arguments":${deep}}`, max).kind, "poison");
  assertEquals(decoded(`{"job_class":"EchoJob","arguments":[],"current_attributes":${deep}}`, max).kind, "poison");
  // An unknown field is not read.
  assertEquals(decoded(`{"job_class":"EchoJob","arguments":[],"other":${deep}}`, max).kind, "job");
});

Deno.test("decode() leaves prototypes alone", () => {
  const found = decoded(
    '{"job_class":"EchoJob","arguments":[{"__proto__":{"polluted":1}}],"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
  );
  assert(found.kind === "job");
  assertEquals(({} as { polluted?: unknown }).polluted, undefined);
  assertEquals(Object.keys(found.envelope.arguments[0] as object), ["__proto__"]);
});

Deno.test("decode() takes the time of the record for the age of a job whose own clock was never set", () => {
  const rules = { topic: "default", maxPayloadBytes: 1000, expiresAfterMs: 1000 };
  const decodedAt = (timestampMs: number) => {
    const record = { ...recordOf(envelope({ enqueued_at: "1970-01-01T00:00:00Z" })), timestampMs };
    return decode(toQueuedRecord(record, 1), { ...decoder, nowMs: () => 5000 }, rules);
  };
  const expired = decodedAt(3999);
  assert(expired.kind === "expired");
  assertEquals([expired.ageMs, expired.expiresAfterMs], [1001, 1000]);
  assertEquals([4000, 9000, 0, -1].map((timestampMs) => decodedAt(timestampMs).kind), Array(4).fill("job"));
});
