/** Waits end at their time, at a deadline, or at a signal. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { abortable, sleep, waitUntilAborted, waitUntilSettled } from "../../src/support/deadline.ts";

const never = new Promise<never>(() => {});

Deno.test("sleep() resolves after its time", async () => {
  const startMs = performance.now();
  await sleep(20);
  assert(performance.now() - startMs >= 19);
});

Deno.test("sleep() ends at an abort, and leaves no timer", async () => {
  const controller = new AbortController();
  const sleeping = sleep(60_000, controller.signal);
  controller.abort();
  await sleeping;
  await sleep(60_000, controller.signal);
});

Deno.test("waitUntilSettled() returns whether a promise was settled in time; a rejection counts", async () => {
  assertEquals(await waitUntilSettled(Promise.resolve(1), 60_000), true);
  assertEquals(await waitUntilSettled(Promise.reject(new Error("no")), 60_000), true);
  for (const timeoutMs of [-1, 0, 5]) assertEquals(await waitUntilSettled(never, timeoutMs), false);
});

Deno.test("waitUntilSettled() waits for ever where the time is longer than a timer can be", async () => {
  for (const timeoutMs of [Infinity, 2 ** 31]) assertEquals(await waitUntilSettled(sleep(20), timeoutMs), true);
});

Deno.test("waitUntilAborted() returns the value, or null once the signal has aborted", async () => {
  const { signal } = new AbortController();
  assertEquals(await waitUntilAborted(Promise.resolve(5), signal), 5);
  await assertRejects(() => waitUntilAborted(Promise.reject(new Error("before")), signal), Error, "before");
  const controller = new AbortController();
  const waiting = waitUntilAborted(never, controller.signal);
  const late = Promise.withResolvers<number>();
  const both = waitUntilAborted(late.promise, controller.signal);
  controller.abort();
  late.resolve(5);
  assertEquals([await waiting, await both], [null, null]);
  assertEquals(await waitUntilAborted(Promise.reject(new Error("after")), controller.signal), null);
});

Deno.test("abortable() ends as its promise does, and leaves no listener at the signal", async () => {
  const listeners = new Set<unknown>();
  const controller = new AbortController();
  const { signal } = controller;
  const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
  signal.addEventListener = ((...args: Parameters<typeof add>) => (listeners.add(args[1]), add(...args))) as typeof add;
  signal.removeEventListener = ((...args: Parameters<typeof add>) => {
    listeners.delete(args[1]);
    remove(...args);
  }) as typeof remove;
  const failure = new Error("failure");
  assertEquals(await abortable(Promise.resolve(1), signal), 1);
  assertEquals(await assertRejects(() => abortable(Promise.reject(failure), signal)), failure);
  assertEquals(await abortable(Promise.resolve(1)), 1);
  assertEquals(listeners.size, 0);
});

Deno.test("abortable() ends with the reason of its signal, and ignores what the promise does then", async () => {
  const late = Promise.withResolvers<void>();
  const controller = new AbortController();
  const reason = new Error("enough");
  const waiting = abortable(late.promise, controller.signal);
  controller.abort(reason);
  assertEquals(await assertRejects(() => waiting), reason);
  assertEquals(await assertRejects(() => abortable(late.promise, controller.signal)), reason);
  late.reject(new Error("an unhandled rejection would fail the test"));
  await late.promise.catch(() => {});
});
