/** The SQLite broker over one file, for the conformance suite, and changes to the file as another program would make them. */
import { DatabaseSync } from "node:sqlite";
import type { Broker, Consumer } from "../../../src/broker/broker.ts";
import type { Harness } from "../conformance/mod.ts";
import { SQLITE_CAPABILITIES, SqliteBroker } from "../../../src/broker/sqlite/broker.ts";
import type { SqliteConsumer } from "../../../src/broker/sqlite/consumer.ts";
import { DatabaseFile } from "../../../src/broker/sqlite/file.ts";
import { Monitor } from "../../../src/monitor/monitor.ts";
import type { Position, TopicPartition } from "../../../src/support/position.ts";

/** A file in a folder of its own, which is deleted after the test. */
export class TemporaryFile implements Disposable {
  readonly #folder = Deno.makeTempDirSync({ prefix: "sqlite-" });
  /** The path of the file. */
  readonly path = `${this.#folder}/jobs.db`;

  [Symbol.dispose](): void {
    Deno.removeSync(this.#folder, { recursive: true });
  }
}

/** A client of the file, as another process would have it. */
export function openBroker(path: string, busyTimeoutMs = 5000): Broker {
  const file = new DatabaseFile(path, busyTimeoutMs);
  return new SqliteBroker(`sqlite:${path}`, file, { clientId: "test", monitor: new Monitor() });
}

/** Runs a statement as another program would. */
export function outside(
  path: string,
  ...statements: readonly (readonly [sql: string, ...values: (string | number)[]])[]
) {
  // Not `using`, which Node 22 cannot read: `tests/runtimes` runs this file there.
  const database = new DatabaseSync(path, { timeout: 5000 });
  try {
    database.exec("BEGIN IMMEDIATE");
    for (const [sql, ...values] of statements) database.prepare(sql).run(...values);
    database.exec("COMMIT");
  } finally {
    database.close();
  }
}

/** Returns the rows of a query as another program would, each as a list of its columns. */
export function rows(path: string, sql: string): unknown[][] {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return database.prepare(sql).all().map((row) => Object.values(row));
  } finally {
    database.close();
  }
}

/**
 * Another program that writes: it holds the lock until it is disposed of. It lives in this process, so that a call that
 * slept until the lock is free would sleep for ever.
 */
export function writing(path: string, mode = "IMMEDIATE"): Disposable & { release(): void } {
  const database = new DatabaseSync(path, { timeout: 0 });
  database.exec(`BEGIN ${mode}`);
  const release = () => {
    if (database.isOpen) database.close();
  };
  return { release, [Symbol.dispose]: release };
}

/** SQL for the id of a partition, by its topic's name and its number. */
const PARTITION_ID =
  "(SELECT p.id FROM partitions p JOIN topics t ON t.id = p.topic_id WHERE t.name = ? AND partition = ?)";

/** The faults of the suite, made from outside. */
export function sqliteFaults(path: string) {
  return {
    recreateTopic(topic: string, partitions: number): Promise<void> {
      const made = Array.from({ length: partitions }, (_, partition) =>
        [
          "INSERT INTO partitions (topic_id, partition) SELECT id, ? FROM topics WHERE name = ?",
          partition,
          topic,
        ] as const);
      const config = JSON.stringify({ "max.message.bytes": "1048588" });
      outside(
        path,
        ["DELETE FROM topics WHERE name = ?", topic],
        ["INSERT INTO topics (name, config) VALUES (?, ?)", topic, config],
        ...made,
      );
      return Promise.resolve();
    },
    deleteRecords({ topic, partition, offset }: Position): Promise<void> {
      outside(
        path,
        [`DELETE FROM records WHERE partition_id = ${PARTITION_ID} AND "offset" < ?`, topic, partition, offset],
        [
          `UPDATE partitions SET low = ?, high = max(high, ?) WHERE id = ${PARTITION_ID}`,
          ...[offset, offset, topic, partition],
        ],
      );
      return Promise.resolve();
    },
    commitAs(group: string, { topic, partition, offset }: Position, metadata: string): Promise<void> {
      outside(
        path,
        [
          `UPDATE group_offsets SET fence = fence + 1, committed = ?, metadata = ?
            WHERE group_name = ? AND partition_id = ${PARTITION_ID}`,
          ...[offset, metadata, group, topic, partition],
        ],
      );
      return Promise.resolve();
    },
    expire(consumer: Consumer): Promise<void> {
      const { id } = consumer as SqliteConsumer;
      outside(path, ["DELETE FROM leases WHERE owner = ?", id], ["DELETE FROM members WHERE id = ?", id]);
      return Promise.resolve();
    },
    appendControl({ topic, partition }: TopicPartition, count = 2): Promise<void> {
      const end = '(SELECT max("offset") + 1 FROM records WHERE partition_id = partitions.id)';
      const used = `UPDATE partitions SET high = max(high, ifnull(${end}, 0)) + ? WHERE id = ${PARTITION_ID}`;
      outside(path, [used, count, topic, partition]);
      return Promise.resolve();
    },
    ageRecords({ topic, partition }: TopicPartition, ms: number): Promise<void> {
      const aged = `UPDATE records SET timestamp_ms = timestamp_ms - ? WHERE partition_id = ${PARTITION_ID}`;
      outside(path, [aged, ms, topic, partition]);
      return Promise.resolve();
    },
  };
}

/** The broker for the suite. */
export function sqliteHarness(path: string, sessionTimeoutMs = 2000): Harness {
  return {
    name: "sqlite",
    capabilities: SQLITE_CAPABILITIES,
    sessionTimeoutMs,
    limitMs: 10_000,
    open: () => openBroker(path),
    ...sqliteFaults(path),
  };
}
