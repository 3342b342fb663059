/** Functions that start outside of every scope. */
import { AsyncLocalStorage } from "node:async_hooks";
import { assertEquals, assertThrows } from "@std/assert";
import { isolate, runInRootContext } from "../../src/support/root_context.ts";

const user = new AsyncLocalStorage<string>();

/** Resolves once a function that was passed to runInRootContext() has run, with the user that it saw. */
function userInRootContext(): Promise<string | undefined> {
  return new Promise((resolve) => runInRootContext(() => resolve(user.getStore())));
}

Deno.test("runInRootContext() leaves the scope of its caller, at each call", async () => {
  assertEquals(await user.run("first", userInRootContext), undefined);
  assertEquals(await Promise.all(["a", "b", "c"].map((name) => user.run(name, userInRootContext))), [
    undefined,
    undefined,
    undefined,
  ]);
});

Deno.test("runInRootContext() calls in order, also from within a call, and never at once", async () => {
  const calls: string[] = [];
  await user.run("first", () =>
    new Promise<void>((resolve) => {
      runInRootContext(() => {
        calls.push("first");
        runInRootContext(() => {
          calls.push(`nested ${user.getStore()}`);
          resolve();
        });
      });
      runInRootContext(() => calls.push("second"));
      calls.push("caller");
    }));
  assertEquals(calls, ["caller", "first", "second", "nested undefined"]);
});

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
