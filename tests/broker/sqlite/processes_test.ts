/** Several processes over one file: many that open it at once, one that is stopped, one that is killed. */
// Runs alone: it measures how soon another process takes over.
import { assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { Child } from "../../support/child.ts";
import { MachineMeter } from "../../support/machine_meter.ts";
import { until } from "../../support/until.ts";
import { openBroker, rows, TemporaryFile } from "./harness.ts";
import { fill, GROUP, makeTopic, TOPIC } from "./member.ts";

const CLIENT = new URL("client.ts", import.meta.url).pathname;

/** The number of new files that the processes open. */
const ROUNDS = 20;
const PROCESSES = 8;
const RECORDS = 50;

/** The session, in milliseconds: a clean stop takes less. */
const SESSION_MS = 2000;

function client(): Child {
  return new Child([CLIENT]);
}

Deno.test("sqlite: eight processes open a new file at once, make topics and append: none fails, nothing is lost", async () => {
  await using clients = new AsyncDisposableStack();
  const children = Array.from({ length: PROCESSES }, () => clients.use(client()));
  for (let round = 1; round <= ROUNDS; round++) {
    using file = new TemporaryFile();
    await Promise.all(children.map((child) => child.writeLine(`open ${file.path} 3 ${RECORDS}`)));
    const answers = await Promise.all(children.map((child) => child.count(/^open /, round)));
    const totals = answers.map((lines) => lines.at(-1)!);
    assertEquals(totals, children.map(() => `open ${RECORDS}`));
    await using broker = openBroker(file.path);
    const ends = await Promise.all([0, 1, 2].map((topic) => broker.admin.ends(`topic-${topic}`)));
    assertEquals(ends.flat().reduce((sum, { high }) => sum + high, 0), PROCESSES * RECORDS);
    using database = new DatabaseSync(file.path, { readOnly: true });
    const { values } = database.prepare('SELECT count(DISTINCT value) AS "values" FROM records').get()!;
    assertEquals(values, PROCESSES * RECORDS);
  }
});

Deno.test("sqlite: a stopped process is taken over within its session, and its late mark is refused; closed, at once; killed, within its session", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path);
  await fill(file.path, 10);
  await using admin = openBroker(file.path);
  const committed = async () => (await admin.admin.committed(GROUP, TOPIC))[0]!.offset;
  await using stopped = client();
  await stopped.writeLine(`consume ${file.path} ${SESSION_MS}`);
  await stopped.line(/^record 9$/);
  await using heir = client();
  await heir.writeLine(`consume ${file.path} ${SESSION_MS}`);
  await heir.line(/^waits$/);

  using machine = new MachineMeter();
  stopped.signal("SIGSTOP");
  const stoppedAtMs = performance.now();
  await stopped.writeLine("commit 5");
  await heir.line(/^assigned at 0$/);
  machine.assertWithin("takeover of the stopped one", performance.now() - stoppedAtMs, SESSION_MS + 1000);
  await heir.line(/^record 9$/);
  await heir.writeLine("commit 10");
  assertEquals(await heir.line(/^commit /), "commit committed");
  stopped.signal("SIGCONT");
  assertEquals(await stopped.line(/^commit /), "commit ended");
  await stopped.line(/^lost revoked$/);
  assertEquals(await committed(), 10);

  // It waits, and has the partition as soon as the other one has left.
  const leftAtMs = performance.now();
  await heir.writeLine("close");
  await stopped.line(/^assigned at 10$/);
  machine.assertWithin("takeover of the closed one", performance.now() - leftAtMs, SESSION_MS / 2);
  await stopped.writeLine("commit 10");
  assertEquals((await stopped.count(/^commit /, 2)).at(-1), "commit committed");

  await using next = client();
  await next.writeLine(`consume ${file.path} ${SESSION_MS}`);
  await next.line(/^waits$/);
  stopped.signal("SIGKILL");
  const killedAtMs = performance.now();
  await next.line(/^assigned at 10$/);
  machine.assertWithin("takeover of the killed one", performance.now() - killedAtMs, SESSION_MS + 1000);
});

Deno.test("sqlite: four processes share 16 partitions; a killed one is taken over by the others within its session", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path, 16);
  const shares = () => rows(file.path, "SELECT count(*) FROM leases GROUP BY owner ORDER BY 1").flat();
  await using clients = new AsyncDisposableStack();
  const children = Array.from({ length: 4 }, () => clients.use(client()));
  for (const child of children) await child.writeLine(`consume ${file.path} ${SESSION_MS}`);
  await until(() => `${shares()}` === "4,4,4,4", () => `the shares are ${shares()}`);
  const before = rows(file.path, "SELECT partition_id, owner FROM leases");
  using machine = new MachineMeter();
  children[0]!.signal("SIGKILL");
  const killedAtMs = performance.now();
  await until(() => `${shares()}` === "5,5,6", () => `the shares are ${shares()}`);
  machine.assertWithin("takeover of all", performance.now() - killedAtMs, SESSION_MS + 1000);
  const after = new Map(rows(file.path, "SELECT partition_id, owner FROM leases") as [number, string][]);
  // The others kept all of theirs.
  assertEquals(before.filter(([partition, owner]) => after.get(partition as number) !== owner).length, 4);
});
