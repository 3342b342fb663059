/** `--require`: parts of a run that may not be left out. */
import { assertEquals, assertThrows } from "@std/assert";
import { takeRequired, UsageError } from "../../tasks/requirements.ts";

Deno.test("takeRequired() takes the parts out of the command line, in both forms", () => {
  for (const flag of [["--require", "kafka"], ["--require=kafka"], ["--require=kafka", "--require", "kafka,kafka"]]) {
    const { required, rest } = takeRequired(["a", ...flag, "--b"]);
    assertEquals([...required], ["kafka"]);
    assertEquals(rest, ["a", "--b"]);
  }
  assertEquals([...takeRequired(["a"]).required], []);
});

Deno.test("takeRequired() refuses an unknown part with a suggestion, and a flag without parts", () => {
  const messageOf = (...args: string[]) => assertThrows(() => takeRequired(args), UsageError).message;
  assertEquals(
    messageOf("--require", "kafka,kafak"),
    'Cannot read --require: unknown part "kafak"; did you mean "kafka"? (declared: "kafka", "ruby", "chromium", "node")',
  );
  assertEquals(
    messageOf("--require=python"),
    'Cannot read --require: unknown part "python" (declared: "kafka", "ruby", "chromium", "node")',
  );
  assertEquals(
    messageOf("--require"),
    'Cannot read --require: unknown part "" (declared: "kafka", "ruby", "chromium", "node")',
  );
});
