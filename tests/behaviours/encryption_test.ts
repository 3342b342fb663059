/** Encrypted jobs: whatever happens to them, the clear text is nowhere but in the job. */
import { assert, assertEquals } from "@std/assert";
import { activeJobTopic, type ArgumentsSchema, encryption, Job } from "../../mod.ts";
import { Metrics } from "../../src/monitor/metrics.ts";
import { EVENT_NAMES } from "../../src/monitor/monitor.ts";
import { every } from "../../src/recurring/mod.ts";
import { behaviour } from "../support/behaviours/behaviour.ts";
import { type AppProcess, asString, until, type World } from "../support/behaviours/world.ts";
import { openDashboard } from "../support/dashboard.ts";

const SECRET = "s3cr3t-4111";
const DEAD = { topic: "dead", maxRetries: 1 };
const KEY = encryption({ keys: [{ id: "2026", key: new Uint8Array(32).fill(7) }], required: true });

/** Accepts nothing, and says so with the value. */
const STRICT: ArgumentsSchema = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (args) => ({ issues: [{ message: `not ${(args as string[])[0]}`, path: [0] }] }),
  },
};

class StrictJob extends Job {
  static override schema = STRICT;
  perform(_secret: string) {}
}

const ran: string[] = [];
let isMended = false;

class VaultJob extends Job {
  static override resumeWait = { milliseconds: 1 };
  static {
    this.retryOn(RangeError, { attempts: 3, wait: { milliseconds: 1 } });
  }

  async perform(secret: string, kind: string) {
    ran.push(`${kind}: ${secret}`);
    const isFirst = this.executions === 1;
    if (kind === "retried" && isFirst) throw new RangeError("again");
    if (kind === "enqueued again" && isFirst) return void await this.retryJob({ wait: { milliseconds: 1 } });
    if (kind === "in place" && isFirst) throw new TypeError("again");
    if (kind === "dead" && !isMended) throw new TypeError("broken");
    if (kind !== "in steps") return;
    await this.step<string[]>("load", (step) => {
      if (step.cursor.length > 0) return void ran.push(`cursor: ${step.cursor[0]}`);
      step.set([secret]);
      throw new TypeError("after progress");
    }, { start: [] });
  }
}

/** Returns everything that the library shows of the jobs, by its place. */
async function shownBy(world: World, process: AppProcess, log: readonly string[]): Promise<Map<string, string>> {
  const shown = new Map([["log", log.join("\n")]]);
  for (const queue of ["default", "dead", `${world.group}_scheduled_jobs`, `${world.group}_workers`]) {
    for (const { key, value, headers, partition, offset } of await world.records(queue)) {
      const all = [key, value, ...headers.map(([, header]) => header)].map((bytes) => bytes && asString(bytes));
      shown.set(`${queue}/${partition}@${offset}`, all.join("\n"));
    }
  }
  for (const name of Object.keys(EVENT_NAMES) as (keyof typeof EVENT_NAMES)[]) {
    shown.set(`event ${name}`, JSON.stringify(process.events(name)));
  }
  const { open, api } = openDashboard(process.app);
  const pages = ["", "topics/default", "topics/default/records", "dead_letters", "delayed", "recurring", "workers"];
  for (const path of pages) shown.set(`page ${path}`, (await open(path)).html);
  for (const record of await world.records()) {
    const page = `topics/default/records/${record.partition}@${record.offset}`;
    shown.set(`page ${page}`, (await open(page)).html);
  }
  for (const path of ["", "dead_letters", "workers"]) shown.set(`api ${path}`, JSON.stringify(await api(path)));
  for (const suffix of world.file === null ? [] : ["", "-wal"]) {
    const bytes = await Deno.readFile(`${world.file}${suffix}`).catch(() => new Uint8Array());
    shown.set(`file${suffix}`, new TextDecoder("latin1").decode(bytes));
  }
  return shown;
}

behaviour(
  "F4: the arguments and the cursor of encrypted jobs are in no record, file, event, log line, metric, report or page",
  async (world) => {
    ran.length = 0;
    isMended = false;
    const log: string[] = [];
    const process = await world.process({
      jobs: [VaultJob],
      topics: [activeJobTopic("default", { partitions: 1, deadLetterQueue: DEAD })],
      recurring: [every({ hours: 1 }, VaultJob.of(SECRET, "recurring"), { id: "vault" })],
      encryption: KEY,
      logger: { level: "debug", format: "json", write: (text) => void log.push(text) },
    });
    const { app } = process;
    const metrics = new Metrics();
    metrics.attach(app);
    await process.start();
    await app.runRecurring("vault");
    await VaultJob.set({ wait: { milliseconds: 1 } }).performLater(SECRET, "delayed");
    for (const kind of ["plain", "retried", "enqueued again", "in place", "in steps", "dead"]) {
      await VaultJob.performLater(SECRET, kind);
    }
    await process.untilEvents("record.dead_lettered", 1);
    await until(() => ran.some((run) => run.startsWith("cursor")), () => `${ran}`);
    isMended = true;
    assertEquals((await app.deadLetters().requeue({ all: true })).requeued, 1);
    await until(() => process.events("job.performed").length >= 9, () => `${ran}`);
    const status = JSON.stringify(process.worker.status());
    const shown = await shownBy(world, process, log);
    await process.stop();
    shown.set("status", status).set("metrics", metrics.text());
    assertEquals(ran.filter((run) => run.startsWith("cursor")), [`cursor: ${SECRET}`]);
    for (const [place, text] of shown) assert(!text.includes(SECRET), `${place}: ${text.slice(0, 2000)}`);
  },
);

class OuterJob extends Job {
  async perform(secret: string, how: string) {
    const later = () => StrictJob.performLater(secret);
    if (how === "now") await StrictJob.performNow(secret);
    else if (how === "other App") await other!.enqueue(StrictJob.of(secret));
    else if (how === "wrapped") {
      await later().catch((cause) => Promise.reject(new Error("The bank refuses", { cause })));
    } else if (how === "logged") await later().catch(({ cause }) => this.logger.error("refused", { cause }));
    else await later();
  }
}

/** An App that does not encrypt. */
let other: AppProcess["app"] | undefined;

behaviour(
  "F5: an encrypted job that enqueues or performs another one with arguments that do not fit shows their paths, and no value",
  async (world) => {
    const log: string[] = [];
    const process = await world.process({
      jobs: [OuterJob, StrictJob],
      topics: [activeJobTopic("default", { partitions: 1, deadLetterQueue: { ...DEAD, maxRetries: 0 } })],
      encryption: KEY,
      logger: { level: "debug", format: "json", write: (text) => void log.push(text) },
    });
    other = (await world.process({ jobs: [StrictJob] })).app;
    for (const how of ["later", "now", "wrapped", "other App", "logged"]) {
      await process.app.enqueue(OuterJob.of(SECRET, how));
    }
    await process.drain();
    const letters = await process.app.deadLetters().list();
    const why = "The arguments of StrictJob do not fit its schema: arguments[0]";
    assertEquals(letters.map(({ errorMessage }) => errorMessage).toSorted(), [
      `Cannot enqueue StrictJob: ${why}`,
      `Cannot enqueue StrictJob: ${why}`,
      why,
      "The bank refuses",
    ]);
    const { error } = process.events("record.dead_lettered").find(({ error }) => error.message.startsWith("The bank"))!;
    assertEquals(error.cause!.message, `Cannot enqueue StrictJob: ${why}`);
    for (const [place, text] of await shownBy(world, process, log)) {
      assert(!text.includes(SECRET), `${place}: ${text.slice(0, 2000)}`);
    }
  },
);
