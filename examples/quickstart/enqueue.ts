/** Enqueues a job: `deno task enqueue [user id]`. The worker is another process: `deno task worker`. */
import { app, Current, WelcomeJob } from "./app.ts";

const userId = Number(Deno.args[0] ?? 42);

await Current.run({ userId: 1 }, async () => {
  const job = await WelcomeJob.performLater(userId, "from another process");
  const { topic, partition, offset } = job.position!;
  console.log(`Enqueued WelcomeJob ${job.jobId} to ${topic}/${partition}@${offset}`);
});
await app.close();
