/** The durability of an acknowledged record: how SQLite syncs, read inside the transaction itself. */
import { assertEquals } from "@std/assert";
import { activeJobTopic, App, Job, type KafkaOptions, sqlite } from "../../../mod.ts";
import type { BrokerSource } from "../../../src/broker/broker.ts";
import { SqliteBroker } from "../../../src/broker/sqlite/broker.ts";
import type { Connection } from "../../../src/broker/sqlite/connection.ts";
import { DatabaseFile } from "../../../src/broker/sqlite/file.ts";
import { openBroker, TemporaryFile } from "./harness.ts";

/** A file that records how each appending transaction syncs: the topic, and 1 for NORMAL, 2 for FULL. */
class Watched extends DatabaseFile {
  readonly appends: string[] = [];

  override write: DatabaseFile["write"] = (step, options) =>
    super.write((connection) => {
      const before = records(connection);
      const result = step(connection);
      for (const [topic, count] of records(connection)) {
        if (count === (before.get(topic) ?? 0)) continue;
        this.appends.push(`${topic} ${connection.get<{ synchronous: number }>("PRAGMA synchronous")!.synchronous}`);
      }
      return result;
    }, options);
}

function records(connection: Connection): Map<string, number> {
  const rows = connection.all<readonly [name: string, count: number]>(
    `SELECT name, count(*) FROM records JOIN partitions p ON p.id = partition_id JOIN topics t ON t.id = topic_id
      GROUP BY name`,
  );
  return new Map(rows);
}

Deno.test("sqlite: produceSync and dead letters sync in their transaction, produceAsync leaves it to the next checkpoint", async () => {
  using temporary = new TemporaryFile();
  const file = new Watched(temporary.path, 5000);
  const source = sqlite(temporary.path);
  const watched: BrokerSource = {
    ...source,
    open: (context) => Promise.resolve(new SqliteBroker(source.name, file, context)),
  };
  class SyncJob extends Job {
    static override kafkaOptions: KafkaOptions = { dispatchMethod: "produceSync" };
    perform() {}
  }
  class AsyncJob extends Job {
    perform() {
      throw new Error("No");
    }
  }
  const deadLetterQueue = { topic: "dead", maxRetries: 0 };
  await using app = new App({
    name: "shop",
    broker: watched,
    jobs: [SyncJob, AsyncJob],
    topics: [activeJobTopic("default", { deadLetterQueue })],
    logger: false,
  });
  // In turn: a setting that is applied only once would show at the second time.
  for (let turn = 0; turn < 2; turn++) {
    await SyncJob.performLater();
    await (await AsyncJob.performLater()).delivered();
  }
  assertEquals(file.appends, ["default 2", "default 1", "default 2", "default 1"]);
  file.appends.length = 0;
  await app.worker().run(undefined, { once: true });
  assertEquals(file.appends, ["dead 2", "dead 2"]);
});

Deno.test("sqlite: the file is in WAL mode for every process that opens it", async () => {
  using file = new TemporaryFile();
  await using broker = openBroker(file.path);
  await broker.connect();
  const again = new DatabaseFile(file.path, 1000);
  const mode = await again.read((connection) => connection.get<{ journal_mode: string }>("PRAGMA journal_mode"));
  assertEquals(mode!.journal_mode, "wal");
  again.close();
});
