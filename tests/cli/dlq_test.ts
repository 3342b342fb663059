/** `dlq`: its arguments, its output, and hostile strings in dead letters. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { formatDetails, formatList, withoutArguments } from "../../src/cli/dlq_output.ts";
import { escapeText, formatJson } from "../../src/cli/escape.ts";
import { readFilter, readWords } from "../../src/cli/dlq_selection.ts";
import { EXIT } from "../../src/cli/exit_codes.ts";
import { Progress } from "../../src/cli/progress.ts";
import type { Arguments } from "../../src/cli/command.ts";
import type { DeadLetterDetails } from "../../src/dead_letters/letter.ts";
import { Child, CLI } from "../support/child.ts";
import { Folder } from "../support/folder.ts";
import { testCommandLines } from "../support/command_lines.ts";

const DEAD = ["--app", "tests/cli/apps/dead.ts"];
const HELLO = ["--app", "tests/cli/apps/hello.ts"];

testCommandLines([
  { args: ["dlq", ...DEAD], code: EXIT.usage, stderr: /^error: "dlq" needs an action, but none is given/ },
  { args: ["dlq", ...DEAD, "lst"], code: EXIT.usage, stderr: /did you mean "list"\?/ },
  { args: ["dlq", ...DEAD, "requeue"], code: EXIT.usage, stderr: /needs one selection/ },
  { args: ["dlq", ...DEAD, "requeue", "--all", "--class", "A"], code: EXIT.usage, stderr: /needs one selection/ },
  { args: ["dlq", ...DEAD, "requeue", "d/0@1", "dead_jobs"], code: EXIT.usage, stderr: /or one topic/ },
  { args: ["dlq", ...DEAD, "list", "--force"], code: EXIT.usage, stderr: /does not take the option "--force"/ },
  { args: ["dlq", ...DEAD, "list", "d/0@1"], code: EXIT.usage, stderr: /"dlq show" shows one letter/ },
  { args: ["dlq", ...DEAD, "show", "dead_jobs"], code: EXIT.usage, stderr: /needs one position/ },
  { args: ["dlq", ...DEAD, "list", "--since", "yesterday"], code: EXIT.usage, stderr: /must be a time such as 30m/ },
  {
    args: ["dlq", ...DEAD, "list", "deed_jobs"],
    code: EXIT.failed,
    stderr: /^error: "deed_jobs" is not a dead letter topic here \(declared: "dead_dead_jobs"\)$/,
  },
  { args: ["dlq", ...HELLO, "list"], code: EXIT.failed, stderr: /No topic of this App declares a "deadLetterQueue"/ },
  { args: ["dlq", ...DEAD, "list", "--json"], code: EXIT.ok, stdout: /^\[\]$/ },
  { args: ["dlq", ...DEAD, "list"], code: EXIT.ok, stderr: /^note: there are no dead letters$/ },
  { args: ["dlq", ...DEAD, "list", "--unhandled"], code: EXIT.ok, stderr: /^note: no dead letter matches$/ },
  { args: ["dlq", ...DEAD, "list", "--class", "Nope"], code: EXIT.ok, stderr: /^note: no dead letter matches$/ },
  {
    args: ["dlq", ...DEAD, "requeue", "--class", "Nope"],
    code: EXIT.ok,
    stdout: /^requeued 0, refused 0$/,
    stderr: /^note: no dead letter matches$/,
  },
  {
    args: ["dlq", ...DEAD, "dismiss", "--json", "dead_dead_jobs/0@7"],
    code: EXIT.failed,
    stdout: /^\{"dismissed":0,"refused":1,"dryRun":false,"stopped":false\}$/,
    stderr: /^refused dead_dead_jobs\/0@7: there is no dead letter at this position$/,
  },
  {
    args: ["dlq", ...DEAD, "show", "dead_jobs/0@7"],
    code: EXIT.failed,
    stderr: /^error: There is no dead letter at dead_dead_jobs\/0@7$/,
  },
]);

const HOSTILE = "a\n\x1b[2J\u009b\u202e\u200b\u2066\ud800b";
// deno-lint-ignore no-control-regex
const HARMFUL = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069]|\p{Surrogate}/u;

const LETTER: DeadLetterDetails = {
  topic: "dead",
  partition: 0,
  offset: 41,
  deadLetteredAt: new Date(0),
  jobClass: HOSTILE,
  jobId: HOSTILE,
  errorClass: HOSTILE,
  errorMessage: HOSTILE,
  source: null,
  attempts: 3,
  handled: { action: "requeued", by: HOSTILE, at: new Date(0) },
  group: HOSTILE,
  key: HOSTILE,
  headers: [[HOSTILE, HOSTILE], ["empty", null]],
  envelope: { [HOSTILE]: HOSTILE, job_class: HOSTILE, arguments: ["secret"], current_attributes: { token: "secret" } },
  value: "secret",
};

Deno.test("hostile strings of a dead letter are escaped in lists, details and JSON", () => {
  const outputs = [
    ...formatList([LETTER], (line) => line),
    ...formatDetails(LETTER, true),
    formatJson([LETTER]),
    escapeText(HOSTILE),
  ];
  for (const line of outputs) assert(!HARMFUL.test(line), line);
  const [read] = JSON.parse(formatJson([LETTER]));
  assertEquals([read.jobClass, read.headers], [HOSTILE, LETTER.headers]);
  assertEquals(escapeText("příliš žluťoučký 🐎"), "příliš žluťoučký 🐎");
});

Deno.test("arguments, attributes and the value are hidden until they are asked for", () => {
  const hidden = [...formatDetails(LETTER, false), formatJson(withoutArguments(LETTER))].join("\n");
  assert(!hidden.includes("secret"));
  assertMatch(hidden, /envelope arguments: hidden: --arguments shows it/);
  assertMatch(formatDetails(LETTER, true).join("\n"), /envelope arguments: \["secret"\]/);
  const unreadable = { ...LETTER, envelope: null };
  assert(![...formatDetails(unreadable, false), formatJson(withoutArguments(unreadable))].join("").includes("secret"));
});

Deno.test("a list has columns, a long message is cut, and a handled letter is dimmed", () => {
  const plain = { ...LETTER, jobClass: "MailJob", jobId: "a", errorClass: "TypeError", errorMessage: "x".repeat(500) };
  const lines = formatList([{ ...plain, handled: null }, { ...plain, offset: 5 }], (line) => `<${line}>`);
  const when = "1970-01-01T00:00:00.000Z";
  assertEquals(lines, [
    `dead/0@41  ${when}  MailJob  a  -  3x  new       TypeError: ${"x".repeat(229)}…`,
    `<dead/0@5   ${when}  MailJob  a  -  3x  requeued  TypeError: ${"x".repeat(229)}…>`,
  ]);
});

Deno.test("a forged name does not make the lines of the other letters long", () => {
  const plain = { ...LETTER, jobClass: "MailJob", jobId: "a", errorClass: "TypeError", errorMessage: "" };
  const forged = { ...plain, jobClass: "\u202e".repeat(255), jobId: `${"🐎".repeat(60)}b` };
  const [line, other] = formatList([plain, forged], (line) => line);
  assert(line!.length < 260, line);
  assert(other!.includes(`  ${"🐎".repeat(60)}…  `), other);
});

Deno.test("a value of a megabyte does not fill the terminal: its line is cut and points to --json", () => {
  const huge = "x".repeat(1_000_000);
  const lines = formatDetails(
    { ...LETTER, key: huge, headers: [["trace", huge]], envelope: { arguments: [huge] } },
    true,
  );
  const cut = `${"x".repeat(10_000)}… (1,000,000 characters: see --json)`;
  assert(lines.includes(`key: ${cut}`) && lines.includes(`header trace: ${cut}`));
  assert(lines.join("\n").length < 50_000);
});

Deno.test("--since is a length of time or a date", () => {
  const since = (text: string) => {
    const args = { getText: (name: string) => name === "since" ? text : undefined } as Arguments;
    return readFilter(args, 10_000_000_000).since?.getTime();
  };
  assertEquals(["30s", "2m", "2h", "1d", "1w"].map(since), [
    9_999_970_000,
    9_999_880_000,
    9_992_800_000,
    9_913_600_000,
    9_395_200_000,
  ]);
  assertEquals(since("2026-11-27T08:00:00Z"), Date.UTC(2026, 10, 27, 8));
  assertEquals(since("2026-11-27"), Date.UTC(2026, 10, 27));
});

Deno.test("the words are positions, or one topic", () => {
  const position = { topic: "dead", partition: 0, offset: 41 };
  assertEquals(readWords("requeue", ["dead/0@41", "dead/0@41"]), { positions: [position, position], topic: undefined });
  assertEquals(readWords("list", ["dead"]), { positions: [], topic: "dead" });
  assertEquals(readWords("list", []), { positions: [], topic: undefined });
});

Deno.test("progress is a bar on a terminal, lines elsewhere, and nothing in the first second", async () => {
  for (const isTerminal of [true, false]) {
    let nowMs = 0;
    const texts: string[] = [];
    const output = {
      isTerminal,
      write: (text: string) => void texts.push(text),
      flush: () => Promise.resolve(void texts.push("flushed")),
    };
    const progress = new Progress(output, () => nowMs);
    for (nowMs = 0; nowMs <= 6000; nowMs += 500) progress.show(nowMs, 9000, `read ${nowMs}`);
    await progress.end();
    const bar = (full: number, text: string) => `\r\x1b[K[${"#".repeat(full).padEnd(15, ".")}] ${text}`;
    if (isTerminal) {
      assertEquals(texts.slice(0, 2), [bar(1, "11 %, read 1000"), bar(2, "16 %, read 1500")]);
      assertEquals(texts.slice(-3), [bar(10, "66 %, read 6000"), "\r\x1b[K", "flushed"]);
    } else assertEquals(texts, ["11 %, read 1000\n", "66 %, read 6000\n", "flushed"]);
  }
});

Deno.test("dlq needs only the permissions of the App and its broker", async () => {
  await using folder = await Folder.create({});
  const env = { DEAD_BROKER: `sqlite:${folder.path}/jobs.db` };
  const allowed = ["--no-prompt", "--allow-read", `--allow-write=${folder.path}`, "--allow-env=DEAD_BROKER,DEAD_NAME"];
  for (const words of [["list"], ["requeue", "--all"]]) {
    await using child = new Child([CLI, "dlq", ...DEAD, ...words], { env, options: allowed });
    const { code, stderr } = await child.ended();
    assertEquals([code, stderr], [EXIT.ok, ["note: there are no dead letters"]]);
  }
});
