/**
 * The dead letters of an App: what `app.deadLetters()` returns, and what the command line and a page use. Nothing is read before
 * a method is called, and nothing is kept between two calls. No group is made, and no worker needs to run.
 */
import type { Broker } from "../broker/broker.ts";
import { BrokerError, InvalidConfigurationError } from "../errors.ts";
import { lazyImport } from "../support/root_context.ts";
import { assertPosition, formatPosition, type Position } from "../support/position.ts";
import {
  abortSignal,
  boolean,
  callback,
  checkOptions,
  type Checks,
  didYouMean,
  nonEmptyString,
  show,
} from "../support/validation.ts";
import type { DeadLetterOptions, DeadLetterProgress, HandleContext } from "./handle.ts";
import type { DeadLetter, DeadLetterDetails } from "./letter.ts";
import type { DeadLetterAction } from "./marker.ts";
import type { DeadLetterListOptions, DeadLetterSelection } from "./selection.ts";

/** The parts of an App that its dead letters need. */
export interface DeadLettersContext extends Omit<HandleContext, "admin"> {
  /** Returns the broker once it is ready. */
  readonly broker: () => Promise<Broker>;
  /** The full names of the dead letter topics. */
  readonly topics: readonly string[];
  /** A larger value is not parsed. */
  readonly maxPayloadBytes: number;
  /** Adds the prefix of the App to the name of a topic. */
  readonly toFullName: (topic: string) => string;
  /** The name of the App. */
  readonly name: string;
}

const HANDLE: Checks<DeadLetterOptions> = {
  force: boolean,
  dryRun: boolean,
  by: nonEmptyString,
  signal: abortSignal,
  onProgress: callback,
  onRefused: callback,
};

/**
 * The dead letters of an App.
 *
 * @example
 * ```ts
 * import { activeJobTopic, App, Job } from "@activejob/kafka";
 * import { assertEquals } from "@std/assert";
 *
 * class MailJob extends Job {
 *   static isMended = false;
 *   perform(_to: string) {
 *     if (!MailJob.isMended) throw new Error("The template is broken");
 *   }
 * }
 * await using app = new App({
 *   name: "shop",
 *   broker: "memory:",
 *   jobs: [MailJob],
 *   topics: [activeJobTopic("default", { deadLetterQueue: { topic: "dead_jobs", maxRetries: 0 } })],
 *   logger: false,
 * });
 * await MailJob.performLater("ada@example.com");
 * await app.worker().run(undefined, { once: true });
 *
 * const letters = app.deadLetters();
 * const [letter] = await letters.list();
 * assertEquals([letter!.jobClass, letter!.errorMessage], ["MailJob", "The template is broken"]);
 * MailJob.isMended = true;
 * assertEquals(await letters.requeue({ jobClass: "MailJob" }), { requeued: 1, refused: 0 });
 * ```
 */
export class DeadLetters {
  readonly #context: DeadLettersContext;

  /** @internal */
  constructor(context: DeadLettersContext) {
    this.#context = context;
  }

  /** The full names of the topics. */
  get topics(): readonly string[] {
    return this.#context.topics;
  }

  /**
   * Lists dead letters, newest first. Letters of one partition are in the order of its log. At the border of two pages a
   * letter may be listed twice if the clocks of the workers differ; none is left out.
   *
   * @returns a page of them
   * @throws {UnknownTopicError} if a dead letter topic does not exist
   * @throws {InvalidConfigurationError} for a wrong option
   */
  async list(options: DeadLetterListOptions = {}): Promise<DeadLetter[]> {
    const [{ checkListOptions }, { listDeadLetters }] = await lazyImport(() =>
      Promise.all([import("./selection.ts"), import("./list.ts")])
    );
    checkListOptions("deadLetters().list()", options);
    const { topics, maxPayloadBytes } = this.#context;
    const { admin } = await this.#context.broker();
    return await listDeadLetters({ admin, topics, maxPayloadBytes }, options);
  }

