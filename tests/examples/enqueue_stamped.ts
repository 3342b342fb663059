/** Enqueues a job of the quickstart for each line it is told, and prints when it was acknowledged, in milliseconds. */
import { app, WelcomeJob } from "../../examples/quickstart/app.ts";

for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  const userId = Number(text);
  await WelcomeJob.performLater(userId);
  console.log(`${userId} ${Date.now()}`);
}
await app.close();
