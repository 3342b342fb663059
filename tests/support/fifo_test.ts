/** The queue: order, and memory that follows its length. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { assert, assertEquals } from "@std/assert";
import { Fifo } from "../../src/support/fifo.ts";
import { forSeeds } from "./random.ts";
import { processorMs } from "./until.ts";

Deno.test("Fifo behaves as an array does, for random sequences", () => {
  forSeeds(100, (random) => {
    const fifo = new Fifo<{ n: number }>();
    const model: { n: number }[] = [];
    for (let n = 0; n < 1000; n++) {
      if (random.chance(0.52)) {
        fifo.push({ n });
        model.push({ n });
      } else assertEquals(fifo.shift(), model.shift());
      if (random.chance(0.002)) {
        fifo.clear();
        model.length = 0;
      }
      assertEquals([fifo.length, fifo.first, fifo.last], [model.length, model[0], model.at(-1)]);
    }
    assertEquals([...fifo], model);
  });
});

Deno.test("Fifo gives slots back while a backlog lasts", () => {
  const fifo = new Fifo<object>();
  for (let waiting = 0; waiting < 100; waiting++) fifo.push({});
  let most = 0;
  for (let passed = 0; passed < 100_000; passed++) {
    fifo.push({});
    fifo.shift();
    most = Math.max(most, fifo.slots);
  }
  assertEquals(fifo.length, 100);
  assert(most <= 202, `${most} slots for 101 items`);
});

Deno.test("Fifo with a long backlog moves each item about once", async () => {
  const fifo = new Fifo<object>();
  for (let n = 0; n < 300_000; n++) fifo.push({});
  // Moving all items at each step would take minutes.
  assert(
    await processorMs(() => {
      while (fifo.shift() !== undefined);
    }) < 5000,
  );
  assertEquals([fifo.length, fifo.slots], [0, 0]);
});

Deno.test("Fifo does not keep an item alive that it has returned", async () => {
  setFlagsFromString("--expose-gc");
  const collectGarbage: () => void = runInNewContext("gc");
  const fifo = new Fifo<object>();
  const first = new WeakRef({});
  fifo.push(first.deref()!);
  fifo.push({});
  fifo.shift();
  // A reference that was read keeps its object until the end of the turn.
  await new Promise((resolve) => setTimeout(resolve, 0));
  collectGarbage();
  assertEquals([first.deref(), fifo.length], [undefined, 1]);
});
