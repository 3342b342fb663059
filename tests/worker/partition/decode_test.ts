/** From a record to a job: bytes are kept as they came, nothing of a fetch stays alive, and nothing throws. */
import { Job } from "@activejob/kafka";
import { assert, assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import { Buffer } from "node:buffer";
import { JobRegistry } from "../../../src/job/registry.ts";
import {
  decode,
  type Decoded,
  derivedJobId,
  keyBytes,
  takeIn,
  valueBytes,
} from "../../../src/worker/partition/decode.ts";
import { forSeeds } from "../../support/random.ts";
import { recordOf } from "../../support/worker.ts";

class EchoJob extends Job {
  static override jobAliases = ["legacy-echo"];
  perform() {}
}

const registry = new JobRegistry([EchoJob]);

function decoded(value: string | Uint8Array | null, maxPayloadBytes = 1000): Decoded {
  return decode(takeIn(recordOf(value), 1), registry, maxPayloadBytes);
}

function envelope(fields: Record<string, unknown> = {}): string {
  return JSON.stringify({ job_class: "EchoJob", arguments: [], ...fields });
}

Deno.test("takeIn() gives key and value back byte for byte, whatever they are", () => {
  const bom = new Uint8Array([0xef, 0xbb, 0xbf, 0x7b, 0x7d]);
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  for (const bytes of [bom, all, new Uint8Array(), new TextEncoder().encode("žluťoučký 日本 \u0000")]) {
    const taken = takeIn(recordOf(bytes, { key: bytes }), 1);
    assertEquals(new Uint8Array(valueBytes(taken)!), bytes);
    assertEquals(new Uint8Array(keyBytes(taken)!), bytes);
  }
  forSeeds(300, (random) => {
    const bytes = Uint8Array.from({ length: random.integer(0, 20) }, () => random.integer(0, 255));
    const taken = takeIn(recordOf(bytes, { key: bytes }), 1);
    assertEquals(new Uint8Array(valueBytes(taken)!), bytes);
    assertEquals(new Uint8Array(keyBytes(taken)!), bytes);
    assertEquals(taken.bytes, bytes.length);
  });
  const tombstone = takeIn(recordOf(null), 1);
  assertEquals([valueBytes(tombstone), keyBytes(tombstone), tombstone.bytes], [null, null, 0]);
});

Deno.test("takeIn() keeps nothing of the broker's memory", () => {
  // As kafkajs hands records over: Buffers that are windows into one fetch.
  const fetched = Buffer.from("key,value,header");
  const [key, value, header] = [fetched.subarray(0, 3), fetched.subarray(4, 9), fetched.subarray(10)];
  const headers = [["a", header], ["none", null], ["a", header]] as const;
  const taken = takeIn({ offset: 4, key, value, headers, timestampMs: 7 }, 9);
  fetched.fill(0);
  assertEquals(Buffer.from(keyBytes(taken)!).toString(), "key");
  assertEquals(taken.value, "value");
  assertEquals(taken.headers.map(([name, bytes]) => [name, bytes === null ? null : new TextDecoder().decode(bytes)]), [
    ["a", "header"],
    ["none", null],
    ["a", "header"],
  ]);
  for (const [, bytes] of taken.headers) assert(bytes === null || bytes.buffer !== fetched.buffer);
  assertEquals([taken.offset, taken.next, taken.timestampMs, taken.finished], [4, 9, 7, false]);
});

Deno.test("decode() finds the class by its name or alias, and nothing else", () => {
  for (const name of ["EchoJob", "legacy-echo"]) {
    const found = decoded(envelope({ job_class: name }));
    assert(found.kind === "job");
    assertEquals([found.Class, found.envelope.jobClass], [EchoJob, name]);
  }
  assertEquals(decoded(null).kind, "tombstone");
  const unknown = decoded(envelope({ job_class: "Admin::OtherJob" }));
  assert(unknown.kind === "unknown_class");
  assertEquals(unknown.error.message, 'No job class "Admin::OtherJob" is known (known: EchoJob, legacy-echo)');
});

Deno.test("decode() says why a record can never be performed", () => {
  const cases: [string | Uint8Array, string][] = [
    [new Uint8Array([0x7b, 0xff]), "no UTF-8"],
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
    [envelope({ scheduled_at: "2999-01-01T00:00:00Z" }), "delayed jobs are not supported yet"],
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
  assertEquals(decoded(envelope({ job_class: `A${"a".repeat(254)}` })).kind, "unknown_class");
  assertEquals(decoded(envelope({ job_class: `A${"a".repeat(255)}` })).kind, "poison");
  assertEquals(decoded(envelope({ scheduled_at: "2020-01-01T00:00:00.123456789Z" })).kind, "job", "it is due");
});

Deno.test("decode() survives 200,000 nested brackets, wherever they stand", () => {
  const deep = "[".repeat(200_000) + "]".repeat(200_000);
  const max = 1_000_000;
  assertEquals(decoded(deep, max).kind, "poison");
  assertEquals(decoded(`{"job_class":"EchoJob","arguments":${deep}}`, max).kind, "poison");
  assertEquals(decoded(`{"job_class":"EchoJob","arguments":[],"current_attributes":${deep}}`, max).kind, "poison");
  // Nobody looks into a field that nobody knows.
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

Deno.test("derivedJobId() is a UUID, the same for a record and another for each", () => {
  const id = derivedJobId("default", 3, 17);
  assertMatch(id, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assertEquals(derivedJobId("default", 3, 17), id);
  for (const [topic, partition, offset] of [["default", 3, 18], ["default", 31, 7], ["default2", 3, 17]] as const) {
    assertNotEquals(derivedJobId(topic, partition, offset), id);
  }
});
