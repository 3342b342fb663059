/** The example of recurring jobs: each tick enqueues one job. */
import { assertEquals } from "@std/assert";
import { Child } from "../support/child.ts";

Deno.test("examples/recurring.ts enqueues one job a tick, and ends by itself", async () => {
  const folder = await Deno.makeTempDir({ prefix: "recurring-" });
  try {
    await using child = new Child(["examples/recurring.ts", `${folder}/jobs.db`]);
    const { code, stdout } = await child.ended();
    assertEquals([code, ...stdout.slice(0, 2)], [0, "stock: every 1 second", "sales: * * * * * *"]);
    for (const id of ["stock", "sales"]) {
      const times = stdout.flatMap((line) => line.split(`job ${id}/`)[1] ?? []).map((time) => Date.parse(time) / 1000);
      // With `overlap: false` a tick that follows a standstill is left out while the job of the last one still waits.
      const ticks = id === "sales" ? [...new Set(times)].sort() : times.map((_, n) => times[0]! + n);
      assertEquals(times, ticks);
      assertEquals(times.length >= 3, true);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
