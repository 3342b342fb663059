/** The programs in Ruby of docs/rails.md: they enqueue for a worker here, and perform what is enqueued here. */
import { activeJobTopic, App, Job, type RubySymbol, symbol } from "@activejob/kafka";
import { assert, assertEquals } from "@std/assert";
import { memory } from "../../src/broker/memory/mod.ts";
import { Monitor } from "../../src/monitor/monitor.ts";
import { root } from "../../tasks/process.ts";
import { findMissingRuby } from "../../tasks/ruby.ts";

const missing = await findMissingRuby();

/** Returns the program of the page that begins with this comment. */
async function programOf(name: string): Promise<string> {
  const page = await Deno.readTextFile(new URL("docs/rails.md", root));
  return new RegExp("```ruby\n(# " + name.replace(".", "\\.") + "\n[^]*?)```").exec(page)![1]!;
}

/** Runs a program in Ruby with this input. @returns its output */
async function runRuby(program: string, input: string): Promise<string> {
  const file = await Deno.makeTempFile({ suffix: ".rb" });
  try {
    await Deno.writeTextFile(file, program);
    const ruby = new Deno.Command("ruby", { args: [file], stdin: "piped", stdout: "piped", stderr: "piped" }).spawn();
    const writer = ruby.stdin.getWriter();
    await writer.write(new TextEncoder().encode(input));
    await writer.close();
    const { success, stdout, stderr } = await ruby.output();
    assert(success, new TextDecoder().decode(stderr));
    return new TextDecoder().decode(stdout);
  } finally {
    await Deno.remove(file);
  }
}

class WelcomeJob extends Job {
  static seen: unknown[] = [];
  perform(name: string, on: Temporal.PlainDate, rest: [number, null, RubySymbol]) {
    WelcomeJob.seen.push([name, String(on), rest, this.executions, this.priority, this.locale]);
  }
}

Deno.test({
  name: "a job that Ruby enqueues is performed here, and one that is enqueued here is performed by Ruby",
  ignore: missing !== null,
  async fn() {
    const source = memory(crypto.randomUUID());
    await using app = new App({
      name: "shop",
      broker: source,
      jobs: [WelcomeJob],
      topics: [activeJobTopic("default")],
      logger: false,
    });
    await using broker = await source.open({ clientId: "ruby", monitor: new Monitor() });
    await app.applyTopics();

    const value = (await runRuby(await programOf("enqueue.rb"), "")).trimEnd();
    await broker.append("default", [{ value }]);
    await app.worker().run(undefined, { once: true });
    assertEquals(WelcomeJob.seen, [["Ada", "2026-11-27", [1.5, null, symbol("vip")], 1, 3, "en"]]);

    const job = WelcomeJob.of("Ben", Temporal.PlainDate.from("2026-12-24"), [2, null, symbol("new")]).set({
      priority: 7,
    });
    await app.enqueue(job);
    await job.delivered();
    const { records } = await broker.admin.read("default", 0, { from: 1, maxBytes: 1 << 20 });
    const printed = await runRuby(await programOf("perform.rb"), `${records[0]!.value}\n`);
    assertEquals(printed, "Ben on 2026-12-24: [2, nil, :new], run 1, priority 7\n");
  },
});
