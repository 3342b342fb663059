/** Errors as lines on standard error. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { printError, printThrown } from "../../src/cli/print_error.ts";
import { UnknownTopicError } from "../../src/errors.ts";
import { stderr } from "../../src/support/stderr.ts";
import { cli } from "../support/child.ts";

Deno.test("--debug adds the stack of an error", async () => {
  const [plain, debug] = await Promise.all([
    cli(["worker", "--app", "tests/cli/apps/broken.ts"]),
    cli(["worker", "--app", "tests/cli/apps/broken.ts", "--debug"]),
  ]);
  assertEquals(plain.stderr.length, 1);
  assertEquals(debug.stderr[0], plain.stderr[0]);
  assert(debug.stderr.some((line) => /^ +at .*broken\.ts/.test(line)), debug.stderr.join("\n"));
});

/** Returns the lines that a function prints on standard error. */
function capture(print: () => void): string[] {
  const lines: string[] = [];
  const write = (text: string) => lines.push(text.replace(/\n$/, "")) > 0;
  Object.defineProperty(stderr, "write", { value: write, configurable: true });
  try {
    print();
  } finally {
    Reflect.deleteProperty(stderr, "write");
  }
  return lines;
}

Deno.test("printThrown() says how to create a topic that is missing, once", () => {
  const lines = capture(() => {
    printThrown(new UnknownTopicError('Cannot look at topic "dead": it does not exist'), false);
    printThrown(new UnknownTopicError('There is no topic "dead": create it with "topics apply"'), false);
  });
  assertEquals(lines, [
    'error: Cannot look at topic "dead": it does not exist; "topics apply" creates it',
    'error: There is no topic "dead": create it with "topics apply"',
  ]);
});

Deno.test("printError() prints one line without control characters", () => {
  assertEquals(capture(() => printError("a\n\u001b[31mb\u2028c")), ["error: a [31mb c"]);
});

Deno.test("printError() masks the user part of URLs, and no other string with an @", () => {
  const masked = {
    "kafka://shop:s3cret@a.example:9092": "kafka://***@a.example:9092",
    'in "https://token@a.example/app.ts"': 'in "https://***@a.example/app.ts"',
    "kafka://shop:p@ss/w:rd@a:9092,b:9092": "kafka://***@a:9092,b:9092",
    "kafka://a:9092,shop:s3cret@b:9092": "kafka://***@b:9092",
    "https://jsr.io/@activejob/kafka": "https://jsr.io/@activejob/kafka",
    "http://localhost:8000/@fs/app.ts": "http://localhost:8000/@fs/app.ts",
    "file:///home/a@b/app.ts": "file:///home/a@b/app.ts",
    "default/0@41, see kafka://a:9092": "default/0@41, see kafka://a:9092",
  };
  for (const [text, line] of Object.entries(masked)) {
    assertEquals(capture(() => printError(text)), [`error: ${line}`]);
  }
});

Deno.test("printThrown() prints each message of the causes once, whatever was thrown", () => {
  const cause = new Error("disk full");
  const error = new Error("Cannot write", { cause });
  (cause as { cause?: unknown }).cause = error;
  const throwing = {
    get message() {
      throw new Error("no");
    },
  };
  const lines = {
    "error: Cannot write: disk full": error,
    "error: undefined was thrown": undefined,
    "error: null was thrown": null,
    "error: text": "text",
    "error: { message: … }": throwing,
  };
  for (const [line, thrown] of Object.entries(lines)) {
    assertEquals(capture(() => printThrown(thrown, false)), [line]);
  }
  const [line, stacks] = capture(() => printThrown(new Error("x", { cause: new Error("kafka://a:b@c") }), true));
  assertEquals(line, "error: x: kafka://***@c");
  assertMatch(stacks!, /^Error: x\n[^]*\ncaused by Error: kafka:\/\/\*\*\*@c\n/);
});
