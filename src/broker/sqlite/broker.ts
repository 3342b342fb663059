/**
 * A client of the file: the broker of one process. It opens the file at its first use; disposing of it closes its
 * consumers and the file.
 */
import { BrokerError } from "../../errors.ts";
import type {
  AppendOutcome,
  Broker,
  BrokerAdmin,
  BrokerContext,
  Capabilities,
  ConsumeOptions,
  Consumer,
  ConsumerSink,
  DecideSkip,
  NewRecord,
} from "../broker.ts";
import { refuseAll } from "../refusals.ts";
import { sqliteAdmin } from "./admin.ts";
import { append } from "./append.ts";
import { turn } from "./wakeup.ts";
import { type Durability, MAX_ROWS } from "./connection.ts";
import { SqliteConsumer } from "./consumer.ts";
import { SqliteError } from "./failures.ts";
import type { DatabaseFile } from "./file.ts";
import { MAX_COMMIT_METADATA_LENGTH } from "./group_offsets.ts";
import { skipRecord } from "./skip.ts";
import type { Position } from "../../support/position.ts";

/** The deadline for closing the consumers when the broker is disposed of, in milliseconds. */
const CLOSE_MS = 1000;

/** The capabilities of the file. */
export const SQLITE_CAPABILITIES: Capabilities = Object.freeze({
  offsetsExpire: false,
  maxCommitMetadataLength: MAX_COMMIT_METADATA_LENGTH,
});

/** The broker on a file. */
export class SqliteBroker implements Broker {
  readonly name: string;
  readonly capabilities: Capabilities = SQLITE_CAPABILITIES;
  readonly admin: BrokerAdmin;
  readonly #file: DatabaseFile;
  readonly #context: BrokerContext;
  readonly #consumers = new Set<SqliteConsumer>();
  /** The number of the next record without a key: they go to each partition in turn. Many processes append only one. */
  #spread = Math.floor(Math.random() * 2 ** 31);
  #open = true;

  constructor(name: string, file: DatabaseFile, context: BrokerContext) {
    this.name = name;
    this.#file = file;
    this.#context = context;
    this.admin = sqliteAdmin(file, () => this.#wake());
  }

  async connect(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await this.#file.connection(signal === undefined ? {} : { signal });
    signal?.throwIfAborted();
  }

  async append(
    topic: string,
    records: readonly NewRecord[],
    { durability = "buffered" }: { readonly durability?: Durability } = {},
  ): Promise<readonly AppendOutcome[]> {
    const outcomes: AppendOutcome[] = [];
    for (let from = 0; from < records.length; from += MAX_ROWS) {
      if (from > 0) await turn();
      const slice = records.slice(from, from + MAX_ROWS);
      try {
        outcomes.push(
          ...await this.#file.write(
            (connection) => append(connection, topic, slice, () => this.#spread++),
            { durability },
          ),
        );
      } catch (error) {
        const written = error instanceof SqliteError ? error.written : "no";
        outcomes.push(...refuseAll(slice, error as Error, written));
        // Later slices are not tried: they would overtake the records that the caller sends again.
        outcomes.push(...refuseAll(records.slice(from + MAX_ROWS), error as Error, "no"));
        break;
      }
    }
    this.#wake();
    return outcomes;
  }

  consume(options: ConsumeOptions, sink: ConsumerSink): Consumer {
    if (!this.#open) throw new BrokerError(`Cannot use the broker "${this.name}": it was disposed of`);
    const consumer = new SqliteConsumer(this.#file, this.#context.monitor, options, sink, {
      changed: () => this.#wake(consumer),
      left: () => {
        this.#consumers.delete(consumer);
        this.#wake();
      },
    });
    this.#consumers.add(consumer);
    return consumer;
  }

  async skip(group: string, position: Position, decide: DecideSkip): Promise<void> {
    await skipRecord(this.#file, group, position, decide, () => this.#wake());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#open = false;
    await Promise.all([...this.#consumers].map((consumer) => consumer.close(CLOSE_MS)));
    this.#file.close();
    // By then every step that waited for the file was rejected.
    await turn();
  }

  /** Lets the consumers of this process look at the file, except for one. */
  #wake(except?: SqliteConsumer): void {
    for (const consumer of this.#consumers) if (consumer !== except) consumer.wake();
  }
}
