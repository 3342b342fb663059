/** A worker's health, requested from a real process while it starts, works, blocks and stops. */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { until } from "../support/until.ts";
import { Child, type ChildOptions, CLI, cli } from "../support/child.ts";
import { readScrape } from "../support/scrape.ts";

const LOCAL = ["--health-host", "127.0.0.1"];

/** A worker with a health server. */
class HealthyChild extends Child {
  /** The URL of the server. */
  readonly url: Promise<string>;

  constructor(options: ChildOptions = {}) {
    super([CLI, "worker", "--app", "tests/cli/apps/health.ts", "--health-port", "0", ...LOCAL], options);
    this.url = this.line(/^Health on /).then((line) => line.replace("Health on ", ""));
  }

  /** Requests a path. */
  async ask(path: string): Promise<readonly [status: number, text: string]> {
    const response = await fetch(`${await this.url}${path}`);
    return [response.status, await response.text()];
  }

  /** Waits until a path has this response. @returns its body */
  async becomes(path: string, status: number, pattern: RegExp = /^/): Promise<string> {
    let last: readonly [number, string] = [0, ""];
    return await until(async () => {
      last = await this.ask(path);
      return last[0] === status && pattern.test(last[1]) ? last[1] : null;
    }, () => `${path} returns ${last}, not ${status} ${pattern}\n${this.lines.join("\n")}`);
  }
}

Deno.test("a worker is alive from its start to its end, and ready while it is in its group and no stop is under way", async () => {
  await using child = new HealthyChild({ env: { AWAY: "1" } });
  assertEquals(await child.ask("/readyz"), [503, 'the worker has not joined group "health" yet\n']);
  assertEquals(await child.ask("/livez"), [200, "ok\n"]);
  await child.writeLine("back");
  assertEquals(await child.becomes("/readyz", 200), "ok\n");
  await child.writeLine("away");
  await child.becomes("/readyz", 503, /^the session in group "health" may have expired\n$/);
  assertEquals(await child.ask("/livez"), [200, "ok\n"]);
  await child.writeLine("back");
  await child.becomes("/readyz", 200);
  await child.writeLine("long");
  await child.line(/^performing$/);
  child.signal("SIGTSTP");
  await child.becomes("/readyz", 503, /^the worker is quiet, and 1 job still runs\n$/);
  child.signal("SIGTERM");
  assertEquals(await child.becomes("/readyz", 503, /stopping/), "the worker is stopping, and 1 job still runs\n");
  assertEquals(await child.ask("/livez"), [200, "ok\n"]);
  await child.writeLine("free");
  const { code } = await child.ended();
  assertEquals(code, 0);
  await assertRejects(() => child.ask("/livez"), TypeError);
});

Deno.test("a worker with a job beyond its timeout and its grace is not alive, and is again once the job ends", async () => {
  await using child = new HealthyChild();
  await child.writeLine("stubborn");
  const reason = await child.becomes("/livez", 503);
  assertMatch(
    reason,
    /^job StubbornJob "[0-9a-f-]{36}" from default\/0@0 runs \d+\.\d+ s, over its timeout of 0\.02 s plus 0\.03 s\n$/,
  );
  await child.becomes("/readyz", 200);
  const orphaned = 'activejob_jobs_orphaned_total{topic="default",job_class="StubbornJob"} 1\n';
  const metrics = readScrape(await child.becomes("/metrics", 200, new RegExp(orphaned.replace(/[{}]/g, "\\$&"))));
  assertEquals(metrics.get('activejob_jobs_running{topic="default"}'), 1);
  assertEquals(metrics.get('activejob_partition_lag{group="health",topic="default",partition="0"}'), 1);
  await child.writeLine("free");
  assertEquals(await child.becomes("/livez", 200), "ok\n");
});

