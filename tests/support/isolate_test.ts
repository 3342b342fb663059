/** Functions that start outside of every scope. */
import { assertEquals, assertThrows } from "@std/assert";
import { AsyncLocalStorage } from "node:async_hooks";
import { isolate } from "../../src/support/isolate.ts";

Deno.test("isolate() keeps the contexts of the caller and of the function apart, both ways", async () => {
  const storage = new AsyncLocalStorage<string>();
  const seen: unknown[] = [];
  const isolated = storage.run("where it is wrapped", () =>
    isolate((name: string) => {
      seen.push(storage.getStore());
      storage.enterWith(name);
      if (name === "throws") throw new RangeError(name);
      return name.length;
    }));
  await Promise.resolve();
  storage.run("caller", () => {
    seen.push(isolated("entered"));
    seen.push(storage.getStore());
    assertThrows(() => isolated("throws"), RangeError, "throws");
    seen.push(storage.getStore());
  });
  assertEquals(seen, [undefined, 7, "caller", undefined, "caller"]);
});
