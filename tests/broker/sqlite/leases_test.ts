/**
 * Leases and sessions under difficulties: clocks that were set, rows that other programs changed, topics that are created,
 * grow and are deleted, and two consumers in one process.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { BrokerError } from "../../../src/errors.ts";
import { DatabaseFile } from "../../../src/broker/sqlite/file.ts";
import { sharesOf } from "../../../src/broker/sqlite/leases.ts";
import { Membership } from "../../../src/broker/sqlite/membership.ts";
import { Monitor } from "../../../src/monitor/monitor.ts";
import { MachineMeter } from "../../support/machine_meter.ts";
import { until } from "../../support/until.ts";
import { openBroker, outside, TemporaryFile, writing } from "./harness.ts";
import { fill, GROUP, makeTopic, Member, TOPIC } from "./member.ts";

/** A session that ends in no test, in milliseconds. */
const LONG_MS = 60_000;
const SHORT_MS = 300;

/** Writes a member, and the leases that it holds, as another process would have them. */
function lease(path: string, owner: string, goodForMs: number, sessionMs: number): void {
  outside(
    path,
    [
      `INSERT INTO members (group_name, id, topics, expires_at_ms, session_ms) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET expires_at_ms = excluded.expires_at_ms`,
      ...[GROUP, owner, JSON.stringify([TOPIC]), Date.now() + goodForMs, sessionMs],
    ],
    [
      `INSERT INTO leases (group_name, partition_id, owner) SELECT ?, id, ? FROM partitions WHERE true
        ON CONFLICT DO UPDATE SET owner = excluded.owner`,
      ...[GROUP, owner],
    ],
  );
}

/** The membership of a consumer, without the consumer. */
function membershipOf(file: DatabaseFile, id: string): Membership {
  return new Membership(file, { group: GROUP, id, topics: [TOPIC], sessionMs: LONG_MS }, new Monitor(), {});
}

/** Lets it look, take and begin, as a round does. */
async function join(file: DatabaseFile, membership: Membership): Promise<number> {
  await membership.look();
  await membership.take();
  return (await file.read((connection) => membership.begin(connection))).length;
}

/** The file as one client has it. */
function openFile(path: string): DatabaseFile & Disposable {
  const file = new DatabaseFile(path, 1000);
  return Object.assign(file, { [Symbol.dispose]: () => file.close() });
}

Deno.test("sqlite: a lease that was written before the clock was set back is valid for one session at most", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path);
  lease(file.path, "gone", 3_600_000, SHORT_MS);
  using machine = new MachineMeter();
  const startedMs = performance.now();
  await using member = new Member(file.path);
  await member.owns(1);
  const waitedMs = performance.now() - startedMs;
  assert(waitedMs >= SHORT_MS, `it waited ${waitedMs} ms`);
  machine.assertWithin("wait", waitedMs, SHORT_MS + 1000);
});

Deno.test("sqlite: a lease that has expired is taken at once", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path);
  lease(file.path, "gone", -1, LONG_MS);
  await using member = new Member(file.path);
  await member.owns(1);
});

Deno.test("sqlite: a lease that is renewed is left to its owner, whatever time its clock has", async () => {
  const sessionMs = 1200;
  const owned = await until(async () => {
    using file = new TemporaryFile();
    await makeTopic(file.path);
    let renewedMs = performance.now();
    lease(file.path, "other", sessionMs, sessionMs);
    await using member = new Member(file.path);
    await member.consumer.joined;
    const endMs = performance.now() + sessionMs + 300;
    for (let sign = 0; renewedMs < endMs; sign++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      // A machine that pauses for a session renews nothing meanwhile.
      if (performance.now() - renewedMs > sessionMs / 2) return null;
      if (member.recorder.owned().length > 0) break;
      renewedMs = performance.now();
      // Sometimes hours ahead.
      lease(file.path, "other", sessionMs + (sign % 2) * 3_600_000, sessionMs);
    }
    return member.recorder.owned();
  }, () => "the machine stands still again and again");
  assertEquals(owned, []);
});

