/** The page of a topic: partitions, pause and resume. No worker is alive. */
import { activeJobTopic, App, Job } from "@activejob/kafka";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { openDashboard } from "../../../support/dashboard.ts";

class MailJob extends Job {
  perform(_user: number) {}
}

function createApp(partitions = 3) {
  return new App({
    name: "shop",
    broker: "memory:",
    jobs: [MailJob],
    topics: [activeJobTopic("default", { partitions })],
    logger: false,
  });
}

Deno.test("the page of a topic has its partitions, each with a link to its records", async () => {
  await using app = createApp();
  await MailJob.performLater(1);
  await app.flush();
  const { open, api, follow } = openDashboard(app);
  const data = await api("topics/default");
  assertEquals(data.topic.partitions.map(({ partition }: { partition: number }) => partition), [0, 1, 2]);
  assertEquals([data.topic.lag, data.failing, data.running], [1, [], []]);
  const page = await open("topics/default");
  assertEquals((page.html.match(/<tr id="partition-/g) ?? []).length, 3);
  assertStringIncludes((await follow(page, "Look at the records")).text, "Records of default");
});

Deno.test("a topic with more than 100 partitions lists them by pages", async () => {
  await using app = createApp(250);
  const { open, follow } = openDashboard(app);
  const page = await open("topics/default");
  assertStringIncludes(page.text, "1–100 of 250");
  assertStringIncludes((await follow(await follow(page, "Next"), "Next")).text, "201–250 of 250");
});

Deno.test("an operator pauses a topic with a reason, and resumes it", async () => {
  await using app = createApp();
  const { open, press } = openDashboard(app);
  const paused = await press(await open("topics/default"), "Pause default", [[
    "why",
    "the <b>warehouse</b> is locked",
  ]]);
  assertStringIncludes(paused.text, "Paused topic default: no job of it starts");
  assertEquals((await app.paused()).map(({ by, why }) => [by, why]), [["ada", "the <b>warehouse</b> is locked"]]);
  const resumed = await press(await open("topics/default"), "Resume default");
  assertStringIncludes(resumed.text, "Resumed topic default");
  assertEquals(await app.paused(), []);
});

Deno.test("an operator pauses one partition with a reason, and resumes it; the topic goes on", async () => {
  await using app = createApp();
  const acted: unknown[] = [];
  app.on("operator.acted", ({ action, target, outcome }) => acted.push([action, target, outcome]));
  const { open, press, api } = openDashboard(app);
  const pause = await press(await open("topics/default"), "Pause partition 2", [["why", "<b>slow</b> shard"]]);
  assertStringIncludes(pause.text, "Paused partition 2 of topic default: no job of it starts");
  assertMatch(pause.text, /Partition 2 is paused by ada .{1,20}: <b>slow<\/b> shard/);
  assertEquals((await app.paused()).map(({ partition, by, why }) => [partition, by, why]), [
    [2, "ada", "<b>slow</b> shard"],
  ]);
  const data = await api("topics/default");
  assertEquals(data.pausedPartitions.map(({ partition, by }: Record<string, unknown>) => [partition, by]), [[
    2,
    "ada",
  ]]);
  assertEquals([data.topic.pausedBy, data.topic.partitions[0].state], [null, "ok"]);
  assertStringIncludes((await press(pause, "Resume partition 2")).text, "Resumed partition 2 of topic default");
  assertEquals(await app.paused(), []);
  assertStringIncludes((await press(pause, "Resume partition 2")).text, "Partition 2 of topic default is not paused");
  assertEquals(acted, [
    ["pause", "default/2", "done"],
    ["resume", "default/2", "done"],
    ["resume", "default/2", "refused"],
  ]);
});

Deno.test("while a topic is paused, no partition has a form; an earlier page resumes one, and says that the topic is paused", async () => {
  await using app = createApp();
  await app.pause("default", { partition: 0, by: "ben" });
  const { open, press } = openDashboard(app);
  const earlier = await open("topics/default");
  const paused = await press(earlier, "Pause default");
  assertStringIncludes(paused.text, "Partition 0 is paused by ben");
  assertEquals(paused.html.match(/<form\b/g)!.length, 1);
  assertStringIncludes(
    (await press(earlier, "Resume partition 0")).text,
    "Resumed partition 0 of topic default, but the whole topic is still paused",
  );
  await app.pause("default", { partition: 1 });
  assertStringIncludes((await press(paused, "Resume default")).text, "Resumed topic default");
  assertEquals(await app.paused(), []);
});

Deno.test("a partition that is not a number, or that the topic does not have, is not paused", async () => {
  await using app = createApp();
  const { open } = openDashboard(app);
  for (
    const [partition, reason] of [["1x", "not a number"], ["-1", "not a number"], ["", "not a number"], [
      "3",
      "no partition 3",
    ]]
  ) {
    const body = new URLSearchParams({ action: "pause", partition: partition! });
    const page = await open("topics/default", { method: "POST", body, headers: { "sec-fetch-site": "same-origin" } });
    assertStringIncludes(page.text, reason!);
  }
  assertEquals(await app.paused(), []);
});

Deno.test("a reader, and an App without orders, have no form to pause", async () => {
  await using app = createApp();
  await app.pause("default", { partition: 1 });
  assert(!(await openDashboard(app, "read").open("topics/default")).html.includes("<form"));
  await using without = new App({ ...app.options, name: "other", control: false });
  assert(!(await openDashboard(without).open("topics/default")).html.includes("<form"));
});

Deno.test("a topic that is not declared is 404, also for hostile names", async () => {
  await using app = createApp();
  const { open } = openDashboard(app);
  const page = await open(`topics/${encodeURIComponent("<img src=x>\u202e")}`);
  assertEquals(page.status, 404);
  assertMatch(page.text, /declares no topic "<img src=x>\\u202e"/);
  assert(!/<img|\u202e/.test(page.html));
});
