/**
 * Looks at the topics of a consumer as long as it runs. A topic that is deleted is reported once, and waited for; its
 * other topics go on. One that was deleted and created again may already be longer than a position: its id is another one.
 */
import { sleep } from "../../../support/deadline.ts";
import type { ConsumeOptions } from "../../consumer.ts";
import type { MetadataCache } from "../wire/metadata_cache.ts";

/** Receives what is found. */
export interface TopicWatchHandler {
  /** The topic does not exist any more. */
  missing(topic: string): void;
  /** The topics were looked at: some may be other ones now. */
  refreshed(): void;
  /** Something for the log. */
  log(message: string): void;
}

/** See the module. */
export class TopicWatch {
  readonly #metadata: MetadataCache;
  readonly #topics: readonly string[];
  readonly #handler: TopicWatchHandler;
  /** The topics that are missing and need no report, or had one. */
  readonly #missing: Set<string>;

  constructor(
    metadata: MetadataCache,
    { topics, mayBeMissing = false }: Pick<ConsumeOptions, "topics" | "mayBeMissing">,
    handler: TopicWatchHandler,
  ) {
    this.#metadata = metadata;
    this.#topics = topics;
    this.#handler = handler;
    this.#missing = new Set(mayBeMissing ? topics : []);
  }

  /** Asks for the topics each so many milliseconds, until the signal aborts. */
  async run(everyMs: number, signal: AbortSignal): Promise<void> {
    while (true) {
      await sleep(everyMs, signal);
      if (signal.aborted) return;
      try {
        await this.#metadata.refresh(this.#topics);
        this.check();
      } catch (error) {
        this.#handler.log(`Cannot ask for topics: ${(error as Error).message}`);
      }
    }
  }

  /** Looks at what the metadata has now. */
  check(): void {
    for (const topic of this.#topics) {
      if (!this.#metadata.isMissing(topic)) this.#missing.delete(topic);
      else if (!this.#missing.has(topic)) {
        this.#missing.add(topic);
        this.#handler.missing(topic);
      }
    }
    this.#handler.refreshed();
  }
}
