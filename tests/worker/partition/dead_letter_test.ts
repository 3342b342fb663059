/** Dead letters: the forms that are tried, their content, and the truncation of error messages. */
import { assert, assertEquals } from "@std/assert";
import type { AppendOutcome, NewRecord } from "../../../src/broker/broker.ts";
import { BrokerError, RecordRefusedError, RecordTooLargeError } from "../../../src/errors.ts";
import { FaultInjectionLog } from "../../support/fault_injection_log.ts";
import { type DeadLetter, writeDeadLetter } from "../../../src/worker/partition/dead_letter.ts";
import { toQueuedRecord } from "../../../src/worker/partition/queued_record.ts";
import { recordOf } from "../../support/worker.ts";

const text = (bytes: Uint8Array | null | undefined) => bytes == null ? null : new TextDecoder().decode(bytes);
const bytes = (content: string) => new TextEncoder().encode(content);

function letter(fields: Partial<DeadLetter> = {}, record = recordOf("value", { key: bytes("key") })): DeadLetter {
  return {
    source: { topic: "default", partition: 2, offset: 40 },
    record: toQueuedRecord({ ...record, timestampMs: 1234 }, 41),
    group: "shop",
    attempts: 3,
    error: { errorClass: "TypeError", message: "no" },
    ...fields,
  };
}

const OWN = [
  ["dead-letter-topic", "default"],
  ["dead-letter-partition", "2"],
  ["dead-letter-offset", "40"],
  ["dead-letter-timestamp", "1234"],
  ["dead-letter-group", "shop"],
  ["dead-letter-attempts", "3"],
  ["dead-letter-error-class", "TypeError"],
  ["dead-letter-error-message", "no"],
] as [string, string | null][];

/** Takes every form down and refuses the first of them for their size. */
async function formsTried(
  dead: DeadLetter,
  refused: number,
  last?: AppendOutcome,
  error: Error = new RecordTooLargeError("Too large"),
) {
  const forms: NewRecord[] = [];
  const refusal = { ok: false, error, written: "no" } as const;
  const outcome = await writeDeadLetter("dead", dead, (topic, record) => {
    assertEquals(topic, "dead");
    forms.push(record);
    const good = { ok: true, position: { topic, partition: 0, offset: 0 } } as const;
    return Promise.resolve(forms.length <= refused ? refusal : last ?? good);
  });
  const shown = forms.map(({ key, value, headers }) => ({
    key: text(key as Uint8Array | null),
    value: text(value as Uint8Array | null),
    headers: headers!.map(([name, content]) => [name, text(content)]),
  }));
  return { forms: shown, outcome };
}

Deno.test("writeDeadLetter() writes the record byte for byte, its headers, and its source", async () => {
  const headers = [
    ["trace", bytes("1")],
    ["constructor", bytes("2")],
    ["none", null],
    ["trace", bytes("3")],
    ["dead-letter-topic", bytes("forged")],
    ["dead-letter-anything", bytes("forged")],
  ] as const;
  const { forms } = await formsTried(letter({}, recordOf("value", { key: bytes("key"), headers })), 0);
  assertEquals(forms, [{
    key: "key",
    value: "value",
    headers: [["trace", "1"], ["constructor", "2"], ["none", null], ["trace", "3"], ...OWN],
  }]);
});

Deno.test("writeDeadLetter() tries smaller forms of a letter that is refused for any of its content", async () => {
  const dead = letter({}, recordOf("value", { key: bytes("key"), headers: [["trace", bytes("1")]] }));
  const { forms, outcome } = await formsTried(dead, 1, undefined, new RecordRefusedError("INVALID_RECORD"));
  assertEquals([forms.length, outcome.ok], [2, true]);
});

Deno.test("writeDeadLetter() tries smaller forms of a letter that is too large", async () => {
  const dead = letter({}, recordOf("value", { key: bytes("key"), headers: [["trace", bytes("1")]] }));
  const omitted = [...OWN, ["dead-letter-value", "omitted"]];
  const { forms, outcome } = await formsTried(dead, 4);
  assertEquals(forms, [
    { key: "key", value: "value", headers: [["trace", "1"], ...OWN] },
    { key: "key", value: "value", headers: OWN },
    { key: "key", value: null, headers: omitted },
    { key: null, value: null, headers: omitted },
  ]);
  assertEquals(outcome.ok, false);
  const plain = await formsTried(letter({}, recordOf("value")), 9);
  assertEquals(plain.forms.map(({ value }) => value), ["value", null], "no form is tried twice");
});

Deno.test("writeDeadLetter() changes nothing for any other refusal", async () => {
  const refused = { ok: false, error: new BrokerError("Not allowed"), written: "no" } as const;
  const { forms, outcome } = await formsTried(letter(), 0, refused);
  assertEquals([forms.length, outcome], [1, refused]);
});

Deno.test("writeDeadLetter() gets a letter into a topic with a very small limit", async () => {
  const log = new FaultInjectionLog();
  log.createTopic("dead", 1, { "max.message.bytes": "600" });
  await using broker = log.open();
  const dead = letter({}, recordOf("x".repeat(5000), { headers: [["trace", bytes("y".repeat(5000))]] }));
  const outcome = await writeDeadLetter(
    "dead",
    dead,
    async (topic, record) => (await broker.append(topic, [record]))[0]!,
  );
  assert(outcome.ok);
  const stored = log.topic("dead")!.partitions[0]!.read(0, Infinity)!.records;
  assertEquals(stored.map(({ value }) => value), [null]);
  assertEquals(stored[0]!.headers.map(([name, content]) => [name, text(content)]), [...OWN, [
    "dead-letter-value",
    "omitted",
  ]]);
});

Deno.test("writeDeadLetter() truncates an error's message to 4 KB, without splitting a character", async () => {
  for (
    const [message, length] of [["a".repeat(5000), 4096], ["€".repeat(4000), 4095], [
      "a" + "😀".repeat(2000),
      4093,
    ]] as const
  ) {
    const { forms } = await formsTried(letter({ error: { errorClass: "Error", message } }), 0);
    const [, content] = forms[0]!.headers.at(-1)!;
    assertEquals(bytes(content!).length, length);
    assert(message.startsWith(content!), "cut within a character");
  }
});
