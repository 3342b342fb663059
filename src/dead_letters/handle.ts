/**
 * Handles dead letters: requeues or dismisses those that are selected, and marks them. It works with batches:
 *
 * 1. Read a page of the dead letter topic, oldest first, so that the jobs of a key keep their order. A partition is read up to
 *    the end that it has at the start: a job that fails again meanwhile is not requeued twice.
 * 2. Read the new markers, unless the call is forced, and leave out the letters that another process has handled meanwhile.
 * 3. Append the records to their topics, and wait for all acknowledgements.
 * 4. Append the markers of those that were acknowledged, beside the next batch. At most one batch is being marked.
 *
 * The marker comes last, so that nothing is lost: a process that ends between 3 and 4 leaves at most two batches that a second
 * call requeues again.
 */
import type { PartitionEnds } from "../broker/admin.ts";
import type { AppendOutcome, BrokerAdmin, NewRecord } from "../broker/broker.ts";
import { BrokerError, RecordRefusedError } from "../errors.ts";
import { handledTopicName } from "../routing/handled_topic.ts";
import { countOf } from "../support/count.ts";
import { formatPosition, type Position } from "../support/position.ts";
import { show } from "../support/validation.ts";
import { type DeadLetterAction, type DeadLetterHandling, markerRecord } from "./marker.ts";
import { assertMarkable, Markers, readMarkers } from "./marker_topic.ts";
import { readForward } from "../broker/read_forward.ts";
import { returnOf } from "./requeued_record.ts";
import { type Run, runsOf, runsOfAll } from "./runs.ts";
import type { IsSelected } from "./selection.ts";

/** The most letters that are handled before they are marked. */
const MAX_BATCH = 1000;

/** Options of requeuing and of dismissing. */
export interface DeadLetterOptions {
  /** Handles letters that were handled before as well. @default false */
  readonly force?: boolean;
  /** Only counts: nothing is written. @default false */
  readonly dryRun?: boolean;
  /** The name of the user, for the marker. @default the name of the App */
  readonly by?: string;
  /** Stops between two batches. The call returns what was done until then. @default it goes on to its end */
  readonly signal?: AbortSignal;
  /** Called after each batch of up to 1000 letters. @default not called */
  readonly onProgress?: (progress: DeadLetterProgress) => void;
  /**
   * Called with each letter that is not handled, the reason, and its handling, if it was handled before.
   *
   * @default not called
   */
  readonly onRefused?: (position: Position, reason: string, handled: DeadLetterHandling | null) => void;
}

/** The progress of a call. */
export interface DeadLetterProgress {
  /** The number of dead letters that were read. */
  readonly read: number;
  /** The number of those that are to be read, at most: a log may have gaps. */
  readonly total: number;
  /** The number of those that were handled. */
  readonly handled: number;
  /** The number of those that were refused. */
  readonly refused: number;
}

/** The parts that handling needs. */
export interface HandleContext {
  readonly admin: Pick<BrokerAdmin, "describe" | "ends" | "read">;
  /** Appends a record. It never rejects. */
  readonly append: (topic: string, record: NewRecord) => Promise<AppendOutcome>;
  /** Whether a topic of jobs has this full name. */
  readonly isDeclared: (topic: string) => boolean;
}

/** The work on one topic. */
interface Plan {
  readonly topic: string;
  readonly ends: readonly PartitionEnds[];
  readonly runs: readonly Run[];
}

/** A letter that is handled in this batch. */
interface Candidate {
  readonly position: Position;
  /** Its way back; `null` for a letter that is dismissed. */
  readonly target: { readonly topic: string; readonly record: NewRecord } | null;
}

/** Handles the dead letters of some topics. It is used for one call. */
export class LetterHandler {
  readonly #context: HandleContext;
  readonly #action: DeadLetterAction;
  readonly #options: DeadLetterOptions & { readonly by: string };
  readonly #plans: Plan[] = [];
  #read = 0;
  #total = 0;
  #handled = 0;
  #refused = 0;
  /** The markers of the last batch. */
  #marking: Promise<void> = Promise.resolve();
  /** Whether the topics of jobs exist, as far as it was asked. */
  readonly #exists = new Map<string, boolean>();
  /** The first append that failed. */
  #failure: { readonly position: Position; readonly cause: Error } | null = null;

  constructor(context: HandleContext, action: DeadLetterAction, options: DeadLetterOptions & { readonly by: string }) {
    this.#context = context;
    this.#action = action;
    this.#options = options;
  }