Deno.test("sqlite: a consumer that lost its lease loses its partitions, and its late mark is refused", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path, 2);
  await fill(file.path, 10);
  await using member = new Member(file.path, { sessionTimeoutMs: LONG_MS });
  await member.owns(2);
  const ownership = member.recorder.own(0);
  // As a worker would that takes over: the fence is raised with the lease.
  lease(file.path, "other", LONG_MS, LONG_MS);
  outside(file.path, ["UPDATE group_offsets SET fence = fence + 1"]);
  // Sent before it can have noticed.
  assertEquals(await member.consumer.commit([{ ownership, next: 1, metadata: "late" }]), ["ended"]);
  await member.owns(0);
  assertEquals(member.recorder.losses.map(({ reason }) => reason), ["revoked", "revoked"]);
  await using admin = openBroker(file.path);
  assertEquals((await admin.admin.committed(GROUP, TOPIC)).map(({ offset }) => offset), [null, null]);
});

Deno.test("sqlite: a commit that would set the group back is refused", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path);
  await fill(file.path, 10);
  await using member = new Member(file.path);
  await member.owns(1);
  assertEquals([await member.commit(5), await member.commit(4), await member.commit(5)], [
    "committed",
    "refused",
    "committed",
  ]);
  assertEquals((await member.broker.admin.committed(GROUP, TOPIC))[0]!.offset, 5);
});

Deno.test("sqlite: consumers that see a session expire share its partitions: each gets one owner, and none moves again", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path, 3);
  lease(file.path, "gone", 2000, 2000);
  await using first = new Member(file.path);
  await using second = new Member(file.path);
  await using third = new Member(file.path);
  const members = [first, second, third];
  await Promise.all(members.map(({ consumer }) => consumer.joined));
  assertEquals(members.map(({ recorder }) => recorder.live.size), [0, 0, 0]);
  await Promise.all(members.map((member) => member.owns(1)));
  await fill(file.path, 3);
  await Promise.all(members.map((member) => member.received(1)));
  assertEquals(members.flatMap(({ recorder }) => recorder.owned()).sort(), [0, 1, 2]);
  assertEquals(members.map(({ recorder }) => recorder.losses), [[], [], []]);
});

Deno.test("sqlite: of two consumers that see a free partition, the second one to take it does not get it", async () => {
  using temporary = new TemporaryFile();
  await makeTopic(temporary.path);
  lease(temporary.path, "gone", -1, LONG_MS);
  using file = openFile(temporary.path);
  const [first, second] = [membershipOf(file, "1"), membershipOf(file, "2")];
  await first.look();
  await second.look();
  await second.take();
  await first.take();
  const begin = (membership: Membership) => file.read((connection) => membership.begin(connection).length);
  assertEquals([await begin(first), await begin(second)], [0, 1]);
  const [share] = await file.read((connection) => sharesOf(connection, GROUP, [TOPIC]));
  assertEquals([share!.lease!.owner, share!.fence], ["2", 1]);
});

Deno.test("sqlite: a consumer that was removed from its group does not extend its session by renewing or looking", async () => {
  using temporary = new TemporaryFile();
  await makeTopic(temporary.path);
  using file = openFile(temporary.path);
  const membership = membershipOf(file, "me");
  assertEquals(await join(file, membership), 1);
  assertEquals(await membership.renew(), true);
  const { heldUntilMs } = membership;
  outside(temporary.path, ["DELETE FROM members"]);
  lease(temporary.path, "other", LONG_MS, LONG_MS);
  assertEquals([await membership.renew(), membership.heldUntilMs], [false, heldUntilMs]);
  await until(() => performance.now() + LONG_MS > heldUntilMs + 1, () => "the clock stands still");
  // No job may start until the consumer must stop, also if it has joined again before it knows of its loss.
  await membership.take();
  await membership.look();
  await membership.take();
  assertEquals(membership.heldUntilMs, heldUntilMs);
  assertEquals(membership.endedBy().map(({ reason }) => reason), ["revoked"]);
});

Deno.test("sqlite: taking a partition of an expired session raises the fence: the former owner's mark is refused before it notices", async () => {
  using temporary = new TemporaryFile();
  await makeTopic(temporary.path);
  await using former = new Member(temporary.path, { sessionTimeoutMs: LONG_MS });
  await former.owns(1);
  const ownership = former.recorder.own(0);
  // As its clock sees it, the former owner has been away for a session.
  outside(temporary.path, ["UPDATE members SET expires_at_ms = 1"]);
  using file = openFile(temporary.path);
  assertEquals(await join(file, membershipOf(file, "next")), 1);
  const [taken] = await file.read((connection) => sharesOf(connection, GROUP, [TOPIC]));
  assertEquals([taken!.lease!.owner, taken!.fence], ["next", 2]);
  assertEquals(await former.consumer.commit([{ ownership, next: 0, metadata: "late" }]), ["ended"]);
});

