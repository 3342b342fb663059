/** A worker whose topic of delayed jobs does not exist: it starts, reports that only if a class declares a wait, and goes on. */
import { activeJobTopic, App, Job } from "../../mod.ts";
import { assertEquals } from "@std/assert";
import { brokers, noKafka } from "../support/kafka/cluster.ts";
import { until } from "../support/until.ts";

class Busy extends Error {}
class PlainJob extends Job {
  perform() {}
}
class RetryJob extends Job {
  static {
    this.retryOn(Busy, { attempts: 2, wait: { minutes: 1 } });
  }
  perform() {
    if (this.executions === 1 && this.attempt === 1) throw new Busy();
  }
}

for (const Class of [PlainJob, RetryJob]) {
  Deno.test({
    name: `a worker without the topic of delayed jobs starts, and reports it for a class with a wait: ${Class.name}`,
    ignore: noKafka,
    async fn() {
      const name = `missing-${crypto.randomUUID().slice(0, 8)}`;
      const app = new App({
        name,
        broker: `kafka://${brokers.join(",")}`,
        jobs: [Class],
        topics: [activeJobTopic("default", { partitions: 1, backoff: { initialMs: 1 } })],
        queuePrefix: name,
        logger: false,
      });
      await using _ = app;
      const { broker, ...rest } = app.options;
      // Creates the topics of jobs, and a topic of delayed jobs of another name.
      await using other = new App({ ...rest, broker, scheduledTopic: { name: "elsewhere" } });
      await other.applyTopics();
      const performed: number[] = [];
      const errors: string[] = [];
      app.on("topic.missing", ({ topic }) => errors.push(`${topic} is missing`));
      app.on("job.performed", ({ attempt }) => performed.push(attempt));
      app.on("error.occurred", ({ where, error }) => errors.push(`${where}: ${error.message}`));
      const run = app.worker().run();
      await app.enqueue(Class.of());
      await until(() => performed.length === 1, () => `a performed job, but there were ${performed.length}`);
      await app.close();
      await run;
      if (Class === PlainJob) return assertEquals([performed, errors], [[1], []]);
      // The retry could not be written: the worker ran the record again.
      const topic = `${name}_${name}_scheduled_jobs`;
      assertEquals(performed, [2]);
      assertEquals(errors.map((error) => error.slice(0, error.indexOf(topic))), [
        'start: No job can wait in topic "',
        'retry: Cannot enqueue RetryJob: the broker has no topic "',
      ]);
    },
  });
}
