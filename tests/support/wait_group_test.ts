/** Waiting until nothing is under way. */
import { assertEquals, assertRejects } from "@std/assert";
import { WaitGroup } from "../../src/support/wait_group.ts";

Deno.test("WaitGroup.whenEmpty() resolves when the count comes to 0, for all that wait", async () => {
  const group = new WaitGroup();
  await group.whenEmpty();
  group.add();
  group.add();
  const log: string[] = [];
  const waiting = [1, 2].map(() => group.whenEmpty().then(() => log.push("empty")));
  group.done();
  await Promise.resolve();
  assertEquals([group.count, log], [1, []]);
  group.done();
  await Promise.all(waiting);
  assertEquals([group.count, log], [0, ["empty", "empty"]]);
});

Deno.test("WaitGroup.track() counts a promise until it settles, also if it rejects", async () => {
  const group = new WaitGroup();
  assertEquals(await group.track(Promise.resolve(3)), 3);
  await assertRejects(() => group.track(Promise.reject(new RangeError("no"))), RangeError, "no");
  const { promise, resolve } = Promise.withResolvers<void>();
  const tracked = group.track(promise);
  assertEquals(group.count, 1);
  resolve();
  await tracked;
  assertEquals(group.count, 0);
});