Deno.test("sqlite: metadata that is too long for a commit is refused, and nothing is written", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path);
  await fill(file.path, 2);
  await using member = new Member(file.path);
  await member.owns(1);
  const ownership = member.recorder.own(0);
  const commit = (next: number, metadata: string) => member.consumer.commit([{ ownership, next, metadata }]);
  const committed = async () => (await member.broker.admin.committed(GROUP, TOPIC))[0];
  const longest = "x".repeat(4000);
  assertEquals(await commit(1, longest), ["committed"]);
  assertEquals(await committed(), { partition: 0, offset: 1, metadata: longest });
  assertEquals(await commit(2, `${longest}x`), ["metadata_too_long"]);
  assertEquals(await committed(), { partition: 0, offset: 1, metadata: longest });
});

Deno.test("sqlite: a group whose worker died can be moved once its session has expired", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path);
  await fill(file.path, 3);
  await using broker = openBroker(file.path);
  const seek = () => broker.admin.seek(GROUP, [{ topic: TOPIC, partition: 0, offset: 2 }]);
  lease(file.path, "gone", LONG_MS, LONG_MS);
  await assertRejects(seek, BrokerError, "it has members");
  lease(file.path, "gone", -1, LONG_MS);
  await seek();
  // Of a clock that was set back an hour since.
  lease(file.path, "gone", 3_600_000, LONG_MS);
  await seek();
});

Deno.test("sqlite: a lease whose row was deleted is taken again, as a new ownership", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path);
  await using member = new Member(file.path, { sessionTimeoutMs: LONG_MS });
  await member.owns(1);
  outside(file.path, ["DELETE FROM leases"]);
  await member.recorder.until("it owns it again", () => member.recorder.assignments.length === 2);
  assertEquals(member.recorder.losses.map(({ reason }) => reason), ["revoked"]);
  await fill(file.path, 1);
  await member.received(1);
  assertEquals(await member.commit(1), "committed");
});

Deno.test("sqlite: a topic that is deleted and created again goes to one of its owner and the consumer that waited", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path);
  await using owner = new Member(file.path, { sessionTimeoutMs: LONG_MS });
  await owner.owns(1);
  await using waiting = new Member(file.path, { sessionTimeoutMs: LONG_MS });
  await waiting.consumer.joined;
  outside(file.path, ["DELETE FROM topics"]);
  await owner.owns(0);
  assertEquals(owner.recorder.losses.map(({ reason }) => reason), ["revoked"]);
  await makeTopic(file.path);
  await until(
    () => owner.recorder.live.size + waiting.recorder.live.size === 1,
    () => "no consumer took the topic that was created again",
  );
});

Deno.test("sqlite: added partitions go to the owner of the topic", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path);
  await using member = new Member(file.path);
  await member.owns(1);
  const first = member.recorder.own(0);
  await using admin = openBroker(file.path);
  await admin.admin.addPartitions(TOPIC, 3);
  await member.owns(3);
  assertEquals(member.recorder.assignments.at(-1)!.continued, [first]);
  await admin.append(TOPIC, [0, 1, 2].map((partition) => ({ partition, value: `${partition}` })));
  await member.received(3);
  for (const partition of [0, 1, 2]) assertEquals(await member.commit(1, partition), "committed");
});

Deno.test("sqlite: of two consumers in one process one owns the topic, and the other takes over once it is closed", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path);
  await using broker = openBroker(file.path);
  const options = { sessionTimeoutMs: LONG_MS };
  const first = new Member(file.path, options, broker);
  await first.owns(1);
  const second = new Member(file.path, options, broker);
  await second.consumer.joined;
  assertEquals(second.recorder.owned(), []);
  await first.consumer.close(1000);
  await second.owns(1);
  assertEquals([first.recorder.breaches, second.recorder.breaches], [[], []]);
});

Deno.test("sqlite: a consumer that cannot renew for a session says so, and goes on when it can", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path);
  await using member = new Member(file.path, { sessionTimeoutMs: SHORT_MS });
  await member.owns(1);
  const ownership = member.recorder.own(0);
  {
    using _ = writing(file.path);
    await member.recorder.until("it says that the session may be over", () => member.recorder.isMember === false);
    assert(member.consumer.sessionValidUntilMs <= performance.now());
  }
  await member.recorder.until("it says that it is good", () => member.recorder.isMember === true);
  // No other consumer could take it meanwhile.
  assertEquals(member.recorder.own(0), ownership);
});
