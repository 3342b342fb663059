/** The small parts that a worker's partitions share: slots, gate, pacer, and the bounds of what waits. */
import { assert, assertEquals } from "@std/assert";
import type { Ownership } from "../../src/broker/broker.ts";
import { takeIn } from "../../src/worker/partition/decode.ts";
import { StartCondition } from "../../src/worker/partition/start_condition.ts";
import { MemoryBudget } from "../../src/worker/memory_budget.ts";
import { EventLoopYield } from "../../src/worker/event_loop_yield.ts";
import { Semaphore } from "../../src/worker/semaphore.ts";
import { RecordQueue } from "../../src/worker/partition/record_queue.ts";
import { recordOf } from "../support/worker.ts";

const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

Deno.test("Slots hands slots over in the order of asking, and a newcomer does not overtake", async () => {
  const slots = new Semaphore(2);
  const log: string[] = [];
  const take = (name: string) => slots.acquire().then(() => void log.push(name));
  await Promise.all([take("a"), take("b")]);
  const waiting = ["c", "d", "e"].map(take);
  assertEquals([slots.tryAcquire(), slots.acquired], [false, 2]);
  slots.release();
  assertEquals(slots.tryAcquire(), false, "what is given back is the first one's who waits");
  await turn();
  assertEquals(log, ["a", "b", "c"]);
  slots.release();
  slots.release();
  await Promise.all(waiting);
  assertEquals([log, slots.acquired], [["a", "b", "c", "d", "e"], 2]);
});

Deno.test("Slots are idle once the last one is given back, handed-over ones included", async () => {
  const slots = new Semaphore(1);
  await slots.idle();
  assert(slots.tryAcquire());
  let idle = false;
  const waiting = slots.idle().then(() => void (idle = true));
  const next = slots.acquire();
  slots.release();
  await next;
  await turn();
  assertEquals([idle, slots.acquired], [false, 1]);
  slots.release();
  await waiting;
  assertEquals(slots.acquired, 0);
});

Deno.test("Slots are fair: with one slot, a partition that always has work does not starve another", async () => {
  const slots = new Semaphore(1);
  const runs: string[] = [];
  const partition = async (name: string) => {
    for (let run = 0; run < 5; run++) {
      await slots.acquire();
      runs.push(name);
      await Promise.resolve();
      slots.release();
    }
  };
  await Promise.all([partition("a"), partition("b"), partition("c")]);
  assertEquals(runs.join(""), "abcabcabcabcabc");
});

Deno.test("Gate is open when no reason is left and the session is good; quiet proves nothing otherwise", () => {
  let heldUntilMs = 100;
  const gate = new StartCondition(() => heldUntilMs);
  const seen = () => [gate.canStart(99), gate.canCommit(99)];
  assertEquals(seen(), [true, true]);
  gate.block("quiet");
  assertEquals(seen(), [false, true]);
  for (const reason of ["releasing", "membership"] as const) {
    gate.block(reason);
    assertEquals(seen(), [false, false]);
    gate.unblock(reason);
  }
  assertEquals(seen(), [false, true]);
  gate.unblock("quiet");
  assertEquals([gate.canStart(100), gate.canCommit(100)], [false, false], "the session may have expired");
  heldUntilMs = Infinity;
  assertEquals([gate.canStart(100), gate.canCommit(100)], [true, true]);
});

Deno.test("changed() resolves for all who wait at the next change, and by itself, since the clock may have helped", async () => {
  const gate = new StartCondition(() => Infinity);
  const waiting = [gate.nextChange(), gate.nextChange()];
  gate.block("releasing");
  await Promise.all(waiting);
  await gate.nextChange();
});

Deno.test("Pacer asks for a turn of the event loop when none has come for long, one for all", async () => {
  const pacer = new EventLoopYield();
  let timers = 0;
  setTimeout(() => timers++, 0);
  const nowMs = performance.now();
  assertEquals([nowMs, nowMs + 5, nowMs + 50].map((ms) => pacer.isDue(ms)), [false, false, true]);
  await Promise.all([pacer.wait(), pacer.wait()]);
  assertEquals(timers, 1, "what was due before had its turn");
  assertEquals(pacer.isDue(nowMs + 100), false, "the loop turns again");
  pacer.stop();
});

/** A partition's queue, and which calls of its consumer it makes. */
function queue(intake: MemoryBudget, max: number) {
  const calls: string[] = [];
  const consumer = { pause: () => void calls.push("pause"), resume: () => void calls.push("resume") };
  const waiting = new RecordQueue({} as Ownership, consumer, intake, max);
  let offset = 0;
  const push = (bytes: number) => {
    const value = new Uint8Array(bytes);
    waiting.push(takeIn(recordOf(value, { offset: offset++ }), offset));
    waiting.pauseIfFull();
  };
  return { waiting, calls, push };
}

Deno.test("WaitingRecords pauses its partition when too many wait, and goes on below that", () => {
  const { waiting, calls, push } = queue(new MemoryBudget(1e9), 4);
  for (let count = 0; count < 6; count++) push(1);
  assertEquals(calls, ["pause"]);
  const offsets: number[] = [];
  for (const expected of [[], [], ["resume"], ["resume"], ["resume"], ["resume"]]) {
    offsets.push(waiting.first.offset);
    waiting.shift();
    assertEquals(calls.slice(1), expected);
  }
  assertEquals([offsets, waiting.count], [[0, 1, 2, 3, 4, 5], 0]);
});

Deno.test("WaitingRecords pauses when the whole worker holds too much, and goes on when there is room, wherever it came from", () => {
  const intake = new MemoryBudget(100);
  const [full, other] = [queue(intake, 1000), queue(intake, 1000)];
  for (let count = 0; count < 3; count++) full.push(40);
  for (let count = 0; count < 2; count++) other.push(0);
  assertEquals([full.calls, other.calls, intake.isFull], [["pause"], ["pause"], true]);
  other.waiting.shift();
  assertEquals(other.calls, ["pause"], "there is no room yet");
  full.waiting.shift();
  assertEquals([full.calls, other.calls, intake.isFull], [["pause", "resume"], ["pause", "resume"], false]);
});

Deno.test("WaitingRecords with nothing waiting is fetched from, however full the worker is of what stands still", () => {
  const intake = new MemoryBudget(100);
  const [stuck, other] = [queue(intake, 1000), queue(intake, 1000)];
  for (let count = 0; count < 3; count++) stuck.push(40);
  for (let count = 0; count < 2; count++) {
    other.push(40);
    other.waiting.shift();
  }
  other.waiting.pauseIfFull();
  assertEquals([stuck.calls, other.calls, intake.isFull], [["pause"], ["pause", "resume", "pause", "resume"], true]);
});

Deno.test("clear() gives back all that waited", () => {
  const intake = new MemoryBudget(100);
  const [lost, other] = [queue(intake, 1000), queue(intake, 1000)];
  for (let count = 0; count < 3; count++) lost.push(40);
  lost.waiting.shift();
  lost.push(40);
  other.push(0);
  lost.waiting.clear();
  assertEquals([lost.waiting.count, intake.isFull, other.calls], [0, false, ["pause", "resume"]]);
  for (let count = 0; count < 2; count++) other.push(49);
  assertEquals(intake.isFull, false, "nothing of what is lost still counts");
});
