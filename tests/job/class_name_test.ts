/**
 * One rule for the names of job classes: an App accepts the names that a worker waits for; a record with another name
 * is poison.
 */
import { activeJobTopic, App, InvalidConfigurationError, Job } from "@activejob/kafka";
import { assertEquals, assertThrows } from "@std/assert";
import { isClassName } from "../../src/job/class_name.ts";
import { JobRegistry } from "../../src/job/registry.ts";
import { decode } from "../../src/worker/partition/decode.ts";
import { toQueuedRecord } from "../../src/worker/partition/queued_record.ts";
import { codec } from "../support/codec.ts";
import { recordOf } from "../support/worker.ts";

class KnownJob extends Job {
  perform() {}
}

const GOOD = [
  ..."NewJob|_NewJob|t|$t|newJob|ÄpfelJob|日本Job|mail.welcome|send-mail|send-mail-2|orders.v2".split("|"),
  ..."Admin::NewJob|Admin::V2::NewJob|Admin.NewJob|A-1|x__proto__|constructors".split("|"),
  "x".repeat(255),
];

const BAD = [
  ..."constructor|__proto__|toString|valueOf|hasOwnProperty|__defineGetter__".split("|"),
  ..."jobs/mail|/etc/passwd|../mail|.|..|./mail|C:\\jobs|https://x.y/z|file:///x|data:text|npm:x|a:b|a:::b".split("|"),
  ...'-x|.x|x.|x-|x::|::x|x..y|x--y|1Job|a b| a|a |a\nb|a\u0000b|a\u200bb|a\u001b[1m|#x|@x/y|"x"|<b>|x;y|x,y|\ud800'
    .split("|"),
  "",
  "x".repeat(256),
  "x".repeat(10_240),
];

const decoder = { registry: new JobRegistry([KnownJob]), codec, nowMs: Date.now };
const rules = { topic: "default", maxPayloadBytes: 100_000, expiresAfterMs: null };

/** Decodes a record of this class, on a worker that does not know it. @returns the kind of the result */
function decided(name: string): string {
  return decode(
    toQueuedRecord(recordOf(JSON.stringify({ job_class: name, arguments: [] })), 1),
    decoder,
    rules,
  )
    .kind;
}

function appWith(statics: { jobName?: string; jobAliases?: string[] }) {
  class NewJob extends Job {
    perform() {}
  }
  Object.assign(NewJob, statics);
  const topics = [activeJobTopic("default")];
  return new App({ name: "shop", broker: "memory:", jobs: [NewJob], topics, logger: false });
}

Deno.test("an App accepts exactly the class names that a worker waits for", async () => {
  for (const name of GOOD) {
    assertEquals([isClassName(name), decided(name)], [true, "unknown"], name);
    for (const statics of [{ jobName: name }, { jobAliases: [name] }]) await appWith(statics).close();
  }
  for (const name of BAD) {
    assertEquals([isClassName(name), decided(name)], [false, "poison"], name);
    for (const statics of [{ jobName: name }, { jobAliases: [name] }]) {
      assertThrows(() => appWith(statics), InvalidConfigurationError, undefined, name);
    }
  }
});

Deno.test("the message about a wrong class name is short", () => {
  const record = recordOf(JSON.stringify({ job_class: "x".repeat(10_240), arguments: [] }));
  const found = decode(toQueuedRecord(record, 1), decoder, rules);
  assertEquals(found.kind === "poison" && found.error.message.length < 200, true);
});
