/** Missing permissions: how they are found, and the flags that allow them. */
import { assertEquals } from "@std/assert";
import { findMissingPermission, formatPermissionFlag, parseMissingPermission } from "../../src/support/permissions.ts";

const DENIED = 'Requires env access to "NODE_ENV", run again with the --allow-env flag';
const MISSING = { reason: 'Requires env access to "NODE_ENV"', flag: "--allow-env=NODE_ENV" };

Deno.test("parseMissingPermission() returns the reason and the flag of each of Deno's messages", () => {
  assertEquals(parseMissingPermission(DENIED), MISSING);
  const flags = {
    'Requires read access to "/etc/a,b c", run again with the --allow-read flag': "'--allow-read=/etc/a,,b c'",
    "Requires env access, run again with the --allow-env flag": "--allow-env",
    "Requires write access to <TMP>, run again with the --allow-write flag": "--allow-write",
    'Requires net access to "127.0.0.1:1", run again with the --allow-net flag': "--allow-net=127.0.0.1:1",
  };
  for (const [message, flag] of Object.entries(flags)) assertEquals(parseMissingPermission(message)?.flag, flag);
  assertEquals(parseMissingPermission("Requires patience"), null);
  assertEquals(parseMissingPermission(undefined), null);
});

Deno.test({
  name: "parseMissingPermission() reads the message of this Deno",
  permissions: { env: false },
  fn() {
    try {
      Deno.env.get("NODE_ENV");
    } catch (error) {
      return assertEquals(parseMissingPermission((error as Error).message), MISSING);
    }
    throw new Error("Expected Deno to refuse");
  },
});

Deno.test("findMissingPermission() finds a refusal behind other errors", () => {
  assertEquals(findMissingPermission(new Error("a", { cause: { errors: [new Error(DENIED)] } })), MISSING);
  const circular: { cause?: unknown } = {};
  circular.cause = circular;
  const throwing = {
    get message() {
      throw new Error("no");
    },
  };
  for (const other of [circular, throwing, null, undefined, "text", new Error("other")]) {
    assertEquals(findMissingPermission(other), null);
  }
});

Deno.test("formatPermissionFlag() allows everything without values, and quotes for a shell", () => {
  assertEquals(formatPermissionFlag("net", []), "--allow-net");
  assertEquals(formatPermissionFlag("env", ["A", "B"]), "--allow-env=A,B");
  assertEquals(formatPermissionFlag("read", ["it's"]), `'--allow-read=it'\\''s'`);
});
