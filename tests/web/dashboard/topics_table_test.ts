/** The table of topics: numbers that are not complete. */
import { assertEquals, assertMatch } from "@std/assert";
import type { PageContext } from "../../../src/web/dashboard/page.ts";
import { renderTopics } from "../../../src/web/dashboard/topics_table.ts";
import type { TopicStatus } from "../../../src/status/status.ts";

const topic: TopicStatus = {
  ...{
    queue: "mail",
    topic: "mail",
    group: "shop",
    state: "ok",
    reason: "nothing waits",
    lag: 0,
    oldestWaitingMs: null,
  },
  ...{ partitions: [], running: 0, delayed: 4000, deadLetters: null, workers: 1, pausedBy: null },
};
const context: PageContext = {
  ...{ access: "read", user: null, appName: "shop", path: "", query: new URLSearchParams(), nowMs: 0, outcome: null },
  url: (path) => path,
};

Deno.test("the number of delayed jobs is a minimum, or not known, where not all were counted", () => {
  const cellOf = (delayed: number, isDelayedComplete: boolean) => {
    const { text } = renderTopics({ ...STATUS, topics: [{ ...topic, delayed }], isDelayedComplete }, {}, context);
    return [...text.matchAll(/<td class="n">([^]*?)<\/td>/g)].map(([, cell]) => cell!)[4]!;
  };
  assertEquals([cellOf(4000, true), cellOf(4000, false)], ["4,000", "≥ 4,000"]);
  assertMatch(cellOf(0, true), />0</);
  assertMatch(cellOf(0, false), /not known/);
});

const STATUS = { atMs: 0, name: "shop", broker: "memory:", state: "ok" as const, notes: [] };
