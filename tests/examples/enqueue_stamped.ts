/**
 * Enqueues a job of the quickstart for each line of its standard input, and prints the time of its acknowledgement, in
 * milliseconds.
 */
import { app, WelcomeJob } from "../../examples/quickstart/app.ts";

for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  const userId = Number(text);
  await WelcomeJob.performLater(userId);
  console.log(`${userId} ${Date.now()}`);
}
await app.close();
