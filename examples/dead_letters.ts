/**
 * A job that fails for good: after its retries it goes to the dead letter topic, and the jobs behind it go on. After
 * the fault is fixed, a worker on that topic performs the dead letters: `deno run examples/dead_letters.ts`
 */
import { activeJobTopic, App, type AppOptions, Job } from "@activejob/kafka";

let isMended = false;

class InvoiceJob extends Job {
  perform(order: string) {
    if (order === "order 2" && !isMended) throw new Error("There is no price for ducks");
    console.log(`Sent the invoice for ${order}`);
  }
}

const options: Omit<AppOptions, "name" | "topics"> = {
  broker: "memory:shop", // a name is shared by the Apps of this process
  jobs: [InvoiceJob],
  backoff: { initialMs: 10 },
  logger: false,
};

const app = new App({
  ...options,
  name: "shop",
  topics: [activeJobTopic("default", { deadLetterQueue: { topic: "dead_jobs", maxRetries: 2 } })],
});
app.on("record.dead_lettered", ({ jobClass, attempts, error, to }) => {
  console.log(
    `${jobClass} failed ${attempts} times (${error.message}) and is at ${to.topic}/${to.partition}@${to.offset}`,
  );
});
await app.run(async () => {
  for (const order of ["order 1", "order 2", "order 3"]) await InvoiceJob.performLater(order);
});
await app.worker().run(undefined, { once: true });
await app.close();

isMended = true;
// A dead letter is the original record, so any worker can perform it. A group of its own keeps its own offsets.
const repair = new App({ ...options, name: "shop-repair", topics: [activeJobTopic("dead_jobs")] });
await repair.worker().run(undefined, { once: true });
await repair.close();
