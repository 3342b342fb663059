/**
 * A cluster: its brokers, the connections to them, its topics, and the coordinators of groups.
 *
 * - A question that any broker can answer goes to the one that is most likely to; the next is asked beside one that stays
 *   silent for a second, and the first answer counts. A broker that failed is asked last for a while.
 * - A broker that stays silent and has lost its place meanwhile is not waited for: a broker that is frozen, or cut off, never
 *   closes its connections.
 * - A broker has one connection for each purpose, since it responds to the requests of a connection one at a time: a heartbeat
 *   must not wait behind a fetch that waits for records.
 * - An error of one partition or topic never keeps another one from being used.
 */
import { sleep } from "../../../support/deadline.ts";
import { Connection, type ConnectionOptions } from "./connection.ts";
import { ConnectionError, ProtocolError } from "./errors.ts";
import { MetadataCache } from "./metadata_cache.ts";
import type { MetadataResponse } from "./metadata_request.ts";
import type { Request } from "./request.ts";
import { findCoordinator } from "./requests.ts";
import { joinAddress } from "./socket.ts";

/** Options of a cluster. Times are milliseconds. */
export interface ClusterOptions {
  /** Bootstrap brokers, each as `host:port`. */
  readonly brokers: readonly string[];
  readonly connection: ConnectionOptions;
  /** Deadline of a response; questions that need no disk have a shorter one. */
  readonly requestTimeoutMs: number;
}

/**
 * Use of a connection: `"control"` for short questions, `"produce"`, `"produce lagging"` for partitions that wait for their
 * in-sync replicas, `"read"` for places of a log, and one for the group and one for the fetches of each consumer, such as
 * `"group 1"`.
 */
export type Purpose = "control" | "produce" | "produce lagging" | "read" | `group ${number}` | `fetch ${number}`;

/** The time for which a broker that failed is asked last, in milliseconds. */
const SUSPECT_MS = 15_000;
/** The silence of a broker after which another one is asked too, in milliseconds. */
const HEDGE_MS = 1000;
/** The silence of a broker after which its place is looked up, and then again, in milliseconds. */
const LOOK_MS = 500;
/** Deadline of a response that a broker has in memory, in milliseconds. */
const SHORT_TIMEOUT_MS = 3000;

/** See the module. */
export class Cluster {
  readonly metadata: MetadataCache = new MetadataCache(
    (request) => this.ask(request),
    (response) => this.#learn(response),
  );
  readonly #options: ClusterOptions;
  readonly #nodes = new Map<number, string>();
  /** Connections by purpose and address, also those that are being opened. */
  readonly #connections = new Map<string, Connection>();
  readonly #suspectUntilMs = new Map<string, number>();
  /** When a broker was doubted last, by address, on the clock of `performance.now()`. */
  readonly #doubtedMs = new Map<string, number>();
  /** The broker whose response to a question was taken last. */
  #lastAsked: string | null = null;
  readonly #coordinators = new Map<string, number>();
  #controllerId = -1;
  #isClosed = false;

  constructor(options: ClusterOptions) {
    this.#options = options;
  }

  /** Deadline of a response, in milliseconds. */
  get requestTimeoutMs(): number {
    return this.#options.requestTimeoutMs;
  }

  /** Deadline of a response that a broker has in memory, in milliseconds: metadata, offsets, a heartbeat. */
  get shortTimeoutMs(): number {
    return Math.min(SHORT_TIMEOUT_MS, this.requestTimeoutMs);
  }

  /** Node id of the controller, as of the last response; −1 if it is not known. */
  get controllerId(): number {
    return this.#controllerId;
  }

