/**
 * Tests of the jobs of an application. `TestApp` gives the classes of the App a log of the test's own: no job reaches
 * the broker of the App, and a real worker performs the jobs: `deno test -A examples/testing/`
 */
import { TestApp } from "@activejob/kafka/testing";
import { assertEquals } from "@std/assert";
import { app, Current, WelcomeJob } from "../quickstart/app.ts";

/** The code under test: a function of the application that enqueues. */
function signUp(userId: number): Promise<unknown> {
  return Current.run({ userId }, () => WelcomeJob.performLater(userId, "signed up"));
}

Deno.test("a user who signs up is welcomed", async () => {
  await using t = TestApp.of(app);
  await signUp(7);
  t.assertEnqueuedWith(WelcomeJob, { args: [7, "signed up"], queue: "default" });
  t.assertEnqueuedJobs(1);

  const said: unknown[] = [];
  t.app.on("job.log", ({ message, details }) => said.push([message, details]));
  assertEquals(await t.performEnqueuedJobs(), 1);
  assertEquals(said, [["Welcome, user 7", { note: "signed up", asked: 7 }]]);
});

Deno.test("a user is welcomed once", async () => {
  await using t = TestApp.of(app);
  t.assertNoEnqueuedJobs();
  await signUp(8);
  t.assertEnqueuedJobs(1, { only: WelcomeJob });
});