  /** The numbers until now. */
  get progress(): DeadLetterProgress {
    return { read: this.#read, total: this.#total, handled: this.#handled, refused: this.#refused };
  }

  /**
   * Adds a topic. All of them are added before the first letter is handled: a topic that cannot be handled ends the call while
   * nothing is written.
   *
   * @param positions these letters; `null` for all letters of the topic that are selected
   * @throws {UnknownTopicError} if a topic does not exist
   * @throws {InvalidConfigurationError} if its letters cannot be marked
   */
  async add(topic: string, positions: readonly Position[] | null): Promise<void> {
    const { admin } = this.#context;
    await assertMarkable(admin, topic);
    const ends = await admin.ends(topic);
    const runs = positions === null ? runsOfAll(ends) : runsOf(positions);
    for (const { from, to, wanted } of runs) this.#total += wanted?.size ?? to - from;
    this.#plans.push({ topic, ends, runs });
  }

  /**
   * Handles the selected letters of the topics.
   *
   * @throws {BrokerError} if the broker failed in between: records that were acknowledged are marked
   */
  async handle(isSelected: IsSelected): Promise<void> {
    for (const plan of this.#plans) {
      if (this.#isStopped) return;
      await this.#handleTopic(plan, isSelected);
    }
  }

  async #handleTopic({ topic, ends, runs }: Plan, isSelected: IsSelected): Promise<void> {
    const partitions = new Set(ends.map(({ partition }) => partition));
    try {
      const markers = await this.#readMarkers(topic, ends);
      for (const run of runs) {
        if (partitions.has(run.partition)) await this.#handleRun(topic, run, markers, isSelected);
        if (this.#isStopped) break;
        for (const offset of run.wanted ?? []) {
          this.#refuse({ topic, partition: run.partition, offset }, () => "there is no dead letter at this position");
        }
      }
    } catch (error) {
      await this.#finishMarking();
      throw this.#handled === 0 || this.#options.dryRun === true ? error : this.#failed("", error as Error);
    }
    await this.#finishMarking();
  }

  /** Reads the markers of a topic; a forced call handles its letters whatever they are, and needs none. */
  async #readMarkers(topic: string, ends: readonly PartitionEnds[]): Promise<Markers> {
    const { admin } = this.#context;
    return this.#options.force === true
      ? new Markers({ admin, topic, ends, partitions: [] })
      : await readMarkers(admin, topic, ends);
  }

  get #isStopped(): boolean {
    return this.#options.signal?.aborted === true;
  }

  async #handleRun(
    topic: string,
    { partition, from, to, wanted }: Run,
    markers: Markers,
    isSelected: IsSelected,
  ): Promise<void> {
    const { admin } = this.#context;
    let batch: Candidate[] = [];
    for await (const records of readForward(admin, { topic, partition }, { from, to })) {
      for (const record of records) {
        if (this.#isStopped) return;
        if (wanted !== null && !wanted.delete(record.offset)) continue;
        this.#read++;
        const position = { topic, partition, offset: record.offset };
        if (!isSelected(record) || this.#refuseHandled(position, markers)) continue;
        const target = this.#action === "dismissed" ? null : returnOf(record, position, this.#context.isDeclared);
        if (target?.topic === null) this.#refuse(position, () => target.reason);
        else if (target !== null && !(this.#exists.get(target.topic) ?? await this.#lookFor(target.topic))) {
          this.#refuse(position, () => `its topic ${show(target.topic)} does not exist: create it with "topics apply"`);
        } else batch.push({ position, target });
        if (batch.length < MAX_BATCH) continue;
        await this.#settle(topic, batch, markers);
        batch = [];
      }
      if (this.#isStopped) return;
      await this.#settle(topic, batch, markers);
      batch = [];
    }
  }

  async #settle(topic: string, batch: readonly Candidate[], markers: Markers): Promise<void> {
    if (this.#options.dryRun === true) this.#handled += batch.length;
    else if (batch.length > 0) {
      await markers.read();
      const left = batch.filter(({ position }) => !this.#refuseHandled(position, markers));
      await this.#write(topic, left, markers);
    }
    this.#options.onProgress?.(this.progress);
  }

  /** Appends the records of a batch, and begins to mark them: the next batch is read meanwhile. */
  async #write(topic: string, batch: readonly Candidate[], markers: Markers): Promise<void> {
    const { append } = this.#context;
    const outcomes = await Promise.all(batch.map(({ target }) => target && append(target.topic, target.record)));
    const done: Position[] = [];
    for (const [index, { position }] of batch.entries()) {
      const outcome = outcomes[index] ?? null;
      if (outcome === null || outcome.ok) done.push(position);
      else if (outcome.error instanceof RecordRefusedError) this.#refuse(position, () => outcome.error.message);
      else this.#failure ??= { position, cause: outcome.error };
    }
    this.#handled += done.length;
    await this.#marking;
    this.#marking = this.#mark(topic, done, markers);
    if (this.#failure !== null) await this.#finishMarking();
  }

  /** It never rejects. */
  async #mark(topic: string, positions: readonly Position[], markers: Markers): Promise<void> {
    const { append } = this.#context;
    const handling = { action: this.#action, by: this.#options.by, at: new Date() };
    for (const position of positions) markers.set(position, handling);
    const marker = handledTopicName(topic);
    const marks = await Promise.all(positions.map((position) => append(marker, markerRecord({ position, handling }))));
    for (const [index, mark] of marks.entries()) {
      if (!mark.ok) this.#failure ??= { position: positions[index]!, cause: mark.error };
    }
  }

  /** @throws {BrokerError} if an append failed */
  async #finishMarking(): Promise<void> {
    await this.#marking;
    if (this.#failure === null) return;
    const { position, cause } = this.#failure;
    throw this.#failed(` at dead letter ${formatPosition(position)}`, cause);
  }

  #failed(where: string, cause: Error): BrokerError {
    const done = `${this.#action} ${countOf(this.#handled, "dead letter")}`;
    return new BrokerError(
      `Cannot go on${where}, after the App has ${done}: ${cause.message}. ` +
        `A second call goes on; one that was not marked is handled again`,
      { cause },
    );
  }

  async #lookFor(topic: string): Promise<boolean> {
    const exists = (await this.#context.admin.describe([topic])).get(topic) != null;
    this.#exists.set(topic, exists);
    return exists;
  }

  /** Refuses a letter that was handled before. @returns whether it was refused */
  #refuseHandled(position: Position, markers: Markers): boolean {
    const handled = markers.find(position);
    if (handled === null) return false;
    const { action, by, at } = handled;
    this.#refuse(position, () => `it was ${action} by ${by} at ${at.toISOString()}`, handled);
    return true;
  }

  #refuse(position: Position, reason: () => string, handled: DeadLetterHandling | null = null): void {
    this.#refused++;
    this.#options.onRefused?.(position, reason(), handled);
  }
}
