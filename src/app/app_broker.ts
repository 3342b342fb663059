/**
 * The broker of an App. It is opened at first use and closed with the App; the topics of an embedded broker are created then,
 * since no operator does. A failure is not kept: the next use tries again.
 */
import type { Broker, BrokerSource } from "../broker/broker.ts";
import { BrokerError } from "../errors.ts";
import type { Monitor } from "../monitor/monitor.ts";
import type { Route } from "../routing/route.ts";
import { lazyImport } from "../support/root_context.ts";
import type { AppTopics, TopicChange } from "./topics.ts";

/** The parts that it works with. */
export interface AppBrokerOptions {
  /** The App's name. */
  readonly name: string;
  readonly source: BrokerSource;
  readonly monitor: Monitor;
  /** Every topic of the App. */
  readonly topics: AppTopics;
}

/** The broker of one App. */
export class AppBroker {
  readonly #options: AppBrokerOptions;
  #opened: Promise<Broker> | undefined;
  #topicsCreated: Promise<unknown> | undefined;
  #isClosed = false;

  constructor(options: AppBrokerOptions) {
    this.#options = options;
  }

  /** Whether it was closed. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Returns the opened broker. An embedded one has the topics of the App. */
  async ready(): Promise<Broker> {
    if (this.#options.source.embedded === true) await this.#createTopics();
    return await this.#open();
  }

  /** Creates missing topics and adds partitions; changes nothing else. */
  async applyTopics(routes: readonly Route[] = this.#options.topics.routes): Promise<TopicChange[]> {
    const [{ applyTopics }, broker] = await Promise.all([lazyImport(() => import("./topics.ts")), this.#open()]);
    return await applyTopics(broker, { ...this.#options.topics, routes });
  }

  /** Finds groups of others in the topics of the App's jobs. */
  async findOtherGroups(): Promise<ReadonlyMap<string, readonly string[]>> {
    const [{ findOtherGroups }, broker] = await Promise.all([lazyImport(() => import("./topics.ts")), this.#open()]);
    return await findOtherGroups(broker, this.#options.topics.routes);
  }

  /**
   * Prepares the broker for a worker on these routes: it is connected, and the topics of the jobs exist.
   *
   * @returns the broker, and the dead letter topics that do not exist
   * @throws {UnknownTopicError} if a topic of jobs does not exist
   */
  async prepare(routes: readonly Route[], createTopics: boolean): Promise<{ broker: Broker; missing: string[] }> {
    const broker = await this.ready();
    await broker.connect();
    if (createTopics) await this.applyTopics(routes);
    const { checkTopics } = await lazyImport(() => import("./topics.ts"));
    return { broker, missing: await checkTopics(broker, { ...this.#options.topics, routes }) };
  }

  /** Closes it. It cannot be opened again. */
  async close(): Promise<void> {
    // First: a broker that is opened during the wait would never be closed.
    this.#isClosed = true;
    // A broker that could not be opened needs no closing; its user received the error.
    const broker = await this.#opened?.catch(() => undefined);
    await broker?.[Symbol.asyncDispose]();
  }

  async #open(): Promise<Broker> {
    const { source, name, monitor } = this.#options;
    if (this.#isClosed) throw new BrokerError(`Cannot open the broker "${source.name}": the App "${name}" is closed`);
    return await (this.#opened ??= source.open({ clientId: name, monitor }).catch((error) => {
      this.#opened = undefined;
      throw error;
    }));
  }

  async #createTopics(): Promise<void> {
    await (this.#topicsCreated ??= this.applyTopics().catch((error) => {
      this.#topicsCreated = undefined;
      throw error;
    }));
  }
}
