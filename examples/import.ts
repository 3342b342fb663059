/**
 * A large import that survives deploys and crashes. The job is in steps: a stop interrupts it, and it goes on at its cursor; after
 * `kill -9` it goes on at the cursor of its record, and the rows that it imports again are there already.
 *
 * `deno run -A examples/import.ts`, then press ^C, or kill it, and start it again. The files are in the folder `import_data`.
 */
import { activeJobTopic, App, Job, type KafkaOptions } from "@activejob/kafka";
import { DatabaseSync } from "node:sqlite";

const ROWS = 200;
const folder = Deno.args[0] ?? "import_data";
await Deno.mkdir(folder, { recursive: true });

const db = new DatabaseSync(`${folder}/people.db`);
db.exec("CREATE TABLE IF NOT EXISTS people (id INTEGER PRIMARY KEY, name TEXT)");
// A row that is imported twice is there once.
const insert = db.prepare("INSERT OR IGNORE INTO people VALUES (?, ?)");
const count = () => Number(db.prepare("SELECT count(*) AS rows FROM people").get()!.rows);

class ImportJob extends Job {
  static override kafkaOptions: KafkaOptions = { dispatchMethod: "produceSync" };
  static override resumeWait = { seconds: 0 };

  async perform(file: string) {
    const lines = (await Deno.readTextFile(file)).trimEnd().split("\n");
    await this.step<number>("import", async (step) => {
      console.log(`Importing from row ${step.cursor}`);
      for (let row = step.cursor; row < lines.length; row++) {
        insert.run(row, lines[row]!);
        await new Promise((resolve) => setTimeout(resolve, 20));
        if (row % 10 === 9) console.log(`${row + 1} rows`);
        step.advance({ from: row }); // an interrupt is thrown here
      }
    }, { start: 0 });
    await this.step("report", () => console.log(`Imported ${count()} people`));
    stop.abort();
  }
}

const app = new App({
  name: "import",
  broker: `sqlite:${folder}/jobs.db`,
  jobs: [ImportJob],
  topics: [activeJobTopic("default")],
  sessionTimeoutMs: 2000,
  logger: { level: "warn" },
});

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => stop.abort());

const file = `${folder}/people.csv`;
const isFirstStart = await Deno.stat(file).then(() => false, () => true);
if (isFirstStart) {
  await Deno.writeTextFile(file, Array.from({ length: ROWS }, (_, row) => `Person ${row}\n`).join(""));
  await ImportJob.performLater(file);
}
await app.worker().run(stop.signal);
await app.close();
console.log("Stopped");
