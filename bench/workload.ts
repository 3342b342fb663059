/** The jobs of every bench, and the App that enqueues and performs them. */
import { activeJobTopic, App, currentAttributes, Job, type KafkaOptions, type TopicOptions } from "@activejob/kafka";
import { keyOf } from "./payload.ts";

/** Called by each performed job with its arguments. */
export const hooks: { performed: (index: number) => void } = { performed: () => {} };

/** A job that only reports that it ran. */
export class NoopJob extends Job {
  static override queue = "bench";
  static override kafkaOptions: KafkaOptions<NoopJob> = { key: (job) => keyOf(job.args[0]) };
  perform(index: number, _padding: string): void {
    hooks.performed(index);
  }
}

/** One attribute, as an application would have. */
export class Current extends currentAttributes<{ userId: number }>("userId") {}

/** The App under test, with its public options only, on the broker in `BROKER_URL`. */
export function benchApp(
  topics: string | readonly string[],
  options: Partial<ConstructorParameters<typeof App>[0]> = {},
  topicOptions: TopicOptions = {},
): App {
  const names = [topics].flat();
  NoopJob.queue = names[0]!;
  return new App({
    name: `bench-${crypto.randomUUID()}`,
    broker: Deno.env.get("BROKER_URL")!,
    jobs: [NoopJob],
    topics: names.map((name) => activeJobTopic(name, topicOptions)),
    logger: { level: "warn" },
    ...options,
  });
}
