/** A group without offsets on a Kafka: new, or deleted. The worker says which jobs will run. */
import { assertEquals } from "@std/assert";
import { activeJobTopic, App, Job } from "@activejob/kafka";
import type { EventMap } from "../../src/monitor/events.ts";
import { until } from "../support/until.ts";
import { administer, brokers, noKafka } from "../support/kafka/cluster.ts";

class CountJob extends Job {
  static override queue = "counts";
  static count = 0;
  perform() {
    CountJob.count++;
  }
}

Deno.test({
  name: "a group without offsets says which records it starts with, when it is new and after it was deleted",
  ignore: noKafka,
  async fn() {
    const name = `group-${crypto.randomUUID().slice(0, 8)}`;
    const topic = `${name}_counts`;
    await using app = new App({
      name,
      broker: `kafka://${brokers.join(",")}`,
      jobs: [CountJob],
      topics: [activeJobTopic("counts", { partitions: 1 })],
      queuePrefix: name,
      logger: false,
    });
    const events: EventMap["group.started_at_beginning"][] = [];
    app.on("group.started_at_beginning", (event) => void events.push(event));
    await app.applyTopics();
    const run = () => app.worker().run(undefined, { once: true });
    await run();
    assertEquals(events, [], "the log is empty");

    await app.run(() => CountJob.performLater());
    await app.run(() => CountJob.performLater());
    await app.flush();
    await administer((admin) => admin.deleteGroups([name])).catch(() => {});
    await run();
    const shown = () => events.map(({ group, partitions }) => ({ group, partitions }));
    const first = { group: name, partitions: [{ topic, partition: 0, offset: 0, records: 2 }] };
    await until(() => events.length === 1, () => "the event");
    assertEquals(shown(), [first]);
    await run();
    assertEquals(shown(), [first], "the group has offsets");

    await administer((admin) => admin.deleteGroups([name]));
    await run();
    await until(() => events.length === 2, () => "the second event");
    assertEquals(shown(), [first, first]);
    assertEquals(CountJob.count, 4);
  },
});
