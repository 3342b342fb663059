/** A rolling deploy from version 0.1, whose Kafka side was built on kafkajs' consumer: old and new workers share a group. */
import { activeJobTopic, App, Job } from "@activejob/kafka";
import { assert, assertEquals } from "@std/assert";
import { brokers, noKafka } from "../support/kafka/cluster.ts";
import { until } from "../support/until.ts";
import { hasHistory, VERSION_0_1 } from "../support/version_0_1.ts";

const root = new URL("../../", import.meta.url).pathname.replace(/\/$/, "");

/** So many of the 1,800 jobs may run twice. */
const MOST_TWICE = 20;

class NumberJob extends Job {
  perform(_number: number) {}
}

/** Writes the files of version 0.1 into a folder. */
async function checkOut(folder: string): Promise<void> {
  const archive = new Deno.Command("git", { args: ["-C", root, "archive", VERSION_0_1], stdout: "piped" }).spawn();
  const tar = new Deno.Command("tar", { args: ["-x", "-C", folder], stdin: "piped" }).spawn();
  await archive.stdout.pipeTo(tar.stdin);
  assert((await archive.status).success && (await tar.status).success);
}

/** A worker process. */
class DeployedWorker {
  readonly #process: Deno.ChildProcess;
  readonly #reading: Promise<void>;
  isReady = false;

  /** @param performed called with each number that it performs */
  constructor(version: string, name: string, topic: string, performed: (number: number) => void) {
    const program = new URL("../support/kafka/deployed_worker.ts", import.meta.url).pathname;
    this.#process = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--quiet", "--config", `${version}/deno.json`, program, version, name, topic],
      env: { BROKER_URL: `kafka://${brokers.join(",")}` },
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#reading = this.#read(performed);
  }

  async stop(): Promise<number> {
    this.#process.kill("SIGTERM");
    await this.#reading;
    return (await this.#process.status).code;
  }

  async #read(performed: (number: number) => void): Promise<void> {
    let rest = "";
    for await (const chunk of this.#process.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        if (line === "ready") this.isReady = true;
        else performed(Number(line.replace("performed ", "")));
      }
    }
  }
}

Deno.test({
  name: "a rolling deploy from 0.1 to this version and back, in one group: no job is lost, few run twice",
  ignore: noKafka || !hasHistory(),
  async fn() {
    const folder = await Deno.makeTempDir();
    await checkOut(folder);
    const name = `deploy-${crypto.randomUUID()}`;
    const app = new App({
      name,
      broker: `kafka://${brokers.join(",")}`,
      jobs: [NumberJob],
      topics: [activeJobTopic(name, { partitions: 6 })],
      logger: false,
    });
    await app.applyTopics();
    const runs = new Map<number, number>();
    const performed = (number: number) => void runs.set(number, (runs.get(number) ?? 0) + 1);
    const start = async (version: string): Promise<DeployedWorker> => {
      const worker = new DeployedWorker(version, name, name, performed);
      await until(() => worker.isReady, () => `a worker of ${version} is ready`, 60_000);
      return worker;
    };
    let enqueued = 0;
    const enqueue = async (count: number): Promise<void> => {
      const jobs = Array.from({ length: count }, () => NumberJob.of(enqueued++).set({ queue: name }));
      await app.enqueueAll(jobs);
      await app.flush();
    };
    try {
      let old = [await start(folder), await start(folder)];
      await enqueue(300);
      const fresh = await start(root);
      await enqueue(300);
      assertEquals(await old[0]!.stop(), 0);
      await enqueue(300);
      assertEquals(await old[1]!.stop(), 0);
      await enqueue(300);
      old = [await start(folder)];
      await enqueue(300);
      assertEquals(await fresh.stop(), 0);
      await enqueue(300);
      await until(() => runs.size === enqueued, () => `${runs.size} of ${enqueued} jobs are performed`, 60_000);
      assertEquals(await old[0]!.stop(), 0);
      // A process that is stalled while a partition moves may have performed jobs that the next owner performs, too.
      const again = [...runs.values()].filter((count) => count !== 1);
      assert(again.length <= MOST_TWICE && again.every((count) => count === 2), `run more than once: ${again.length}`);
    } finally {
      await app.close();
      await Deno.remove(folder, { recursive: true });
    }
  },
});
