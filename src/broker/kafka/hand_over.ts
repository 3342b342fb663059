/**
 * From kafkajs' batches to the worker's records. A batch is handed over at once and whole, so that the fetch loop is never
 * held by a job; where the worker pauses a partition in the middle of it, the loop waits for a moment, since fast jobs are
 * done by then, and really pauses only after that (a pause is lifted a quarter of a second late).
 *
 * Only a batch that follows on the last one is handed over. What comes from elsewhere means that records are gone, that the
 * topic was made anew, or that it was fetched before the position was settled.
 */
import type { EachBatchPayload } from "./kafkajs.ts";
import { waitUntilSettled } from "../../support/deadline.ts";
import { safeOffset } from "./cluster.ts";
import { type Intake, recordsFrom } from "./intake.ts";
import type { Share, ShareContext } from "./share.ts";
import type { TopicPartition } from "../../support/position.ts";

/** How long a batch may wait, in milliseconds: there are no heartbeats meanwhile. */
const PATIENCE_MS = 25;

/** What kafkajs keeps of a batch: its messages, three times over, each a window into the fetch. */
type Lists = Record<"messages" | "rawMessages" | "messagesWithinOffset", unknown[]>;

/** See the module. */
export class HandOver {
  readonly #context: ShareContext;
  readonly #share: Share;
  /** The partition whose records the worker is being given. */
  #handing: Intake | null = null;

  constructor(context: ShareContext, share: Share) {
    this.#context = context;
    this.#share = share;
  }

  /** The worker wants nothing more of it. */
  pause(intake: Intake): void {
    intake.paused = true;
    if (this.#handing !== intake) this.#halt(intake);
  }

  /** The worker wants more of it. */
  resume(intake: Intake): void {
    intake.paused = false;
    intake.resumed();
    // A partition that is not proved goes on after its proof.
    if (!intake.halted || !intake.proved) return;
    intake.halted = false;
    this.#context.fetching.resume(intake);
  }

  /** A batch from kafkajs. */
  async batch({ batch, resolveOffset, commitOffsetsIfNecessary, isStale }: EachBatchPayload): Promise<void> {
    const intake = this.#share.intake(batch);
    if (intake === null || this.#share.isOver) return;
    if (!intake.proved) {
      await waitUntilSettled(this.#share.proved, PATIENCE_MS);
      if (this.#share.intake(batch) !== intake) return;
    }
    if (!intake.proved || intake.paused) {
      this.#halt(intake);
      return;
    }
    // The position was set after it was fetched.
    if (isStale()) return;
    this.#context.commits.send = commitOffsetsIfNecessary;
    const from = safeOffset((batch as unknown as { fetchedOffset: string }).fetchedOffset);
    const reading = intake.read(from);
    if (reading === "stray") {
      this.#context.fetching.seek(intake, intake.position!);
      return;
    }
    if (reading === "gap") {
      this.#halt(intake);
      void this.#lookIntoGap(intake);
      return;
    }
    const ownership = reading === "restart" ? this.#share.restart(intake, from) : intake.ownership!;
    const records = recordsFrom(batch.messages);
    const next = safeOffset(batch.lastOffset()) + 1;
    resolveOffset(batch.messages.at(-1)!.offset);
    intake.advance(next);
    this.#handing = intake;
    this.#context.sink.records(ownership, { records, next, highWatermark: safeOffset(batch.highWatermark) });
    this.#handing = null;
    if (!intake.paused) return;
    letGo(batch);
    await waitUntilSettled(intake.untilResumed(), PATIENCE_MS);
    if (intake.paused && this.#share.intake(batch) === intake) this.#halt(intake);
  }

  /** Offsets up to `next` hold nothing to hand over: control records, aborted ones, compacted ones. */
  nothing(at: TopicPartition, next: string, highWatermark: string): void {
    const intake = this.#share.intake(at);
    if (intake === null || this.#share.isOver) return;
    if (!intake.proved) {
      // kafkajs has gone on: it is fetched again once there is somebody to tell.
      intake.missed = true;
      return;
    }
    const offset = safeOffset(next);
    if (intake.position !== null && offset <= intake.position && !intake.wasReset) return;
    const ownership = intake.position !== null && offset <= intake.position
      ? this.#share.restart(intake, offset)
      : intake.ownership!;
    intake.advance(offset);
    this.#context.sink.records(ownership, { records: [], next: offset, highWatermark: safeOffset(highWatermark) });
  }

  /** The log does not have the position; kafkajs sets the group's offset to "the beginning" and goes there. */
  outOfRange(at: TopicPartition): void {
    const intake = this.#share.intake(at);
    if (intake === null) return;
    intake.wasReset = true;
    intake.ownership?.reset();
  }

  #halt(intake: Intake): void {
    intake.halted = true;
    this.#context.fetching.pause(intake);
  }

  /** Batches do not say where the log begins: without asking, a gap could be a fetch from the wrong place. */
  async #lookIntoGap(intake: Intake): Promise<void> {
    const { cluster, sink, commits, fetching, options } = this.#context;
    const { ownership, position } = intake;
    let low = 0;
    try {
      low = (await cluster.ends(intake.topic)).find((end) => end.partition === intake.partition)?.low ?? 0;
    } catch {
      // Fetched once more from the position: if it is gone, this comes again.
    }
    if (ownership === null || intake.ownership !== ownership || this.#share.isOver || !intake.proved) return;
    const from = position!;
    if (low > from) {
      intake.advance(low);
      sink.expired(ownership, from, low);
      const last = ownership.last;
      // kafkajs has just written "the beginning" over it.
      if (last !== null) {
        void commits.commit([{ ownership, next: last.offset, metadata: last.metadata }], options.sessionTimeoutMs);
      }
    }
    fetching.seek(intake, intake.position!);
    if (!intake.paused) this.resume(intake);
  }
}

/** While kafkajs waits for us, a batch that was taken would outlive one garbage collection after the other. */
function letGo(batch: EachBatchPayload["batch"]): void {
  const { messages, rawMessages, messagesWithinOffset } = batch as unknown as Lists;
  for (const list of [messages, rawMessages, messagesWithinOffset]) list.length = 0;
}
