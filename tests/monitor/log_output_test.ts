/** Lines of the log in a real process: none is lost at an end, and a pipe that is not read stops nothing. */
import { assertEquals, assertMatch } from "@std/assert";
import { root } from "../../tasks/process.ts";
import { Child } from "../support/child.ts";
import { until } from "../support/until.ts";

const APP = "tests/monitor/children/logging_app.ts";

/** More lines than a pipe holds: the process waits for its reader. */
const MANY = 500;
/** As many as a pipe holds: an abrupt end waits for a reader for 100 ms only, and this process may be slower. */
const FEW = 80;

/** The ends, with their exit codes and the jobs before them. */
const ENDS = {
  close: [0, MANY],
  "by itself": [0, MANY],
  exit: [3, FEW],
  "exit later": [3, FEW],
  throw: [1, FEW],
  "throw later": [1, FEW],
  reject: [1, FEW],
} as const;

for (const [end, [expected, jobs]] of Object.entries(ENDS)) {
  Deno.test(`no log line is lost at the end of a process (${end})`, async () => {
    await using child = new Child([APP, end, `${jobs}`]);
    const { code, stderr } = await child.ended();
    const lines = stderr.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
    assertEquals(code, expected);
    assertEquals(
      lines.filter(({ event }) => event === "job.log").map(({ message }) => message),
      Array.from({ length: jobs }, (_, n) => `ChatJob from default/0@${n}: line ${n}`),
    );
    assertEquals(lines.at(-1)?.message, "Error in test: Error: last words");
  });
}

/** A worker whose standard error is a pipe that is not read until `readLog()`. */
class UnreadWorker implements AsyncDisposable {
  readonly #process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", APP, "worker"],
    cwd: root,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  readonly #stdin = this.#process.stdin.getWriter();
  readonly #stdout = this.#process.stdout.pipeThrough(new TextDecoderStream()).getReader();

  /** Lets it perform jobs, each with two log lines. @returns what it prints once they are performed */
  async perform(count: number): Promise<string | undefined> {
    await this.#stdin.write(new TextEncoder().encode(`${count}\n`));
    return (await this.#stdout.read()).value;
  }

  /** Reads its log, up to its end. @param add called with each part */
  async readLog(add: (text: string) => void): Promise<void> {
    for await (const text of this.#process.stderr.pipeThrough(new TextDecoderStream())) add(text);
  }

  /** Closes its App. @returns its exit code */
  async close(): Promise<number> {
    await this.#stdin.write(new TextEncoder().encode("close\n"));
    return (await this.#process.status).code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#stdin.close(), this.#stdout.cancel()]).catch(() => {});
    await this.#process.stderr.cancel().catch(() => {});
    await this.#process.status;
  }
}

Deno.test("a worker performs, and ends, although its log is not read", async () => {
  await using worker = new UnreadWorker();
  assertEquals(await worker.perform(3000), "performed 3000\n");
  assertEquals(await worker.close(), 0);
});

Deno.test("log lines that are dropped are counted, and reported once there is space again", async () => {
  await using worker = new UnreadWorker();
  await worker.perform(3000);
  let log = "";
  const read = worker.readLog((text) => log += text);
  let performed = 3000;
  await until(async () => {
    await worker.perform(1);
    performed++;
    return log.includes("log lines were dropped");
  }, () => log.slice(-1000));
  assertEquals(await worker.close(), 0);
  await read;
  const lines = log.split("\n").slice(0, -1).map((line) => JSON.parse(line));
  const reports = lines.filter(({ where }) => where === "log").map(({ message }) => message);
  assertEquals(reports.length, 1);
  assertMatch(reports[0], /^Error in log: Error: \d+ log lines were dropped: standard error is not read, or not fast/);
  const dropped = Number(/\d+/.exec(reports[0])![0]);
  const received = lines.filter(({ event }) => event === "job.log" || event === "job.performed").length;
  // The first report, when lines began to be dropped, was dropped as well.
  assertEquals(received + dropped - 1, 2 * performed);
});