  /** Node ids of the brokers that are known. */
  nodeIds(): number[] {
    return [...this.#nodes.keys()];
  }

  /** Node id of a partition's leader; `null` where there is none, or none is known. */
  leaderOf(topic: string, partition: number): number | null {
    const leader = this.metadata.partition(topic, partition)?.leader ?? -1;
    return this.#nodes.has(leader) ? leader : null;
  }

  /** Whether a broker has not failed lately. */
  isReachable(nodeId: number): boolean {
    const address = this.#nodes.get(nodeId);
    return address !== undefined && !this.#isSuspect(address);
  }

  /**
   * Returns the connection to a broker, opened if need be.
   *
   * @throws {ConnectionError} if it cannot be opened
   */
  connectionTo(nodeId: number, purpose: Purpose): Promise<Connection> {
    const address = this.#nodes.get(nodeId);
    if (address !== undefined) return this.#connectionAt(address, purpose);
    return Promise.reject(new ConnectionError(`broker ${nodeId}`, "the cluster does not have it any more"));
  }

  /**
   * Sends a request to one broker.
   *
   * @throws {ConnectionError} if it does not answer
   */
  async send<Response>(
    nodeId: number,
    purpose: Purpose,
    request: Request<Response>,
    timeoutMs: number = this.requestTimeoutMs,
  ): Promise<Response> {
    return await (await this.connectionTo(nodeId, purpose)).send(request, timeoutMs);
  }

  /**
   * Sends a request to a broker that may lose its place while it keeps silent: then its answer is not waited for.
   *
   * @param isInPlace asked while the broker is silent. If it cannot tell, the wait goes on
   * @throws {ConnectionError} if it does not answer, or is not in its place any more
   */
  async sendWhileInPlace<Response>(
    nodeId: number,
    purpose: Purpose,
    request: Request<Response>,
    timeoutMs: number,
    isInPlace: () => Promise<boolean>,
  ): Promise<Response> {
    const name = `${purpose} ${this.#nodes.get(nodeId)}`;
    const over = new AbortController();
    const watch = async (): Promise<void> => {
      while (!over.signal.aborted) {
        await sleep(LOOK_MS, over.signal);
        if (over.signal.aborted || await isInPlace().catch(() => true) || over.signal.aborted) continue;
        const connection = this.#connections.get(name);
        connection?.close(new ConnectionError(connection.address, "another broker has its place now"));
      }
    };
    void watch();
    try {
      return await this.send(nodeId, purpose, request, timeoutMs);
    } finally {
      over.abort();
    }
  }

  /**
   * Sends a request that any broker can answer.
   *
   * @throws {ConnectionError} if none responds, or one refuses the credentials
   */
  ask<Response>(request: Request<Response>): Promise<Response> {
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    const addresses = this.#addressesByHope();
    let started = 0;
    let failed = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const startNext = (): void => {
      clearTimeout(timer);
      const address = addresses[started];
      if (address === undefined) return;
      started++;
      timer = setTimeout(() => {
        this.#suspect(address);
        startNext();
      }, HEDGE_MS);
      this.#connectionAt(address, "control")
        .then((connection) => connection.send(request, this.shortTimeoutMs))
        .then((response) => {
          this.#suspectUntilMs.delete(address);
          this.#lastAsked = address;
          resolve(response);
        }, (error) => {
          failed++;
          if (failed === addresses.length || (error as Partial<ConnectionError>).isFinal) reject(error);
          else startNext();
        });
    };
    startNext();
    return promise.finally(() => {
      clearTimeout(timer);
      // Asked beside the winner: its answer does not matter any more.
      started = addresses.length;
    });
  }

  /**
   * Sends a request to the coordinator of a group. A coordinator that does not answer is looked up again by the next call.
   *
   * @param purpose a join is answered when all members have joined, and holds up whatever comes after it
   * @throws {ConnectionError} if it does not answer
   * @throws {ProtocolError} if the group has no coordinator now
   */
  async sendToCoordinator<Response>(
    group: string,
    request: Request<Response>,
    timeoutMs: number = this.shortTimeoutMs,
    purpose: Purpose = "control",
  ): Promise<Response> {
    const nodeId = this.#coordinators.get(group) ?? await this.#findCoordinator(group);
    const isInPlace = async () => {
      if (await this.#findCoordinator(group) === nodeId) return true;
      // Another broker must confirm it: one that was frozen takes itself for the coordinator until it has new metadata, and has
      // removed the members, whose heartbeats did not reach it.
      this.doubt();
      return await this.#findCoordinator(group) === nodeId;
    };
    try {
      return await this.sendWhileInPlace(nodeId, purpose, request, timeoutMs, isInPlace);
    } catch (error) {
      if (error instanceof ConnectionError) this.forgetCoordinator(group);
      throw error;
    }
  }

  /**
   * The last response to a question led nowhere: the next question goes to another broker. One that has lost the controller
   * does not notice that a leader or a coordinator moves.
   */
  doubt(): void {
    if (this.#lastAsked !== null) this.#doubtedMs.set(this.#lastAsked, performance.now());
  }

  /** A broker has listed the group as its own: that saves looking the coordinator up. */
  learnCoordinator(group: string, nodeId: number): void {
    this.#coordinators.set(group, nodeId);
  }

  /** The broker is not the coordinator any more: the next call looks it up. */
  forgetCoordinator(group: string): void {
    if (this.#coordinators.delete(group)) this.doubt();
  }

  /** Closes the connections of a consumer that has ended. */
  closePurpose(...purposes: readonly Purpose[]): void {
    for (const [name, connection] of [...this.#connections]) {
      if (purposes.some((purpose) => name.startsWith(`${purpose} `))) connection.close(closedError(connection.address));
    }
  }

  /** Closes all connections; whatever is pending, or is asked later, fails. */
  close(): void {
    this.#isClosed = true;
    for (const connection of [...this.#connections.values()]) connection.close(closedError(connection.address));
  }

  async #findCoordinator(group: string): Promise<number> {
    const { errorCode, coordinator } = await this.ask(findCoordinator(group));
    if (errorCode !== 0) throw new ProtocolError(`FindCoordinator of group "${group}"`, errorCode);
    const { nodeId, host, port } = coordinator;
    // The metadata knows better where a broker is that it has.
    if (!this.#nodes.has(nodeId)) this.#nodes.set(nodeId, joinAddress(host, port));
    this.#coordinators.set(group, nodeId);
    return nodeId;
  }

  #learn({ brokers, controllerId }: MetadataResponse): void {
    // A broker that has just started may know none.
    if (brokers.length === 0) return;
    this.#nodes.clear();
    for (const { nodeId, host, port } of brokers) this.#nodes.set(nodeId, joinAddress(host, port));
    this.#controllerId = controllerId;
  }

  /**
   * Brokers with an open connection first, then those of the cluster, then the bootstrap list; behind them those that were
   * doubted, the last one last, and behind all those that failed.
   */
  #addressesByHope(): string[] {
    const opened = [...this.#connections.values()].filter(({ isReady }) => isReady).map(({ address }) => address);
    const all = [...new Set([...opened, ...this.#nodes.values(), ...this.#options.brokers])];
    const doubtedMs = (address: string): number => this.#doubtedMs.get(address) ?? 0;
    return all.sort((a, b) => Number(this.#isSuspect(a)) - Number(this.#isSuspect(b)) || doubtedMs(a) - doubtedMs(b));
  }

  #suspect(address: string): void {
    this.#suspectUntilMs.set(address, performance.now() + SUSPECT_MS);
  }

  #isSuspect(address: string): boolean {
    return performance.now() < (this.#suspectUntilMs.get(address) ?? 0);
  }

  #connectionAt(address: string, purpose: Purpose): Promise<Connection> {
    const name = `${purpose} ${address}`;
    const known = this.#connections.get(name);
    if (known !== undefined) return known.ready;
    if (this.#isClosed) return Promise.reject(closedError(address));
    const connection = new Connection(address, this.#options.connection, (error) => {
      this.#connections.delete(name);
      if (!error.isFinal) this.#suspect(address);
    });
    this.#connections.set(name, connection);
    connection.ready.then(() => this.#suspectUntilMs.delete(address), () => {});
    return connection.ready;
  }
}

function closedError(address: string): ConnectionError {
  return new ConnectionError(address, "the client was closed", { isFinal: true });
}
