/** What `app.worker()` may be told, and the check of it. */
import { boolean, checkOptions, integerFrom, nonEmptyString } from "../support/validation.ts";

/** What a worker may be told. */
export interface WorkerSettings {
  /** The queues to work on. @default all */
  readonly topics?: readonly string[];
  /** How many jobs run at once. @default the App's */
  readonly concurrency?: number;
  /** Create topics that do not exist before the start. @default false; embedded brokers always do */
  readonly createTopics?: boolean;
  /**
   * The command line with which `partition.paused` says how to pass a record over.
   *
   * @default "deno run -A jsr:@activejob/kafka/cli skip --app app.ts"
   */
  readonly command?: string;
}

/** The command line that passes a record over, where nobody says another. */
export const SKIP_COMMAND = "deno run -A jsr:@activejob/kafka/cli skip --app app.ts";

/** @throws {InvalidConfigurationError} for a wrong setting */
export function checkWorkerSettings(settings: WorkerSettings): void {
  checkOptions("app.worker()", settings, {
    topics: (value) => Array.isArray(value) && value.length > 0 ? null : "a list of queues, not empty",
    concurrency: integerFrom(1),
    createTopics: boolean,
    command: nonEmptyString,
  });
}
