/** Recurring jobs on a page: their ticks, and running one now. No worker is alive. */
import { activeJobTopic, App, Job } from "@activejob/kafka";
import { every } from "@activejob/kafka/recurring";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { createPlainApp, openDashboard } from "../../../support/dashboard.ts";

const performed: string[] = [];

class NightlyJob extends Job {
  perform(what: string) {
    performed.push(what);
  }
}

const createApp = () =>
  new App({
    name: "shop",
    broker: "memory:",
    jobs: [NightlyJob],
    topics: [activeJobTopic("default")],
    recurring: [every("0 3 * * *", NightlyJob.of("report"), { timeZone: "Europe/Prague", id: "nightly" })],
    logger: false,
  });

Deno.test("recurring jobs are listed with their schedule, the next tick and the last one", async () => {
  await using app = createApp();
  const { api, open } = openDashboard(app);
  const { jobs: [job] } = await api("recurring");
  assertEquals([job.id, job.schedule, job.timeZone, job.lastAtMs], ["nightly", "0 3 * * *", "Europe/Prague", null]);
  assertMatch((await open("recurring")).text, /nightly NightlyJob 0 3 \* \* \* Europe\/Prague in \d/);
  assert(!(await openDashboard(app, "read").open("recurring")).html.includes("<form"));
});

Deno.test("a recurring job is run now, once for each form", async () => {
  await using app = createApp();
  const { open, press } = openDashboard(app);
  const page = await open("recurring");
  assertStringIncludes((await press(page, "Run nightly now")).text, "Enqueued nightly now, as job ");
  assertStringIncludes((await press(page, "Run nightly now")).text, "nothing was done a second time");
  performed.length = 0;
  await app.worker().run(undefined, { once: true });
  assertEquals(performed, ["report"]);
});

Deno.test("an App without recurring jobs says so", async () => {
  await using app = createPlainApp();
  assertStringIncludes((await openDashboard(app).open("recurring")).text, "declares no recurring jobs");
});
