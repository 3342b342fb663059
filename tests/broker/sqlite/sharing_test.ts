/** Several members of one group on a file: the assignment, its cost for the others, and a partition that moves. */
import { assert, assertEquals } from "@std/assert";
import { DatabaseFile } from "../../../src/broker/sqlite/file.ts";
import { Membership } from "../../../src/broker/sqlite/membership.ts";
import { Monitor } from "../../../src/monitor/monitor.ts";
import { until } from "../../support/until.ts";
import { openBroker, outside, rows, TemporaryFile, writing } from "./harness.ts";
import { fill, GROUP, makeTopic, Member, TOPIC } from "./member.ts";

/** A session that ends in no test, in ms. */
const LONG_MS = 60_000;

/** Waits until the members own so many partitions each. */
async function share(members: readonly Member[], each: number): Promise<void> {
  await Promise.all(members.map((member) => member.owns(each)));
}

Deno.test("sqlite: consumers of one process share the partitions of a topic", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path, 4);
  await using broker = openBroker(file.path);
  const options = { sessionTimeoutMs: LONG_MS };
  const members = [new Member(file.path, options, broker), new Member(file.path, options, broker)];
  await share(members, 2);
  await members[0]!.consumer.close(1000);
  await members[1]!.owns(4);
  assertEquals(members.flatMap(({ recorder }) => recorder.breaches), []);
});

Deno.test("sqlite: a partition moves only after `releasing`, and starts with the last marks", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path, 2);
  await fill(file.path, 10);
  await using one = new Member(file.path, { sessionTimeoutMs: LONG_MS });
  await one.received(10);
  one.recorder.lastMarks = (owned) => owned.map((ownership) => ({ ownership, next: 3, metadata: "last" }));
  await using two = new Member(file.path, { sessionTimeoutMs: LONG_MS });
  await two.owns(1);
  const [moved] = [...two.recorder.live.keys()];
  assertEquals(moved!.committed, { offset: 3, metadata: "last" });
  assertEquals(one.recorder.releases.map((owned) => owned.length), [2]);
  assertEquals(one.recorder.losses.map(({ ownership, reason }) => [ownership.partition, reason]), [
    [moved!.partition, "revoked"],
  ]);
});

Deno.test("sqlite: a member keeps its partitions while the file is locked, and gives them up afterwards", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path, 2);
  await using one = new Member(file.path, { sessionTimeoutMs: 1000 });
  await one.owns(2);
  const lock = Promise.withResolvers<Disposable>();
  one.recorder.lastMarks = () => {
    if (one.recorder.releases.length === 1) lock.resolve(writing(file.path));
    return [];
  };
  await using two = new Member(file.path, { sessionTimeoutMs: LONG_MS });
  {
    using _ = await lock.promise;
    await one.recorder.until("it is called again", () => one.recorder.releases.length === 2);
    assertEquals([one.recorder.owned(), one.recorder.losses], [[0, 1], []]);
  }
  await share([one, two], 1);
  assertEquals(one.recorder.assignments.at(-1)!.continued.length, 1);
});

Deno.test("sqlite: appends, commits and heartbeats do not make other members read leases; a member that joins does", async () => {
  using temporary = new TemporaryFile();
  await makeTopic(temporary.path, 2);
  await using member = new Member(temporary.path);
  await member.owns(2);
  const file = new DatabaseFile(temporary.path, 1000);
  const candidate = { group: GROUP, id: "observer", topics: [TOPIC], sessionMs: LONG_MS };
  const observer = new Membership(file, candidate, new Monitor(), {});
  assertEquals([await observer.look(), await observer.look()], [true, false]);
  await fill(temporary.path, 4);
  await member.received(4);
  assertEquals([await member.commit(1), await member.commit(1, 1)], ["committed", "committed"]);
  const expires = () => rows(temporary.path, "SELECT expires_at_ms FROM members")[0]![0];
  const before = expires();
  await until(() => expires() !== before, () => "the session was not renewed");
  assertEquals(await observer.look(), false);
  for (
    const change of [
      "INSERT INTO members VALUES ('other', 'x', '[]', 1, 1)",
      "DELETE FROM members WHERE id = 'x'",
      "UPDATE leases SET wanted_by = 'x'",
      "DELETE FROM leases",
      "UPDATE group_offsets SET fence = fence + 1",
      "DELETE FROM group_offsets",
      "INSERT INTO partitions (topic_id, partition) VALUES (1, 2)",
      "DELETE FROM partitions WHERE partition = 2",
    ]
  ) {
    await member.consumer.close(1000);
    await observer.look();
    assertEquals(await observer.look(), false);
    outside(temporary.path, ["INSERT OR IGNORE INTO leases VALUES ('other', 1, 'x', NULL)"], [
      "INSERT OR IGNORE INTO group_offsets (group_name, partition_id, fence, updated_at_ms) VALUES ('other', 1, 1, 0)",
    ]);
    await observer.look();
    outside(temporary.path, [change]);
    assertEquals([change, await observer.look()], [change, true]);
  }
  file.close();
});

Deno.test("sqlite: a worker without a partition says so once, and names the number of partitions", async () => {
  using temporary = new TemporaryFile();
  await makeTopic(temporary.path);
  await using owner = new Member(temporary.path, { sessionTimeoutMs: LONG_MS });
  await owner.owns(1);
  const file = new DatabaseFile(temporary.path, 1000);
  const monitor = new Monitor();
  const messages: string[] = [];
  monitor.on("broker.log", ({ message }) => messages.push(message));
  const candidate = { group: GROUP, id: "waiting", topics: [TOPIC], sessionMs: LONG_MS };
  const waiting = new Membership(file, candidate, monitor, {});
  for (const _ of [1, 2]) {
    await waiting.look();
    await waiting.take();
    await file.read((connection) => waiting.begin(connection));
  }
  file.close();
  assertEquals(messages, [
    `Other workers of group "${GROUP}" have every partition (1): this one waits until one of them stops; declare more ` +
    "partitions to share the jobs",
  ]);
});

Deno.test("sqlite: a group whose member has no partition is live: it is not moved, and its offsets are not forgotten", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path, 1, { "retention.ms": "0" });
  await fill(file.path, 1);
  const week = Date.now() - 8 * 24 * 3600 * 1000;
  outside(
    file.path,
    [`INSERT INTO group_offsets VALUES ('idle', 1, 1, 1, '', ${week}), ('gone', 1, 1, 1, '', ${week})`],
    [`INSERT INTO members VALUES ('idle', 'x', '["other"]', ${Date.now() + LONG_MS}, ${LONG_MS})`],
  );
  await using member = new Member(file.path, { sessionTimeoutMs: LONG_MS });
  await member.received(1);
  const groups = () => rows(file.path, "SELECT group_name FROM group_offsets ORDER BY 1").flat();
  await until(() => !groups().includes("gone"), () => `the groups are ${groups()}`);
  assertEquals(groups(), ["idle", GROUP]);
  let refused = false;
  await member.broker.admin.seek("idle", [{ topic: TOPIC, partition: 0, offset: 0 }]).catch(() => refused = true);
  assert(refused, "the group was moved");
});
