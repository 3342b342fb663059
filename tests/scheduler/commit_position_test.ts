/** The codec of the commit's metadata: constant in size, and untrusted. */
import { assertEquals } from "@std/assert";
import { decodeSchedulePosition, encodeSchedulePosition } from "../../src/scheduler/commit_position.ts";

Deno.test("the position is read as it was written, and nothing is written if nothing waits", () => {
  const position = { front: 100, live: 4100, dueAtMs: 1_795_783_353_167 };
  const metadata = encodeSchedulePosition(position);
  assertEquals(metadata, "v1;w=4000:1795783353167");
  assertEquals(decodeSchedulePosition(metadata, 100), position);
  const cancelled = encodeSchedulePosition({ front: 100, live: 101, dueAtMs: Infinity });
  assertEquals(decodeSchedulePosition(cancelled, 100), { front: 100, live: 101, dueAtMs: Number.MAX_SAFE_INTEGER });
  assertEquals(encodeSchedulePosition({ front: 100, live: 100, dueAtMs: Infinity }), "");
  assertEquals(decodeSchedulePosition("", 100), { front: 100, live: 100, dueAtMs: Infinity });
});

Deno.test("metadata of another client counts for nothing", () => {
  for (const text of ["x", "v1;w=1", "v1;w=-1:5", "v1;w=1:5;", "v2;w=1:5", `v1;w=1:${"9".repeat(17)}`, "v1;w=0x1:1"]) {
    assertEquals(decodeSchedulePosition(text, 7), { front: 7, live: 7, dueAtMs: Infinity }, text);
  }
});
