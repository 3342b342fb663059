/** The cleanup policy of a topic. */
import { assertEquals } from "@std/assert";
import { hasCleanupPolicy } from "../../src/broker/cleanup_policy.ts";

Deno.test("hasCleanupPolicy() reads one policy or both, and is true for delete where none is set", () => {
  const policies = [undefined, "delete", "compact", "compact,delete", "delete, compact", "", "compacted"];
  const found = policies.map((policy) => {
    const config = new Map(policy === undefined ? [] : [["cleanup.policy", policy]]);
    return [hasCleanupPolicy(config, "compact"), hasCleanupPolicy(config, "delete")];
  });
  assertEquals(found, [
    [false, true],
    [false, true],
    [true, false],
    [true, true],
    [true, true],
    [false, false],
    [false, false],
  ]);
});