Deno.test("a worker whose event loop is blocked does not respond, and is alive again afterwards", async () => {
  await using child = new HealthyChild();
  const file = `${await Deno.makeTempDir()}/go`;
  await child.writeLine(`block ${file}`);
  await child.line(/^blocking$/);
  const probe = async () => (await fetch(`${await child.url}/livez`, { signal: AbortSignal.timeout(300) })).text();
  const error = await assertRejects(probe, DOMException);
  assertEquals(error.name, "TimeoutError");
  await Deno.writeTextFile(file, "");
  assertEquals(await child.ask("/livez"), [200, "ok\n"]);
  await Deno.remove(new URL(".", `file://${file}`), { recursive: true });
});

Deno.test("a worker whose health port is in use reports it and starts no job", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const { code, stdout, stderr } = await cli([
    "worker",
    "--app",
    "tests/cli/apps/hello.ts",
    "--health-port",
    String(port),
    ...LOCAL,
  ]);
  assertEquals(stderr.length, 1);
  assertMatch(stderr[0]!, new RegExp(`^error: Cannot listen on 127\\.0\\.0\\.1:${port} for health checks: .*in use`));
  assertEquals([code, stdout], [1, []]);
});

Deno.test("a worker without the permission to listen reports it", async () => {
  const { code, stderr } = await cli(
    ["worker", "--app", "tests/cli/apps/hello.ts", "--health-port", "0", ...LOCAL],
    { options: ["--allow-read", "--allow-env", "--no-prompt"] },
  );
  assertMatch(stderr.at(-1)!, /^error: Cannot listen on 127\.0\.0\.1:0 for health checks: Requires net access to "127/);
  assertEquals(code, 1);
});

Deno.test("a health server does not delay the end of a worker with --once", async () => {
  const args = ["worker", "--app", "tests/cli/apps/hello.ts", "--once", "--health-port", "0", ...LOCAL];
  const { code, stdout } = await cli(args);
  assertEquals([code, stdout.filter((line) => line.startsWith("hello")).length], [0, 3]);
});

Deno.test("a request with a Host header that is not a host is refused, and nothing of it reaches the log", async () => {
  await using child = new HealthyChild();
  const port = Number(new URL(await child.url).port);
  for (const host of ["[::", "a b", "a:99999", "\u001b[31mred", "%zz"]) {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await connection.write(new TextEncoder().encode(`GET /livez HTTP/1.1\r\nHost: ${host}\r\n\r\n`));
    const text = await new Response(connection.readable).text();
    assertEquals(text.split("\r\n")[0], "HTTP/1.1 400 Bad Request", host);
  }
  child.signal("SIGTERM");
  const { code, stderr } = await child.ended();
  assertEquals([code, stderr.filter((line) => !line.includes('"event":"'))], [0, []]);
  assertEquals(stderr.filter((line) => /Host|red|\[::|99999|%zz|rror/.test(line)), []);
});

Deno.test({
  name: "a worker whose file descriptors are used up by slow connections responds meanwhile, and afterwards",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using child = new HealthyChild({ maxOpenFiles: 40 });
    const port = Number(new URL(await child.url).port);
    await child.becomes("/readyz", 200);
    const slow: Deno.TcpConn[] = [];
    try {
      for (let n = 0; n < 300; n++) {
        const connection = await Deno.connect({ hostname: "127.0.0.1", port });
        await connection.write(new TextEncoder().encode("GET /livez HTTP/1.1\r\nX:")).catch(() => {});
        slow.push(connection);
      }
      assertEquals(await child.ask("/livez"), [200, "ok\n"]);
    } finally {
      for (const connection of slow) connection.close();
    }
    assertEquals(await child.ask("/livez"), [200, "ok\n"]);
    child.signal("SIGTERM");
    const { code, stderr } = await child.ended();
    const errors = stderr.map((line) => JSON.parse(line)).filter(({ level }) => level === "error");
    assertEquals([code, errors.map(({ where }) => where)], [0, ["health server"]]);
    assertMatch(
      errors[0].message,
      /: Cannot accept a connection, from now on at most \d+ are open at a time; see "ulimit/,
    );
    assertMatch(errors[0].error.cause.message, /^Too many open files/);
  },
});
