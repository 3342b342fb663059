import { assertEquals } from "@std/assert";
import { Monitor } from "../../../src/monitor/monitor.ts";
import { RetriedStep } from "../../../src/scheduler/recurring/retried_step.ts";

Deno.test("RetriedStep waits after an error, reports it once, and starts again when its wait is over", async () => {
  const monitor = new Monitor();
  const errors: string[] = [];
  monitor.on("error.occurred", ({ where, error }) => errors.push(`${where}: ${error.message}`));
  let progress = Promise.withResolvers<void>();
  let runs: Promise<void> = Promise.resolve();
  const step = new RetriedStep({
    monitor,
    signal: new AbortController().signal,
    where: "recurring note",
    run: () => Promise.reject(new Error("offline")),
    track: (run) => runs = run,
    onProgress: () => progress.resolve(),
  });
  for (let attempt = 1; attempt <= 2; attempt++) {
    step.start();
    assertEquals([step.isBusy, step.isWaiting], [true, false]);
    await runs;
    assertEquals([step.isBusy, step.isWaiting, errors], [false, true, ["recurring note: offline"]]);
    progress = Promise.withResolvers<void>();
    if (attempt === 1) await progress.promise;
    else step.close();
  }
});

Deno.test("RetriedStep neither reports an error nor waits once its ownership has ended", async () => {
  const monitor = new Monitor();
  const calls: string[] = [];
  monitor.on("error.occurred", () => calls.push("error"));
  const ended = new AbortController();
  let runs: Promise<void> = Promise.resolve();
  const step = new RetriedStep({
    monitor,
    signal: ended.signal,
    where: "recurring note",
    run: () => {
      ended.abort();
      return Promise.reject(new Error("offline"));
    },
    track: (run) => runs = run,
    onProgress: () => calls.push("progress"),
  });
  step.start();
  await runs;
  assertEquals([step.isBusy, step.isWaiting, calls], [false, false, []]);
});
