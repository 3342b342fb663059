/** `deno task test` performs each run once, and counts the tests of all runs. */
import { assertEquals } from "@std/assert";
import type { Run } from "../../../tasks/test/plan.ts";
import { readCounts, sideBySide } from "../../../tasks/test/runner.ts";

const run = (name: string, onKafka = false): Run => ({ name, paths: [name], onKafka, isAlone: false, seconds: 1 });

Deno.test("readCounts() reads the last line of deno test, coloured or not", () => {
  const counts = (stdout: string, code = 0) => readCounts({ code, stdout });
  assertEquals(counts("ok | 3 passed | 0 failed (2ms)\n"), { passed: 3, failed: 0 });
  assertEquals(counts("FAILED | 3 passed (2 steps) | 1 failed (2ms)\n", 1), { passed: 3, failed: 1 });
  assertEquals(counts("\x1b[31mFAILED\x1b[0m | 3 passed | 2 failed | 1 ignored (2ms)\n", 1), { passed: 3, failed: 2 });
  // The output of a test may look like the last line.
  assertEquals(counts("ok | 9 passed | 9 failed\nok | 1 passed | 0 failed (2ms)\n"), { passed: 1, failed: 0 });
});

Deno.test("readCounts() counts a process that fails without a failed test as one failed test", () => {
  assertEquals(readCounts({ code: 1, stdout: "" }), { passed: 0, failed: 1 });
  assertEquals(readCounts({ code: 1, stdout: "ok | 1 passed | 0 failed (2ms)\n" }), { passed: 1, failed: 1 });
});

Deno.test("sideBySide() performs all runs in their order, at most so many at once", async () => {
  const started: string[] = [];
  let running = 0;
  let most = 0;
  const runs = ["a", "b", "c", "d", "e"].map((name) => run(name));
  await sideBySide(runs, 2, Promise.resolve(false), async ({ name }) => {
    started.push(name);
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 1));
    running--;
  });
  assertEquals(started, ["a", "b", "c", "d", "e"]);
  assertEquals(most, 2);
});

Deno.test("sideBySide() performs other runs until the Kafka is up, and then those on it first", async () => {
  const kafka = Promise.withResolvers<boolean>();
  const started: string[] = [];
  await sideBySide([run("k", true), run("a"), run("b"), run("l", true)], 1, kafka.promise, ({ name }) => {
    started.push(name);
    if (name === "a") kafka.resolve(true);
    return Promise.resolve();
  });
  assertEquals(started, ["a", "k", "l", "b"]);
});

Deno.test("sideBySide() runs half on Kafka, until only one kind is left", async () => {
  const running = new Set<string>();
  const pairs: string[] = [];
  const runs = ["k", "l", "m", "n"].map((name) => run(name, true)).concat(["a", "b"].map((name) => run(name)));
  const ends = new Map(runs.map(({ name }) => [name, Promise.withResolvers<void>()]));
  const kafka = Promise.resolve(true);
  await kafka;
  const ended = sideBySide([run("z"), ...runs], 2, kafka, async ({ name }) => {
    if (name === "z") return;
    running.add(name);
    if (running.size === 2) pairs.push([...running].sort().join(""));
    await ends.get(name)!.promise;
    running.delete(name);
  });
  const turn = () => new Promise((resolve) => setTimeout(resolve, 0));
  for (const name of ["a", "k", "b", "l", "m", "n"]) {
    while (running.size < (name === "n" ? 1 : 2)) await turn();
    ends.get(name)!.resolve();
    while (running.has(name)) await turn();
  }
  await ended;
  assertEquals(pairs, ["ak", "bk", "bl", "lm", "mn"]);
});

Deno.test("sideBySide() waits for the Kafka if nothing else is left, and drops its runs if there is none", async () => {
  for (const has of [true, false]) {
    const kafka = Promise.withResolvers<boolean>();
    const started: string[] = [];
    const ended = sideBySide([run("k", true), run("a")], 2, kafka.promise, ({ name }) => {
      started.push(name);
      return Promise.resolve();
    });
    setTimeout(() => kafka.resolve(has), 1);
    await ended;
    assertEquals(started, has ? ["a", "k"] : ["a"]);
  }
});
