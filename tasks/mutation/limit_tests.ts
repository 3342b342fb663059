/**
 * Loaded before the tests of a mutant (`deno test --preload`): a test that takes longer than `TEST_LIMIT_MS` fails. Without
 * the guard it may wait for what no longer comes, or for a stop that takes its whole limit.
 *
 * Only time that the process had counts, so that a test does not fail since the machine is busy. Deno has no such option,
 * and so `Deno.test` is replaced.
 */
import { Patience } from "../../tests/support/patience.ts";

/** The time between two looks at the limit, in ms. */
const LOOK_EVERY_MS = 50;

const limitMs = Number(Deno.env.get("TEST_LIMIT_MS"));
// Some tests replace them.
const { setInterval, clearInterval } = globalThis;

type TestFunction = (t: Deno.TestContext) => void | Promise<void>;

/** Returns a test of the same name that fails once the limit is over. */
function limited(test: TestFunction): TestFunction {
  const run: TestFunction = async (t) => {
    const expired = Promise.withResolvers<never>();
    const patience = new Patience(limitMs);
    const timer = setInterval(() => {
      if (patience.isOver) expired.reject(new Error(`The test did not end within ${limitMs} ms`));
    }, LOOK_EVERY_MS);
    // A test that waits with nothing to wait for fails at once.
    Deno.unrefTimer(timer);
    try {
      await Promise.race([test(t), expired.promise]);
    } finally {
      clearInterval(timer);
    }
  };
  return Object.defineProperty(run, "name", { value: test.name });
}

/** Returns an argument of `Deno.test` with its function limited. */
function limitedArgument(argument: unknown): unknown {
  if (typeof argument === "function") return limited(argument as TestFunction);
  if (typeof argument !== "object" || argument === null || !("fn" in argument)) return argument;
  return { ...argument, fn: limited(argument.fn as TestFunction) };
}

const test = new Proxy(Deno.test, {
  apply: (declare, self, args) => Reflect.apply(declare, self, args.map(limitedArgument)),
});
Object.defineProperty(Deno, "test", { value: test });
