/** The send buffer: its bounds, the order of the waiting callers, and the limit of their wait. */
import { assertEquals, assertRejects } from "@std/assert";
import { SendBuffer } from "../../src/dispatch/send_buffer.ts";
import { BrokerError } from "../../src/errors.ts";
import { forSeeds } from "../support/random.ts";

/** Returns a function that takes space, and records that it has it. */
function taker(buffer: SendBuffer, log: string[]) {
  return (name: string, bytes: number) =>
    buffer.acquire(bytes).then(
      () => void log.push(name),
      (error: Error) => void log.push(`${name} failed: ${error.message}`),
    );
}

const microtasks = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

Deno.test("SendBuffer serves waiting callers in order, though a later one would fit", async () => {
  const buffer = new SendBuffer({ maxRecords: 10, maxBytes: 100 });
  const log: string[] = [];
  const take = taker(buffer, log);
  await take("a", 90);
  const waiting = [take("b", 50), take("c", 5)];
  await microtasks();
  assertEquals([log, buffer.tryAcquire(1)], [["a"], false]);
  buffer.release(90);
  await Promise.all(waiting);
  assertEquals([log, buffer.records], [["a", "b", "c"], 2]);
});

Deno.test("SendBuffer bounds records and bytes, and accepts a record that is larger than itself if it is empty", () => {
  const buffer = new SendBuffer({ maxRecords: 2, maxBytes: 100 });
  assertEquals([buffer.tryAcquire(1), buffer.tryAcquire(1), buffer.tryAcquire(1)], [true, true, false]);
  buffer.release(1);
  assertEquals([buffer.tryAcquire(100), buffer.tryAcquire(99)], [false, true]);
  buffer.release(1);
  buffer.release(99);
  assertEquals([buffer.tryAcquire(5000), buffer.tryAcquire(1)], [true, false]);
  buffer.release(5000);
  assertEquals(buffer.records, 0);
});

Deno.test("acquire() fails after maxWaitMs, states the pending jobs, and leaves no claim", async () => {
  const buffer = new SendBuffer({ maxRecords: 1, maxWaitMs: 5 });
  assertEquals(buffer.tryAcquire(7), true);
  await assertRejects(
    () => buffer.acquire(3),
    BrokerError,
    "The buffer stayed full for 5 ms: 1 jobs (7 bytes) wait for the broker",
  );
  buffer.release(7);
  assertEquals([buffer.records, buffer.tryAcquire(1)], [0, true]);
});

Deno.test("acquire() succeeds behind a caller that gave up, if there is enough space", async () => {
  const buffer = new SendBuffer({ maxBytes: 100, maxWaitMs: 20 });
  const log: string[] = [];
  buffer.tryAcquire(90);
  const large = buffer.acquire(50).catch(() => void log.push("large gave up"));
  await microtasks();
  const small = buffer.acquire(5).then(() => void log.push("small"));
  await Promise.all([large, small]);
  assertEquals([log.sort(), buffer.records], [["large gave up", "small"], 2]);
});

Deno.test("whenEmpty() resolves once no record is pending, those of waiting callers included", async () => {
  const buffer = new SendBuffer({ maxRecords: 1 });
  const log: string[] = [];
  await buffer.whenEmpty();
  buffer.tryAcquire(1);
  const emptied = [buffer.whenEmpty(), buffer.whenEmpty()].map((promise) =>
    promise.then(() => void log.push("emptied"))
  );
  const next = buffer.acquire(1).then(() => void log.push("next"));
  buffer.release(1);
  await next;
  assertEquals(log, ["next"]);
  buffer.release(1);
  await Promise.all(emptied);
  assertEquals(log, ["next", "emptied", "emptied"]);
});

Deno.test("SendBuffer stays within its bounds, and serves every caller, whatever the order of releases", async () => {
  const runs: Promise<void>[] = [];
  forSeeds(50, (random) => {
    const maxRecords = random.integer(1, 5);
    const maxBytes = random.integer(10, 100);
    const buffer = new SendBuffer({ maxRecords, maxBytes });
    const held: number[] = [];
    let admitted = 0;
    const takes = Array.from({ length: 40 }, () => random.integer(1, 40)).map(async (bytes) => {
      await buffer.acquire(bytes);
      admitted++;
      held.push(bytes);
      const sum = held.reduce((total, each) => total + each, 0);
      if (held.length > maxRecords || (sum > maxBytes && held.length > 1)) throw new Error("More than its bounds");
    });
    runs.push((async () => {
      while (admitted < 40 || held.length > 0) {
        await microtasks();
        const [bytes] = held.splice(random.integer(0, held.length - 1), 1);
        if (bytes !== undefined) buffer.release(bytes);
      }
      await Promise.all(takes);
      assertEquals(buffer.records, 0);
    })());
  });
  await Promise.all(runs);
});
