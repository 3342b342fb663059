/** Options of `app.worker()`, with their checks. */
import { boolean, checkOptions, integerFrom, nonEmptyString } from "../support/validation.ts";

/** Options of `app.worker()`. */
export interface WorkerSettings {
  /** The queues of the worker, without the App's prefix. @default all */
  readonly topics?: readonly string[];
  /** Most jobs that run at once. @default the App's */
  readonly concurrency?: number;
  /** Whether missing topics are created before the start. @default false; embedded brokers always do */
  readonly createTopics?: boolean;
  /**
   * The command line that `partition.paused` shows for skipping a record.
   *
   * @default "deno run -A jsr:@activejob/kafka/cli skip --app app.ts"
   */
  readonly command?: string;
}

/** Default command line that skips a record. */
export const SKIP_COMMAND = "deno run -A jsr:@activejob/kafka/cli skip --app app.ts";

/** @throws {InvalidConfigurationError} for a wrong setting */
export function checkWorkerSettings(settings: WorkerSettings): void {
  checkOptions("app.worker()", settings, {
    topics: (value) =>
      Array.isArray(value) && value.length > 0 && value.every((queue) => nonEmptyString(queue) === null)
        ? null
        : "an array of queues that is not empty",
    concurrency: integerFrom(1),
    createTopics: boolean,
    command: nonEmptyString,
  });
}
