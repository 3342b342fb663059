/**
 * A client of the memory log: what a process would have of a real broker. Several may be open over one log, as several
 * processes would be. It lives until it is disposed of, and closes its consumers then.
 */
import { BrokerError } from "../../errors.ts";
import type {
  AppendOutcome,
  Broker,
  BrokerAdmin,
  Capabilities,
  ConsumeOptions,
  Consumer,
  ConsumerSink,
  NewRecord,
  SkipOptions,
} from "../broker.ts";
import { alreadySkippedError, skipsOthersError } from "../refusals.ts";
import { memoryAdmin } from "./admin.ts";
import { MemoryConsumer } from "./consumer.ts";
import { MAX_COMMIT_METADATA_LENGTH } from "./group.ts";
import type { MemoryLog } from "./log.ts";
import type { Position } from "../../support/position.ts";

/** How long closing the consumers may take when the broker is disposed of, in milliseconds. They need one turn. */
const CLOSE_MS = 1000;

/** What the memory log can do. */
export const MEMORY_CAPABILITIES: Capabilities = Object.freeze({
  sharedGroups: true,
  maxCommitMetadataLength: MAX_COMMIT_METADATA_LENGTH,
});

/** See the module. */
export class MemoryBroker implements Broker {
  readonly name: string;
  readonly capabilities: Capabilities = MEMORY_CAPABILITIES;
  readonly admin: BrokerAdmin;
  readonly #log: MemoryLog;
  readonly #consumers = new Set<MemoryConsumer>();
  readonly #disposed = Promise.withResolvers<void>();
  #open = true;

  /** @param log the log that it is a client of */
  constructor(log: MemoryLog) {
    this.name = log.name;
    this.#log = log;
    this.admin = memoryAdmin(log, () => this.#reachable());
  }

  async connect(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (signal === undefined) return await this.#reachable();
    const aborted = Promise.withResolvers<never>();
    const abort = () => aborted.reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    try {
      await Promise.race([this.#reachable(), aborted.promise]);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  async append(topic: string, records: readonly NewRecord[]): Promise<readonly AppendOutcome[]> {
    // Without waiting where nothing hinders: the records are in the log when the call returns.
    if (this.#open && !this.#log.tasks.away) return this.#log.append(topic, records);
    if (this.#open && await this.#log.tasks.reachable(this.#disposed.promise)) return this.#log.append(topic, records);
    const error = new BrokerError(`Cannot append to topic "${topic}": the broker "${this.name}" was disposed of`);
    return records.map(() => ({ ok: false, error, written: "unknown" }));
  }

  consume(options: ConsumeOptions, sink: ConsumerSink): Consumer {
    if (!this.#open) throw this.#disposedError();
    const consumer = new MemoryConsumer(this.#log.group(options.group), this.#log.tasks, options, sink);
    this.#consumers.add(consumer);
    this.#log.register(consumer);
    consumer.closing.then(() => {
      this.#consumers.delete(consumer);
      this.#log.unregister(consumer);
    });
    return consumer;
  }

  async skip(name: string, position: Position, { force = false }: SkipOptions = {}): Promise<void> {
    await this.#reachable();
    const group = this.#log.group(name);
    const next = { ...position, offset: position.offset + 1 };
    this.#log.assertWithin(next);
    const current = () => group.committed(position)?.offset ?? this.#log.low(position);
    if (current() > position.offset) throw alreadySkippedError(name, position, current());
    // After the last marks of its owner, which may have come to it just now, or gone beyond it.
    let at = current();
    const skipped = group.intervene(() => {
      at = current();
      if (at === position.offset || (force && at < position.offset)) group.write(next, "");
    });
    await Promise.race([skipped, this.#disposed.promise]);
    if (at < position.offset && !force) throw skipsOthersError(name, position, at);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#open = false;
    this.#disposed.resolve();
    await Promise.all([...this.#consumers].map((consumer) => consumer.close(CLOSE_MS)));
  }

  async #reachable(): Promise<void> {
    if (!this.#open || !await this.#log.tasks.reachable(this.#disposed.promise)) throw this.#disposedError();
  }

  #disposedError(): BrokerError {
    return new BrokerError(`Cannot reach the broker "${this.name}": it was disposed of`);
  }
}
