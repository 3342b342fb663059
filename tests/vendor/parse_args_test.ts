/**
 * The parts of `@std/cli/parse-args` on which this project relies. The test runs on the stand-in, and with
 * `deno task test:jsr` on the published package: both must return the same.
 */
import { parseArgs } from "@std/cli/parse-args";
import { assertEquals } from "@std/assert";

// The published function computes its return type from the options, which is of no use here.
const parse = parseArgs as unknown as (args: string[], options?: object) => Record<string, unknown>;

Deno.test("parseArgs() reads strings, booleans, numbers and words", () => {
  const options = { boolean: ["once"], string: ["app", "topics"] };
  assertEquals(parse(["worker", "--app", "app.ts", "--topics=a,b", "--once", "--concurrency", "20"], options), {
    _: ["worker"],
    app: "app.ts",
    topics: "a,b",
    once: true,
    concurrency: 20,
  });
  assertEquals(parse(["--app"], options), { _: [], app: "", once: false });
  assertEquals(parse(["--app", "1.0", "--once=false", "worker"], options), {
    _: ["worker"],
    app: "1.0",
    once: false,
  });
  assertEquals(parse(["--app=a=b"], options).app, "a=b");
  assertEquals(parse(["--app", "--once"], options), { _: [], app: "", once: true });
  assertEquals(parse(["--app=", "b"], options), { _: [], app: "b", once: false });
});

Deno.test('parseArgs() keeps words that look like numbers only with string "_"', () => {
  assertEquals(parse(["007", "x"])._, [7, "x"]);
  assertEquals(parse(["007", "x"], { string: ["_"] })._, ["007", "x"]);
});

Deno.test("parseArgs() keeps the last value of a repeated flag, and all of a collected one", () => {
  const options = { string: ["app", "topic"], collect: ["topic"], alias: { topic: "t" } };
  const { app, topic } = parse(["--app=a", "--topic=x", "--app=b", "-t", "y"], options);
  assertEquals([app, topic], ["b", ["x", "y"]]);
  assertEquals(parse([], options).topic, []);
});

Deno.test("parseArgs() negates only what is negatable", () => {
  const options = { boolean: ["color", "once"], negatable: ["color"], default: { color: true } };
  assertEquals(parse(["x", "--no-color", "--no-once"], options), {
    _: ["x"],
    color: false,
    once: false,
    "no-once": true,
  });
});

Deno.test("parseArgs() leaves everything after -- and, with stopEarly, after the first word", () => {
  assertEquals(parse(["a", "--", "--no-b", "--c="])._, ["a", "--no-b", "--c="]);
  assertEquals(parse(["--once", "a", "--app=x"], { boolean: ["once"], stopEarly: true }), {
    _: ["a", "--app=x"],
    once: true,
  });
});

Deno.test("parseArgs() calls unknown() for each undeclared flag and each word", () => {
  const calls: unknown[][] = [];
  const seen = parse(["word", "--once", "--tipics=a", "--no-x", "-q"], {
    boolean: ["once"],
    unknown(...args: unknown[]) {
      calls.push(args);
      return args[1] === undefined;
    },
  });
  assertEquals(seen, { _: ["word"], once: true });
  assertEquals(calls.map(([arg, key]) => [arg, key]), [
    ["word", undefined],
    ["--tipics=a", "tipics"],
    ["--no-x", "no-x"],
    ["-q", "q"],
  ]);
});
