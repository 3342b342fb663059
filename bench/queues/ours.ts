/** This library, on the broker in `BROKER_URL`: the public App with its defaults. */
import { performAllLater } from "@activejob/kafka";
import { PADDING } from "../payload.ts";
import { benchApp, hooks, NoopJob } from "../workload.ts";
import type { JobQueue } from "./queue.ts";

/** Opens topic `name`. */
export function open(name: string): Promise<JobQueue> {
  const app = benchApp(name);
  return Promise.resolve({
    enqueue: (number) => NoopJob.performLater(number, PADDING),
    async enqueueAll(numbers) {
      await performAllLater(numbers.map((number) => NoopJob.of(number, PADDING)));
      await app.flush();
    },
    async enqueueAllAt(dueAtMs) {
      await performAllLater(dueAtMs.map((due) => NoopJob.set({ waitUntil: new Date(due) }).of(due, PADDING)));
      await app.flush();
    },
    create: () => app.applyTopics(),
    flush: () => app.flush(),
    async work(performed) {
      hooks.performed = performed;
      const started = new Promise<void>((resolve) => app.on("worker.started", () => resolve()));
      void app.worker().run();
      await started;
    },
  });
}
