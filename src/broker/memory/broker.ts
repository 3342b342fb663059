/**
 * A client of the memory log: what one process has of a real broker. Several clients of one log act as several
 * processes. It lives until it is disposed of, and closes its consumers then.
 */
import { BrokerError } from "../../errors.ts";
import type {
  AppendOutcome,
  Broker,
  BrokerAdmin,
  Capabilities,
  Commit,
  ConsumeOptions,
  Consumer,
  ConsumerSink,
  DecideSkip,
  NewRecord,
} from "../broker.ts";
import { alreadySkippedError, refuseAll, skipsOthersError } from "../refusals.ts";
import { formatPosition, type Position } from "../../support/position.ts";
import { memoryAdmin } from "./admin.ts";
import { MemoryConsumer } from "./consumer.ts";
import { MAX_COMMIT_METADATA_LENGTH } from "./group.ts";
import type { MemoryLog } from "./log.ts";

/** The deadline for closing the consumers when the client is disposed of, in ms. They need one task. */
const CLOSE_MS = 1000;

/** The abilities of the memory log. */
export const MEMORY_CAPABILITIES: Capabilities = Object.freeze({
  offsetsExpire: false,
  maxCommitMetadataLength: MAX_COMMIT_METADATA_LENGTH,
});

/** A client. */
export class MemoryBroker implements Broker {
  readonly name: string;
  readonly capabilities: Capabilities = MEMORY_CAPABILITIES;
  readonly admin: BrokerAdmin;
  readonly #log: MemoryLog;
  readonly #consumers = new Set<MemoryConsumer>();
  #isDisposed = false;

  /** Opens a client of a log. */
  constructor(log: MemoryLog) {
    this.name = log.name;
    this.#log = log;
    this.admin = memoryAdmin(log, () => this.ready());
  }

  async connect(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await this.ready();
  }

  append(topic: string, records: readonly NewRecord[]): Promise<readonly AppendOutcome[]> {
    if (!this.#isDisposed) return Promise.resolve(this.#log.append(topic, records));
    const error = new BrokerError(`Cannot append to topic "${topic}": the broker "${this.name}" was disposed of`);
    return Promise.resolve(refuseAll(records, error, "unknown"));
  }

  consume(options: ConsumeOptions, sink: ConsumerSink): Consumer {
    if (this.#isDisposed) throw this.disposedError();
    const consumer = this.createConsumer(options, sink);
    this.#consumers.add(consumer);
    consumer.closed.then(() => this.#consumers.delete(consumer));
    return consumer;
  }

  async skip(name: string, position: Position, decide: DecideSkip): Promise<void> {
    await this.ready();
    const group = this.#log.group(name);
    const end = position.offset + 1;
    this.#log.assertContains({ ...position, offset: end }, `skip ${formatPosition(position)}`);
    const { low } = this.#log.partition(position);
    const committed = (): Commit => group.committed(position) ?? { offset: low, metadata: "" };
    const { offset } = committed();
    if (offset > position.offset) throw alreadySkippedError(name, position, offset);
    // After the last marks of the owner: it may have come to the record just now, or have passed it.
    await group.intervene(() => {
      const before = committed();
      if (before.offset > position.offset) return;
      const commit = decide(before, end, MAX_COMMIT_METADATA_LENGTH);
      if (commit === null) throw skipsOthersError(name, position, before.offset);
      group.setCommitted({ ...position, offset: commit.offset }, commit.metadata);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    await Promise.all([...this.#consumers].map((consumer) => consumer.close(CLOSE_MS)));
  }

  /** Makes a consumer. */
  protected createConsumer(options: ConsumeOptions, sink: ConsumerSink): MemoryConsumer {
    return new MemoryConsumer(this.#log.group(options.group), this.#log.tasks, options, sink);
  }

  /** Resolves when the log can be used; rejects once the client was disposed of. */
  protected ready(): Promise<void> {
    return this.#isDisposed ? Promise.reject(this.disposedError()) : Promise.resolve();
  }

  /** The error of a call after the client was disposed of. */
  protected disposedError(): BrokerError {
    return new BrokerError(`Cannot reach the broker "${this.name}": it was disposed of`);
  }
}
