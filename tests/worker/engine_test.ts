/** The parts of a running worker: the start that is reported. */
import { assertEquals } from "@std/assert";
import { setUpWorker } from "../support/worker.ts";

Deno.test("a worker that is stopped while it joins does not report its start", async () => {
  const { app, worker } = setUpWorker();
  await using _ = app;
  const seen: string[] = [];
  app.on("partition.assigned", () => {
    seen.push("assigned");
    void worker.stop();
  });
  app.on("worker.started", () => seen.push("started"));
  app.on("worker.stopped", () => seen.push("stopped"));
  await worker.run();
  assertEquals(seen, ["assigned", "stopped"]);
});
