/** Four tests of this file fail with an error that cannot be read; the last one passes. */
import { activeJobTopic, App, Job } from "@activejob/kafka";
import { TestApp } from "@activejob/kafka/testing";

class UnreadableJob extends Job {
  perform(what: string) {
    const closed = () => {
      throw new TypeError("the connection is closed");
    };
    if (what === "revoked") {
      const { proxy, revoke } = Proxy.revocable(new Error("payment failed"), {});
      revoke();
      throw proxy;
    }
    if (what === "proxy") throw new Proxy(new Error("x"), { get: closed, has: closed, getPrototypeOf: closed });
    const error = new Error("payment failed");
    throw Object.defineProperty(error, what, { get: closed });
  }
}

const app = new App({
  name: "unreadable",
  broker: "memory:",
  jobs: [UnreadableJob],
  topics: [activeJobTopic("default")],
  logger: false,
});

for (const what of ["cause", "message", "proxy", "revoked"]) {
  Deno.test(what, async () => {
    await using t = TestApp.of(app);
    await UnreadableJob.performLater(what);
    await t.performEnqueuedJobs();
  });
}

Deno.test("passes", async () => {
  await using t = TestApp.of(app);
  t.assertNoEnqueuedJobs();
});
