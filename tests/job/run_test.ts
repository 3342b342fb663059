/** The logger of a job that is performed without a worker: it writes to the console. */
import { assertEquals } from "@std/assert";
import { Child } from "../support/child.ts";

const PROGRAM = `
  import { Job } from "@activejob/kafka";
  class NowJob extends Job {
    perform() {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      const fail = () => { throw new Error("no"); };
      this.logger.info("disk 90%done", { host: "a" });
      this.logger.info("%s %o", { host: "b" });
      this.logger.warn(Symbol("a"), Object.defineProperty(new Error(), "message", { get: fail }));
      this.logger.info("last", { proxy });
    }
  }
  const job = NowJob.of();
  job.jobId = "id%d";
  await NowJob.performNow();
`;

Deno.test("performNow() writes a job's lines to the console as they are, whatever they contain", async () => {
  const url = `data:application/typescript,${encodeURIComponent(PROGRAM)}`;
  await using child = new Child([url], { options: ["-A", "--no-check", "--config", "deno.json"] });
  const { code, stdout, stderr } = await child.ended();
  const withoutId = (line: string) => line.replace(/NowJob [0-9a-f-]{36}: /, "");
  assertEquals(stdout.slice(0, 2).map(withoutId), ['disk 90%done { host: "a" }', '%s %o { host: "b" }']);
  assertEquals(stdout.findLast((line) => line.startsWith("NowJob"))?.replace(/.*: last.*/, "last"), "last");
  assertEquals([code, stderr.some((line) => line.startsWith("NowJob") && line.includes("Symbol(a)"))], [0, true]);
});
