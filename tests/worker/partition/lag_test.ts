/** The known end of a log, and requests for it. */
import { assertEquals } from "@std/assert";
import { createLagRefresh, LagTracker } from "../../../src/worker/partition/lag.ts";

Deno.test("LagTracker has no lag before it knows the end, nor without a position before it knows the start", () => {
  const end = new LagTracker();
  assertEquals([end.highWatermark, end.lagOf(3)], [null, null]);
  end.update(10);
  assertEquals([end.highWatermark, end.lagOf(3), end.lagOf(null)], [10, 7, null]);
  end.update(10, 4);
  assertEquals([end.lagOf(null), end.lagOf(3), end.lagOf(9), end.lagOf(10)], [6, 6, 1, 0]);
});

Deno.test("LagTracker never moves the end back, and a position beyond it has a lag of 0", () => {
  const end = new LagTracker();
  end.update(10, 0);
  end.update(8, 0);
  assertEquals([end.highWatermark, end.lagOf(11)], [10, 0]);
});

Deno.test("createLagRefresh() sends one request for each topic, one at a time, and never rejects", async () => {
  const partitions = [["a", 0], ["a", 1], ["b", 0]].map(([topic, partition]) => ({
    ownership: { topic: topic as string, partition: partition as number },
    lag: new LagTracker(),
  }));
  const requested: string[] = [];
  const refresh = createLagRefresh({
    ends(topic) {
      requested.push(topic);
      if (topic === "b") return Promise.reject(new Error("away"));
      return Promise.resolve([{ partition: 1, low: 2, high: 7 }, { partition: 2, low: 0, high: 1 }]);
    },
  }, () => partitions);
  await Promise.all([refresh(), refresh()]);
  assertEquals(requested, ["a", "b"]);
  assertEquals(partitions.map(({ lag }) => [lag.highWatermark, lag.lagOf(null)]), [[null, null], [7, 5], [null, null]]);
  await refresh();
  assertEquals(requested, ["a", "b", "a", "b"]);
});
