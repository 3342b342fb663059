/**
 * How an application's jobs are tested. `TestApp` puts a log of the test's own under the App's classes: nothing reaches the
 * App's broker, nothing is left behind, and jobs take the real way all the same: `deno test -A examples/testing/`
 */
import { TestApp } from "@activejob/kafka/testing";
import { assertEquals } from "@std/assert";
import { app, Current, WelcomeJob } from "../quickstart/app.ts";

/** What is to be tested: code of the application that enqueues. */
function signUp(userId: number): Promise<unknown> {
  return Current.run({ userId }, () => WelcomeJob.performLater(userId, "signed up"));
}

Deno.test("whoever signs up is welcomed", async () => {
  await using t = TestApp.of(app);
  await signUp(7);
  t.assertEnqueuedWith(WelcomeJob, { args: [7, "signed up"], queue: "default" });
  t.assertEnqueuedJobs(1);

  const said: unknown[] = [];
  t.app.on("job.log", ({ message, details }) => said.push([message, details]));
  assertEquals(await t.performEnqueuedJobs(), 1);
  assertEquals(said, [["Welcome, user 7", { note: "signed up", asked: 7 }]]);
});

Deno.test("nobody is welcomed twice", async () => {
  await using t = TestApp.of(app);
  t.assertNoEnqueuedJobs();
  await signUp(8);
  t.assertEnqueuedJobs(1, { only: WelcomeJob });
});
