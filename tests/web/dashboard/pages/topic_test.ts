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

Deno.test("a reader, and an App without orders, have no form to pause", async () => {
  await using app = createApp();
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
