/** The verdict on a load: each thing that must not happen is counted, and nothing else. */
import { assertEquals } from "@std/assert";
import { LineFile } from "./line_file.ts";
import type { EnqueueLine, LedgerLine } from "./load_job.ts";
import { judge, longestDelayMs, longestStandstillMs } from "./load_verdict.ts";

const AT = { topic: "jobs", partition: 0 };
const PERIOD = { sinceMs: 100, untilMs: 200 };

/** A run of the n-th job of a key. */
function ran(n: number, { key = "a", offset = n, atMs = 100 + n } = {}): LedgerLine {
  return { ...AT, key, n, offset, atMs };
}

/** The outcome of the n-th call for a key. */
function called(n: number, written: EnqueueLine["written"] = "yes", settledMs = 90 + n): EnqueueLine {
  return { topic: AT.topic, key: "a", n, written, calledMs: 80, settledMs };
}

const NONE = { lost: 0, outOfOrder: 0, ranTwice: 0, writtenTwice: 0, wronglyDenied: 0, notAcknowledged: 0 };

Deno.test("judge() finds nothing in jobs that ran once each, in the order of their keys", () => {
  const performed = [ran(0), ran(0, { key: "b", offset: 7 }), ran(1), ran(2)];
  assertEquals(judge([called(0), called(1), called(2)], performed, 0), { ...NONE, worstAckMs: 12 });
});

Deno.test("judge() counts jobs out of order by their first runs", () => {
  const outcomes = [called(0), called(1), called(2)];
  assertEquals(judge(outcomes, [ran(0), ran(2), ran(1)], 0), { ...NONE, outOfOrder: 1, worstAckMs: 12 });
  assertEquals(judge(outcomes, [ran(0), ran(1), ran(0), ran(1)], 0), { ...NONE, ranTwice: 2, worstAckMs: 12 });
});

Deno.test("judge() distinguishes a record that ran twice from a job that was written twice", () => {
  assertEquals(judge([called(0)], [ran(0), ran(0)], 0), { ...NONE, ranTwice: 1, worstAckMs: 10 });
  assertEquals(judge([called(0)], [ran(0), ran(0, { offset: 9 })], 0), { ...NONE, writtenTwice: 1, worstAckMs: 10 });
});

Deno.test("judge() counts jobs that ran although they were reported as not written", () => {
  const outcomes = [called(0, "no"), called(1, "unknown"), called(2, "no")];
  assertEquals(judge(outcomes, [ran(0), ran(1)], 3), {
    ...NONE,
    lost: 3,
    wronglyDenied: 1,
    notAcknowledged: 3,
    worstAckMs: 0,
  });
});

Deno.test("judge() counts the time of an acknowledgement from the fault where the call was made before it", () => {
  assertEquals(judge([called(0), called(5)], [ran(0), ran(5)], 0, 0).worstAckMs, 15);
  assertEquals(judge([called(0), called(5)], [ran(0), ran(5)], 0, 92).worstAckMs, 3);
});

Deno.test("longestStandstillMs() counts from the beginning of the period to its end, without second runs", () => {
  const performed = [ran(0, { atMs: 50 }), ran(1, { atMs: 130 }), ran(2, { atMs: 150 }), ran(1, { atMs: 190 })];
  assertEquals(longestStandstillMs(performed, AT, PERIOD), 50);
  assertEquals(longestStandstillMs(performed, { ...AT, partition: 1 }, PERIOD), 100);
});

Deno.test("longestDelayMs() counts from the acknowledgement, or the beginning of the period, to the first run", () => {
  const performed = [ran(0, { atMs: 130 }), ran(1, { atMs: 160 }), ran(2, { atMs: 250 })];
  const outcomes = [called(0, "yes", 110), called(1, "yes", 112), called(2, "yes", 113)];
  assertEquals(longestDelayMs(outcomes, performed, AT, PERIOD), 48);
  assertEquals(longestDelayMs([called(0), called(1), called(2)], performed, AT, PERIOD), 60);
  assertEquals(longestDelayMs([], performed, AT, PERIOD), 0);
});

Deno.test("LineFile reads what was appended since, and keeps half a line until its end comes", async () => {
  const folder = await Deno.makeTempDir();
  const file = new LineFile<number>(`${folder}/lines`);
  const append = (text: string) => Deno.writeTextFileSync(file.path, text, { append: true });
  assertEquals(file.read(), []);
  append("1\n2");
  assertEquals(file.read(), [1]);
  append("3\n4\n");
  assertEquals(file.read(), [1, 23, 4]);
  file.close();
  await Deno.remove(folder, { recursive: true });
});
