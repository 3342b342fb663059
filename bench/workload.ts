/**
 * The workload of every bench: envelopes of 293 bytes, keyed, as Rails or this library writes them, and the jobs that
 * they name. Programs and runner share it, so that both sides of a ratio see the same bytes.
 */
import { activeJobTopic, App, currentAttributes, Job, type KafkaOptions, type TopicOptions } from "@activejob/kafka";

/** The size of an envelope, in bytes. */
export const ENVELOPE_BYTES = 293;

/** One ready envelope of so many bytes. */
export function envelope(index: number, bytes: number = ENVELOPE_BYTES): string {
  const write = (padding: string) =>
    JSON.stringify({
      job_class: "NoopJob",
      job_id: "21cadf26-ff50-4fb1-9393-977ff71e57a3",
      provider_job_id: null,
      queue_name: "bench",
      priority: null,
      arguments: [index, padding],
      executions: 0,
      exception_executions: {},
      locale: null,
      timezone: null,
      enqueued_at: "2026-11-24T06:55:12.669Z",
      scheduled_at: null,
    });
  return write("x".repeat(bytes - write("").length));
}

/** Padding in an envelope's second argument, such that the envelope has that many bytes in topic `bench`. */
export function paddingOf(bytes: number): string {
  return "x".repeat(bytes - 234);
}

/** The padding of an envelope of the usual size. */
export const PADDING: string = paddingOf(ENVELOPE_BYTES);

/** One of many keys, so that every partition gets records. */
export function keyOf(index: number, distinct = 1000): string {
  return `key-${index % distinct}`;
}

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

/** Ends a program with its result: the last line that it prints. */
export function finish(result: Record<string, number>): never {
  console.log(JSON.stringify(result));
  Deno.exit(0);
}

/** The value below which a share of the sorted values lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}
