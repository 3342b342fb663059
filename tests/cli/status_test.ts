/** `status`: its arguments, exit codes and output, and hostile strings of a broker. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { EXIT } from "../../src/cli/exit_codes.ts";
import { formatStatus, redraw } from "../../src/cli/status_output.ts";
import type { AppStatus, TopicStatus } from "../../src/status/status.ts";
import { Child, CLI } from "../support/child.ts";
import { testCommandLines } from "../support/command_lines.ts";

const DEAD = ["--app", "tests/cli/apps/dead.ts"];
const UNREACHABLE = ["--app", "tests/cli/apps/unreachable.ts"];

testCommandLines([
  { args: ["status", ...DEAD, "default"], code: EXIT.usage, stderr: /^error: "status" takes options only/ },
  { args: ["status", ...DEAD], code: EXIT.ok, stdout: /^dead \(memory:\): nothing is wrong with 1 topic$/ },
  { args: ["status", ...DEAD, "--json"], code: EXIT.ok, stdout: /^\{"atMs":\d+,"name":"dead".*"state":"ok"/ },
  {
    args: ["status", ...UNREACHABLE, "--timeout-ms", "1500"],
    code: EXIT.failed,
    stdout: /^unreachable \(kafka:\/\/127.0.0.1:1\): 1 of 1 topic needs attention$/,
  },
]);

Deno.test("status --watch shows a block again and again, and ends at Ctrl-C with the code of the last one", async () => {
  await using child = new Child([CLI, "status", "--watch", ...DEAD]);
  await child.count(/^20\S+Z dead \(memory:\): nothing is wrong with 1 topic$/, 2);
  child.signal("SIGINT");
  const { code, stdout } = await child.ended();
  assertEquals(code, EXIT.ok);
  // More than two blocks, if the signal came late; each is whole.
  const count = (pattern: RegExp) => stdout.filter((line) => pattern.test(line)).length;
  assertEquals(count(/^TOPIC /), count(/nothing is wrong/));
});

Deno.test("status --watch ends when the reader of its pipe is gone", async () => {
  const line = [Deno.execPath(), "run", "-A", CLI, "status", "--watch", ...DEAD].join(" ");
  await using child = new Child(["-c", `${line} | head -1`], { program: "bash" });
  const { stdout } = await child.ended();
  assertEquals(stdout.length, 1);
});

Deno.test("status --watch ends at Ctrl-C while the broker does not respond, and shows nothing", async () => {
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const env = { DEAD_BROKER: `kafka://127.0.0.1:${(silent.addr as Deno.NetAddr).port}` };
  await using child = new Child([CLI, "status", "--watch", ...DEAD], { env });
  using _asked = await silent.accept();
  child.signal("SIGINT");
  const { code, stdout } = await child.ended();
  assertEquals([code, stdout], [EXIT.failed, []]);
});

const TOPIC: TopicStatus = {
  queue: "mail",
  topic: "shop_mail",
  group: "shop",
  state: "stuck",
  reason: "offset 41 fails until an operator helps; to skip it: jobs skip shop_mail/0@41",
  lag: 12_345,
  oldestWaitingMs: 7_260_000,
  partitions: [],
  running: null,
  delayed: 7,
  deadLetters: { topic: "dead", total: 1200, unhandled: null },
  workers: 2,
  pausedBy: null,
};
const FINE: TopicStatus = {
  ...TOPIC,
  topic: "a",
  state: "ok",
  reason: "nothing waits",
  lag: 0,
  oldestWaitingMs: null,
  running: 3,
  deadLetters: null,
};
const STATUS: AppStatus = {
  atMs: 0,
  name: "shop",
  broker: "sqlite:jobs.db",
  state: "stuck",
  topics: [TOPIC, FINE],
  isDelayedComplete: true,
  notes: [],
};

Deno.test("a status is a verdict, an aligned table with the worst topic first, and the reasons", () => {
  assertEquals(formatStatus(STATUS), [
    "shop (sqlite:jobs.db): 1 of 2 topics needs attention",
    "",
    "TOPIC      STATE     LAG     OLDEST  PARTITIONS  WORKERS  RUNNING  DELAYED   DEAD LETTERS",
    "shop_mail  stuck  12,345  2 h 1 min           ?        2        ?        7  1,200 (? new)",
    "a          ok          0          -           ?        2        3        7              -",
    "",
    "shop_mail is stuck: offset 41 fails until an operator helps; to skip it: jobs skip shop_mail/0@41",
  ]);
  const paused = { ...FINE, state: "paused" as const, reason: "paused by ada; nothing waits" };
  const lines = formatStatus({ ...STATUS, topics: [paused], isDelayedComplete: false, notes: ["no"] });
  assertEquals([lines[0], ...lines.slice(4)], [
    "shop (sqlite:jobs.db): nothing is wrong with 1 topic",
    "",
    "a is paused: paused by ada; nothing waits",
    "",
    "note: no",
  ]);
  assertMatch(lines[3]!, />=7/);
  const alone = { ...TOPIC, state: "no worker" as const, reason: "1 record waits" };
  assertEquals(formatStatus({ ...STATUS, topics: [alone] }).at(-1), "shop_mail has no worker: 1 record waits");
});

Deno.test("hostile names, reasons and notes do nothing to a terminal", () => {
  const hostile = "a\n\x1b[2J\u009b\u202e\u200bb";
  const topic = { ...TOPIC, topic: hostile, reason: hostile };
  const lines = formatStatus({ ...STATUS, name: hostile, broker: hostile, topics: [topic], notes: [hostile] });
  // deno-lint-ignore no-control-regex
  for (const line of lines) assert(!/[\u0000-\u001f\u007f-\u009f\u200b\u202e]/.test(line), JSON.stringify(line));
});

Deno.test("on a terminal a status replaces the one before, and the worst topics stay in sight", () => {
  const redrawn = (lines: readonly string[], rows: number, columns: number) => redraw(lines, { rows, columns });
  assertEquals(redrawn(["a", "b"], 24, 80), "\x1b[Ha\x1b[K\nb\x1b[K\n\x1b[J");
  assertEquals(redrawn(["a", "b"], 0, 0), "\x1b[Ha\x1b[K\nb\x1b[K\n\x1b[J");
  assertEquals(redrawn(["a", "b", "c", "d"], 4, 80), "\x1b[Ha\x1b[K\nb\x1b[K\n… and 2 more lines\x1b[K\n\x1b[J");
  // A line of 12 takes two rows of 8.
  const lines = ["a".repeat(12), "b", "c".repeat(8), "d"];
  assertEquals(redrawn(lines, 6, 8), `\x1b[H${lines.map((line) => `${line}\x1b[K\n`).join("")}\x1b[J`);
  assertEquals(redrawn(lines, 5, 8), `\x1b[H${lines[0]}\x1b[K\nb\x1b[K\n… and 2 more lines\x1b[K\n\x1b[J`);
});
