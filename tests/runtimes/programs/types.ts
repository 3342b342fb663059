/** Uses each entry point of the package, for the compilers of `types_test.ts`. It is compiled, and not run. */
import { activeJobTopic, App, type CustomArgument, Job, type KafkaOptions } from "@activejob/kafka";
import { main } from "@activejob/kafka/cli";
import { every } from "@activejob/kafka/recurring";
import { TestApp } from "@activejob/kafka/testing";
import { type Authorize, dashboard } from "@activejob/kafka/web";

class Money {
  #cents = 5n;
  format(): string {
    return String(this.#cents);
  }
}
interface Money extends CustomArgument {}

class PayJob extends Job {
  static override kafkaOptions: KafkaOptions = { dispatchMethod: "produceSync" };

  async perform(userId: number, { amount, on }: { amount: Money; on?: Date }): Promise<string> {
    await this.step("charge", (step) => step.set(userId));
    return `${amount.format()} ${on?.toISOString()} ${this.signal.aborted}`;
  }
}

const paid = await PayJob.set({ wait: { minutes: 5 } }).performLater(1, { amount: new Money() });
const jobs: PayJob[] = [PayJob.of(1, { amount: new Money(), on: new Date() }), paid];
// @ts-expect-error The first parameter is a number.
await PayJob.performLater("1", { amount: new Money() });
// @ts-expect-error The second parameter is missing.
await PayJob.performLater(1);
// @ts-expect-error The member "amount" is missing.
PayJob.of(1, {});

class FunctionJob extends Job {
  perform(_callback: () => void, _at?: Date): void {}
}
// @ts-expect-error No serializer takes a function.
await FunctionJob.performLater(() => {});

const app = new App({
  name: "shop",
  broker: "memory:",
  jobs: [PayJob],
  topics: [activeJobTopic("default", { partitions: 6, deadLetterQueue: { topic: "dead_jobs", maxRetries: 3 } })],
  recurring: [every({ minutes: 5 }, PayJob.of(1, { amount: new Money() }), { id: "pay" })],
});
// @ts-expect-error A topic has no such option.
activeJobTopic("default", { partition: 6 });

const authorize: Authorize = (request) => request.url === "/" ? { user: "ops", access: "read" } : null;
const { fetch: handle, close } = dashboard(app, { authorize });
const response: Response = await handle(new Request("http://localhost/"));
await close();

await using t = TestApp.of(app);
t.assertEnqueuedWith(PayJob, { queue: "default" });
t.assertPerformedJobs(jobs.length, { only: PayJob });

const code: number = await main(["worker", "--app", "./app.ts"]);
console.log(code, response.status);
