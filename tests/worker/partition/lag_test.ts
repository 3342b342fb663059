/** How far a log reaches, and asking for it. */
import { assertEquals } from "@std/assert";
import { lagRefresher, LagTracker } from "../../../src/worker/partition/lag.ts";

Deno.test("LogEnd knows no lag before it is told the lag, nor without a position before it is told the start", () => {
  const end = new LagTracker();
  assertEquals([end.high, end.lag(3)], [null, null]);
  end.update(10);
  assertEquals([end.high, end.lag(3), end.lag(null)], [10, 7, null]);
  end.update(10, 4);
  assertEquals([end.lag(null), end.lag(3), end.lag(9), end.lag(10)], [6, 6, 1, 0]);
});

Deno.test("LogEnd never goes back, and a position beyond it is no lag", () => {
  const end = new LagTracker();
  end.update(10, 0);
  end.update(8, 0);
  assertEquals([end.high, end.lag(11)], [10, 0]);
});

Deno.test("endAsker() asks once a topic, one question at a time, and never rejects", async () => {
  const partitions = [["a", 0], ["a", 1], ["b", 0]].map(([topic, partition]) => ({
    ownership: { topic: topic as string, partition: partition as number },
    lag: new LagTracker(),
  }));
  const asked: string[] = [];
  const ask = lagRefresher({
    ends(topic) {
      asked.push(topic);
      if (topic === "b") return Promise.reject(new Error("away"));
      return Promise.resolve([{ partition: 1, low: 2, high: 7 }, { partition: 2, low: 0, high: 1 }]);
    },
  }, () => partitions);
  await Promise.all([ask(), ask()]);
  assertEquals(asked, ["a", "b"]);
  assertEquals(partitions.map(({ lag }) => [lag.high, lag.lag(null)]), [[null, null], [7, 5], [null, null]]);
  await ask();
  assertEquals(asked, ["a", "b", "a", "b"]);
});
