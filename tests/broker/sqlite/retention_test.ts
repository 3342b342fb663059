/** Retention: old records that every group has performed are deleted, and no others; the file stays small. */
import { assert, assertEquals } from "@std/assert";
import { until } from "../../support/until.ts";
import { openBroker, outside, rows, TemporaryFile } from "./harness.ts";
import { fill, makeTopic, Member, TOPIC } from "./member.ts";

const SOON = { "retention.ms": "50" };
const DAY_MS = 24 * 60 * 60 * 1000;

/** Makes every record older than any retention. */
function age(path: string): void {
  outside(path, ["UPDATE records SET timestamp_ms = timestamp_ms - 1000"]);
}

/** Waits until the log begins there. */
async function untilItBeginsAt(member: Member, low: number): Promise<void> {
  const ends = async () => (await member.broker.admin.ends(TOPIC))[0]!;
  let now = await ends();
  await until(async () => (now = await ends()).low === low, () => `the log begins at ${now.low}, not at ${low}`);
}

Deno.test("sqlite: performed records are deleted once they are old, and never others", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path, 1, SOON);
  await fill(file.path, 300);
  await using member = new Member(file.path);
  await member.received(300);
  age(file.path);
  assertEquals(await member.commit(250), "committed");
  await untilItBeginsAt(member, 250);
  // Young ones stay: an hour ahead of the clock they are so for as long as the test runs.
  outside(file.path, ["UPDATE records SET timestamp_ms = timestamp_ms + 3600000 WHERE offset >= 260"]);
  assertEquals(await member.commit(300), "committed");
  await untilItBeginsAt(member, 260);
  const { recorder } = member;
  assertEquals([recorder.gaps, recorder.losses], [[], []]);
});

Deno.test("sqlite: a group that lags behind keeps its records, until a week has passed without it", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path, 1, SOON);
  await using admin = openBroker(file.path);
  await admin.admin.create([{ name: "beside", config: SOON }]);
  await fill(file.path, 30);
  await using slow = new Member(file.path, { group: "slow" });
  await using member = new Member(file.path, { topics: [TOPIC, "beside"] });
  await slow.received(30);
  await member.received(30);
  assertEquals(await slow.commit(10), "committed");
  age(file.path);
  assertEquals(await member.commit(30), "committed");
  await untilItBeginsAt(member, 10);
  const group = "UPDATE group_offsets SET updated_at_ms = updated_at_ms - ? WHERE group_name = 'slow'";
  // It lives, and so is not forgotten.
  outside(file.path, [group, 8 * DAY_MS]);
  assertEquals(await slow.commit(20), "committed");
  await untilItBeginsAt(member, 20);
  await slow.consumer.close(1000);
  outside(file.path, [group, 6 * DAY_MS]);
  // When the topic beside it has been cleaned, this one has had its time.
  await admin.append("beside", [{ value: "x" }]);
  await member.received(31);
  const beside = [...member.recorder.live.keys()].find(({ topic }) => topic === "beside")!;
  assertEquals(await member.consumer.commit([{ ownership: beside, next: 1, metadata: "" }]), ["committed"]);
  await until(async () => (await admin.admin.ends("beside"))[0]!.low === 1, () => "the other topic is not cleaned");
  assertEquals((await admin.admin.ends(TOPIC))[0]!.low, 20);
  outside(file.path, [group, 2 * DAY_MS]);
  await untilItBeginsAt(member, 30);
});

Deno.test("sqlite: a topic with endless retention keeps performed records, and a topic without a group keeps all", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path, 1, { "retention.ms": "-1" });
  await using admin = openBroker(file.path);
  await admin.admin.create([{ name: "unperformed", config: SOON }, { name: "cleaned", config: SOON }]);
  await fill(file.path, 5);
  for (const topic of ["unperformed", "cleaned"]) await admin.append(topic, [{ value: "x" }]);
  await using member = new Member(file.path, { topics: [TOPIC, "cleaned"] });
  await member.received(6);
  age(file.path);
  const marks = [...member.recorder.live].map(([ownership, next]) => ({ ownership, next: next!, metadata: "" }));
  assertEquals(await member.consumer.commit(marks), ["committed", "committed"]);
  const low = async (topic: string) => (await admin.admin.ends(topic))[0]!.low;
  await until(async () => await low("cleaned") === 1, () => "the other topic is not cleaned");
  assertEquals([await low(TOPIC), await low("unperformed")], [0, 0]);
});

Deno.test("sqlite: the file stays small, however much goes through it", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path, 2, { "retention.ms": "0" });
  await using member = new Member(file.path);
  await member.owns(2);
  const value = "x".repeat(1000);
  const pages: number[] = [];
  for (let total = 1000; total <= 8000; total += 1000) {
    for (let batch = 0; batch < 10; batch++) {
      await member.broker.append(TOPIC, Array.from({ length: 100 }, () => ({ value })));
    }
    await member.received(total);
    for (const [ownership, next] of member.recorder.live) {
      await member.consumer.commit([{ ownership, next: next!, metadata: "" }]);
    }
    const all = async () => (await member.broker.admin.ends(TOPIC)).every(({ low, high }) => low === high);
    await until(all, () => "not all was deleted");
    pages.push(rows(file.path, "PRAGMA page_count")[0]![0] as number);
  }
  // The space of deleted records is used again.
  assert(pages.at(-1)! <= 1.1 * pages[0]!, `${pages}`);
  const walBytes = Deno.statSync(`${file.path}-wal`).size;
  assert(walBytes < 18_000_000, `${walBytes}`);
});