  /**
   * Shows one dead letter, with all of its record.
   *
   * @param position its position in the dead letter topic
   * @throws {BrokerError} if there is no dead letter at this position
   * @throws {UnknownTopicError} if the topic does not exist
   * @throws {InvalidConfigurationError} if it is not a position, or not one of these topics
   */
  async show(position: Position): Promise<DeadLetterDetails> {
    assertPosition("deadLetters().show()", position);
    const { partition, offset } = position;
    const topic = this.#topicOf(position.topic);
    const at = { topic, partition, offset };
    const [{ readDetails }, { readMarkers }] = await lazyImport(() =>
      Promise.all([import("./letter.ts"), import("./marker_topic.ts")])
    );
    const { admin } = await this.#context.broker();
    const ends = await admin.ends(topic);
    const isThere = ends.some((end) => end.partition === partition && offset >= end.low && offset < end.high);
    const { records: [record] } = isThere
      ? await admin.read(topic, partition, { from: offset, maxBytes: 1 })
      : { records: [] };
    if (record?.offset !== offset) throw new BrokerError(`There is no dead letter at ${formatPosition(at)}`);
    const markers = await readMarkers(admin, topic, ends);
    return readDetails(record, at, markers.find(at), this.#context.maxPayloadBytes);
  }

  /**
   * Requeues dead letters: each goes back to the topic that it came from, with the same key and bytes, and its attempts start
   * again. A marker in the topic `<dead letter topic>_handled` says so: a second requeue is refused, unless it is forced. At
   * least once: a call that ends early may leave letters that are requeued and not marked. Two calls at the same moment may
   * requeue the same letter.
   *
   * A letter is refused if it is marked, if its topic is not one of this App, or if its topic refuses the record for good.
   *
   * @param selection the letters
   * @returns how many were requeued, and how many of the selected ones were refused
   * @throws {UnknownTopicError} if a topic does not exist
   * @throws {BrokerError} if the broker fails in between: records that were acknowledged are marked
   * @throws {InvalidConfigurationError} for a wrong selection or option
   */
  async requeue(
    selection: DeadLetterSelection,
    options: DeadLetterOptions = {},
  ): Promise<{ requeued: number; refused: number }> {
    const { handled, refused } = await this.#handle("requeued", "deadLetters().requeue()", selection, options);
    return { requeued: handled, refused };
  }

  /**
   * Dismisses dead letters: only the marker is written, and nothing is performed.
   *
   * @param selection the letters
   * @returns how many were dismissed, and how many were handled before
   * @throws see {@linkcode DeadLetters.requeue}
   */
  async dismiss(
    selection: DeadLetterSelection,
    options: DeadLetterOptions = {},
  ): Promise<{ dismissed: number; refused: number }> {
    const { handled, refused } = await this.#handle("dismissed", "deadLetters().dismiss()", selection, options);
    return { dismissed: handled, refused };
  }

  async #handle(
    action: DeadLetterAction,
    caller: string,
    selection: DeadLetterSelection,
    options: DeadLetterOptions,
  ): Promise<DeadLetterProgress> {
    const [{ LetterHandler }, { checkSelection, filterOf }] = await lazyImport(() =>
      Promise.all([import("./handle.ts"), import("./selection.ts")])
    );
    checkOptions(caller, options, HANDLE);
    const positions = checkSelection(caller, selection);
    const byTopic = positions === null ? null : Map.groupBy(positions, ({ topic }) => this.#topicOf(topic));
    const { name, topics, maxPayloadBytes } = this.#context;
    const { admin } = await this.#context.broker();
    const handler = new LetterHandler({ ...this.#context, admin }, action, { by: name, ...options });
    const isSelected = filterOf(selection, maxPayloadBytes);
    for (const topic of byTopic?.keys() ?? topics) await handler.add(topic, byTopic?.get(topic) ?? null);
    await handler.handle(isSelected);
    return handler.progress;
  }

  /** Returns the full name of one of these topics. */
  #topicOf(topic: string): string {
    return selectDeadLetterTopics(this.topics, topic, this.#context.toFullName)[0]!;
  }
}

/**
 * Selects the dead letter topics of an App.
 *
 * @param topics the full names of all of them
 * @param wanted one of them, with the prefix or without it; `undefined` for all
 * @param toFullName adds the prefix
 * @throws {InvalidConfigurationError} if none is declared, or none of this name
 */
export function selectDeadLetterTopics(
  topics: readonly string[],
  wanted: string | undefined,
  toFullName: (topic: string) => string,
): readonly string[] {
  if (topics.length === 0) {
    throw new InvalidConfigurationError('No topic of this App declares a "deadLetterQueue"');
  }
  if (wanted === undefined) return topics;
  const found = [toFullName(wanted), wanted].find((name) => topics.includes(name));
  if (found !== undefined) return [found];
  throw new InvalidConfigurationError(
    `${show(wanted)} is not a dead letter topic here${didYouMean(wanted, topics)}`,
  );
}
