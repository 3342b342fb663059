/**
 * The broker of an App: opened when it is first needed, with its topics made where there is no operator who would, and
 * closed with the App. What could not be opened or made is tried anew when it is needed again.
 */
import type { Broker, BrokerSource } from "../broker/broker.ts";
import { BrokerError } from "../errors.ts";
import type { Monitor } from "../monitor/monitor.ts";
import type { Route } from "../routing/route.ts";
import { lazyImport } from "../support/lazy_import.ts";
import type { TopicChange } from "./topics.ts";

/** What it is made of. */
export interface AppBrokerOptions {
  /** The App's name. */
  readonly name: string;
  readonly source: BrokerSource;
  readonly monitor: Monitor;
  /** Every route of the App. */
  readonly routes: readonly Route[];
}

/** See the module. */
export class AppBroker {
  readonly #options: AppBrokerOptions;
  #opened: Promise<Broker> | undefined;
  #topicsMade: Promise<unknown> | undefined;
  #isClosed = false;

  constructor(options: AppBrokerOptions) {
    this.#options = options;
  }

  /** Whether it was closed. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The broker. An embedded one has no operator who makes topics. */
  async ready(): Promise<Broker> {
    if (this.#options.source.embedded === true) await this.#makeTopics();
    return await this.#open();
  }

  /** Creates topics that do not exist and adds partitions; changes nothing else. */
  async applyTopics(routes: readonly Route[] = this.#options.routes): Promise<TopicChange[]> {
    const [{ applyTopics }, broker] = await Promise.all([lazyImport(() => import("./topics.ts")), this.#open()]);
    return await applyTopics(broker, routes);
  }

  /** Finds groups of others in the topics of the App's jobs. */
  async findOtherGroups(): Promise<ReadonlyMap<string, readonly string[]>> {
    const [{ findOtherGroups }, broker] = await Promise.all([lazyImport(() => import("./topics.ts")), this.#open()]);
    return await findOtherGroups(broker, this.#options.routes);
  }

  /**
   * The broker as a worker on these routes needs it: it answers, and the topics of their jobs exist.
   *
   * @returns the broker, and the dead letter topics that do not exist
   * @throws {UnknownTopicError} if a topic of jobs does not exist
   */
  async prepare(routes: readonly Route[], createTopics: boolean): Promise<{ broker: Broker; missing: string[] }> {
    const broker = await this.ready();
    await broker.connect();
    if (createTopics) await this.applyTopics(routes);
    const { checkTopics } = await lazyImport(() => import("./topics.ts"));
    return { broker, missing: await checkTopics(broker, routes) };
  }

  /** Closes it for good. */
  async close(): Promise<void> {
    // First, since what opened while this waits would never be closed.
    this.#isClosed = true;
    // What could not be opened needs no closing: whoever asked for it has heard why.
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

  async #makeTopics(): Promise<void> {
    await (this.#topicsMade ??= this.applyTopics().catch((error) => {
      this.#topicsMade = undefined;
      throw error;
    }));
  }
}
