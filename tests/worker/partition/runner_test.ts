/** The loop's clock and pace, on the memory broker: what it measures, and that it lets the event loop turn. */
import { assert, assertEquals } from "@std/assert";
import { activeJobTopic, App, type EventMap, Job } from "../../../mod.ts";

function appOf(jobs: readonly (new () => Job)[]): App {
  return new App({
    name: "loop",
    broker: "memory:",
    jobs: jobs as ConstructorParameters<typeof App>[0]["jobs"],
    topics: [activeJobTopic("default", { backoff: { initialMs: 300, maxMs: 300, jitter: 0 } })],
    logger: false,
  });
}

Deno.test("PerformLoop measures an attempt from its own start, not from the wait before it", async () => {
  class SecondTimeJob extends Job {
    perform() {
      if (this.attempt === 1) throw new Error("not yet");
    }
  }
  await using app = appOf([SecondTimeJob]);
  const performed: EventMap["job.performed"][] = [];
  app.on("job.performed", (event) => void performed.push(event));
  await SecondTimeJob.performLater();
  await app.worker().run(undefined, { once: true });
  assertEquals(performed.map(({ attempt }) => attempt), [2]);
  assert(performed[0]!.durationMs < 150, `It took ${performed[0]!.durationMs} ms`);
  assert(performed[0]!.waitMs! >= 299, `It waited for ${performed[0]!.waitMs} ms`);
});

Deno.test("PerformLoop lets timers run while jobs follow each other that never wait", async () => {
  class BusyJob extends Job {
    perform() {
      const untilMs = performance.now() + 2;
      while (performance.now() < untilMs);
    }
  }
  await using app = appOf([BusyJob]);
  let performed = 0;
  const atTick: number[] = [];
  app.on("job.performed", () => void performed++);
  for (let n = 0; n < 100; n++) await BusyJob.performLater();
  await app.flush();
  const timer = setInterval(() => atTick.push(performed), 10);
  await app.worker().run(undefined, { once: true });
  clearInterval(timer);
  const during = new Set(atTick.filter((count) => count > 0 && count < 100));
  assert(during.size >= 4, `Timers ran at ${[...during].join(", ")} of 100 jobs`);
});

Deno.test("PerformLoop counts a job as failed that blocked the event loop, and its own timer, for longer than its time", async () => {
  class BlockingJob extends Job {
    static override timeoutMs = 100;
    perform() {
      const untilMs = performance.now() + (this.attempt === 1 ? 120 : 1);
      while (performance.now() < untilMs);
    }
  }
  await using app = appOf([BlockingJob]);
  const failed: EventMap["job.failed"][] = [];
  const performed: EventMap["job.performed"][] = [];
  app.on("job.failed", (event) => void failed.push(event));
  app.on("job.performed", (event) => void performed.push(event));
  await BlockingJob.performLater();
  await app.worker().run(undefined, { once: true });
  assertEquals(failed.map(({ error, attempt }) => [error.errorClass, error.message, attempt]), [
    ["TimeoutError", "BlockingJob ran longer than its 100 ms", 1],
  ]);
  assertEquals(performed.map(({ attempt }) => attempt), [2]);
});
