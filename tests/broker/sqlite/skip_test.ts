/** A skip beside members: an owner that died, a skip that died, two skips at once, and a skip that is refused. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Commit } from "../../../src/broker/broker.ts";
import { MachineMeter } from "../../support/machine_meter.ts";
import { openBroker, outside, rows, TemporaryFile } from "./harness.ts";
import { fill, GROUP, makeTopic, Member, TOPIC } from "./member.ts";

const LONG_MS = 60_000;

/** Adds an offset to the metadata, and leaves the group where it is. */
function note(offset: number): ({ offset, metadata }: Commit) => Commit {
  return (committed) => ({ offset: committed.offset, metadata: `${committed.metadata} ${offset}` });
}

function at(offset: number) {
  return { topic: TOPIC, partition: 0, offset };
}

Deno.test("sqlite: a skip waits for an owner that died until its session expires, not longer", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path);
  await fill(file.path, 4);
  const sessionMs = 500;
  using machine = new MachineMeter();
  const startedMs = performance.now();
  outside(
    file.path,
    [`INSERT INTO members VALUES ('${GROUP}', 'dead', '["${TOPIC}"]', ${Date.now() + sessionMs}, ${sessionMs})`],
    [`INSERT INTO leases VALUES ('${GROUP}', 1, 'dead', NULL)`],
  );
  await using broker = openBroker(file.path);
  await broker.skip(GROUP, at(2), note(2));
  const waitedMs = performance.now() - startedMs;
  // The two clocks may differ by a millisecond.
  assert(waitedMs >= sessionMs - 2, `it waited ${waitedMs} ms`);
  machine.assertWithin("wait", waitedMs, sessionMs + 1000);
  assertEquals(rows(file.path, "SELECT committed, metadata FROM group_offsets"), [[0, " 2"]]);
  // The fence is raised: should the owner live after all, its marks are refused.
  assertEquals(rows(file.path, "SELECT id FROM members"), [["dead"]]);
  await using heir = new Member(file.path);
  await heir.owns(1);
  assertEquals(heir.recorder.own(0).committed, { offset: 0, metadata: " 2" });
});

Deno.test("sqlite: two skips of one partition beside its owner are both kept", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path);
  await fill(file.path, 4);
  await using member = new Member(file.path, { sessionTimeoutMs: LONG_MS });
  await member.received(4);
  await using first = openBroker(file.path);
  await using second = openBroker(file.path);
  await Promise.all([first.skip(GROUP, at(2), note(2)), second.skip(GROUP, at(3), note(3))]);
  await member.recorder.until("it owns the partition with both", () => {
    const [own] = [...member.recorder.live.keys()];
    return own?.committed?.metadata.length === 4;
  });
  assertEquals(member.recorder.own(0).committed!.metadata.split(" ").toSorted(), ["", "2", "3"]);
  assertEquals(rows(file.path, "SELECT count(*) FROM members"), [[1]]);
});

Deno.test("sqlite: a skip that is refused beside a live owner gives the partition back, and rejects with the reason", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path);
  await fill(file.path, 4);
  await using member = new Member(file.path, { sessionTimeoutMs: LONG_MS });
  await member.received(4);
  const before = member.recorder.own(0);
  await using broker = openBroker(file.path);
  const refuse = () => {
    throw new RangeError("Not this one");
  };
  await assertRejects(() => broker.skip(GROUP, at(2), refuse), RangeError, "Not this one");
  assertEquals(rows(file.path, "SELECT count(*) FROM members"), [[1]]);
  await member.recorder.until("it owns it again", () => before.lost.aborted && member.recorder.live.size === 1);
  assertEquals(await member.commit(4), "committed");
});

Deno.test("sqlite: a skip that died is ignored once its session has expired, also if it had the partition", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path);
  await fill(file.path, 4);
  await using member = new Member(file.path, { sessionTimeoutMs: LONG_MS });
  await member.owns(1);
  const [before] = [...member.recorder.live.keys()];
  outside(
    file.path,
    [`INSERT INTO members VALUES ('${GROUP}', 'skip-dead', '[]', ${Date.now() + LONG_MS}, ${LONG_MS})`],
    ["UPDATE leases SET wanted_by = 'skip-dead'"],
  );
  await member.owns(0);
  assertEquals(rows(file.path, "SELECT owner, wanted_by FROM leases"), [["skip-dead", null]]);
  outside(file.path, [`UPDATE members SET expires_at_ms = ${Date.now()} WHERE id = 'skip-dead'`]);
  await member.owns(1);
  assert(member.recorder.own(0) !== before, "Expected a new ownership");
  assertEquals(rows(file.path, "SELECT count(*) FROM members"), [[1]]);
  // One that is dead already is not given anything.
  outside(file.path, ["UPDATE leases SET wanted_by = 'skip-dead'"]);
  await fill(file.path, 1);
  await member.received(9);
  assertEquals(member.recorder.losses.length, 1);
});
