/** `deno task kafka`: its command line. No Kafka is started. */
import { assertEquals, assertThrows } from "@std/assert";
import { readLine } from "../../tasks/kafka.ts";
import { UsageError } from "../../tasks/requirements.ts";

Deno.test("readLine() reads an action with its options, in any order", () => {
  assertEquals(readLine(["start"]), { action: "start", port: 9092, secure: false });
  assertEquals(readLine(["--port=9100", "stop"]), { action: "stop", port: 9100, secure: false });
  assertEquals(readLine(["start", "--secure", "--port", "0"]), { action: "start", port: 0, secure: true });
});

Deno.test("readLine() finds --help before an action is taken", () => {
  for (const args of [["--help"], ["start", "--help"], ["-h", "start", "--port", "9100"]]) {
    assertEquals(readLine(args), "help");
  }
});

Deno.test("readLine() refuses unknown options and words, and a port that is not one", () => {
  for (
    const args of [
      [],
      ["begin"],
      ["start", "stop"],
      ["start", "--prot", "9100"],
      ["start", "-p", "9100"],
      ["start", "--secure=yes"],
      ["start", "--port"],
      ["start", "--port", ""],
      ["start", "--port", "65536"],
      ["start", "--port", "1e3"],
    ]
  ) assertThrows(() => readLine(args), UsageError, "", args.join(" "));
  const error = assertThrows(() => readLine(["start", "--prot", "9100"]), UsageError);
  assertEquals(error.message.split("\n"), [
    "Unknown option '--prot'",
    "Usage: deno task kafka start|stop|status [--port N] [--secure]",
  ]);
});
