/**
 * Compares the tables of the pages with the code: options and their real defaults, events, errors, metrics, exit codes.
 */
import { assert, assertEquals } from "@std/assert";
import { filesUnder, root } from "../../tasks/process.ts";
import * as library from "../../mod.ts";
import { resolveOptions } from "../../src/app/options.ts";
import { kafkaSettings } from "../../src/broker/kafka/options.ts";
import { COMMON_FLAGS } from "../../src/cli/arguments.ts";
import { loadCommands } from "../../src/cli/commands.ts";
import { EXIT_CODE_LINES } from "../../src/cli/exit_codes.ts";
import { Routes } from "../../src/routing/route.ts";
import { activeJobTopic } from "../../src/routing/topic.ts";
import { type Row, rowsHeaded, rowsOf, section } from "./markdown.ts";

const COMMANDS = await loadCommands();

const read = (path: string) => Deno.readTextFileSync(new URL(path, root));
const OPTIONS = read("docs/options.md");
const JOBS = read("docs/jobs.md");
const MONITORING = read("docs/monitoring.md");
const DEPLOYING = read("docs/deploying.md");

/** Returns the source of an interface. */
function interfaceOf(path: string, name: string): string {
  return new RegExp(`^export interface ${name}\\b[\\s\\S]*?^}$`, "m").exec(read(path))![0];
}

/** Returns the options of an interface and their defaults, from its comments. */
function optionsOf(path: string, name: string, prefix = ""): [option: string, value: string][] {
  const members = interfaceOf(path, name).matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*readonly (\w+)(\??):/g);
  return Array.from(members, ([, comment, option, optional]) => {
    const value = /@default (.+)/.exec(comment!)?.[1] ?? "none";
    return [prefix + option!, optional === "" ? "required" : value.trim()];
  });
}

const without = (options: [string, string][], ...names: string[]) => options.filter(([name]) => !names.includes(name));
const pairs = (rows: readonly Row[]): [string, string][] => rows.map(([option, value]) => [option!, value!]);
const sorted = <T>(list: Iterable<T>) => [...list].sort();

Deno.test("docs/options.md has every option, and the defaults that the code states", () => {
  const rows = (heading: string) => sorted(pairs(rowsOf(section(OPTIONS, heading))));
  const routing = "src/routing/job_options.ts";
  assertEquals(
    rows("`new App({ … })`"),
    sorted([
      ...without(optionsOf("src/app/options.ts", "AppOptions"), "logger", "buffer", "scheduledTopic"),
      ...optionsOf("src/app/options.ts", "ScheduledTopicOptions", "scheduledTopic."),
      ...optionsOf("src/dispatch/send_buffer.ts", "BufferOptions", "buffer."),
      ...optionsOf("src/monitor/logger.ts", "LoggerOptions", "logger."),
    ]),
  );
  assertEquals(
    rows("Performing jobs"),
    sorted([
      ...without(optionsOf(routing, "JobOptions"), "deadLetterQueue", "backoff"),
      ...optionsOf(routing, "DeadLetterQueueOptions", "deadLetterQueue."),
      ...optionsOf(routing, "BackoffOptions", "backoff."),
    ]),
  );
  assertEquals(rows("`activeJobTopic(name, { … })`"), sorted(optionsOf("src/routing/topic.ts", "TopicOptions")));
  assertEquals(
    rows("`kafka({ … })`"),
    sorted([
      ...optionsOf("src/broker/kafka/options.ts", "KafkaBrokerOptions"),
      ...optionsOf("src/broker/kafka/options.ts", "KafkaTlsOptions"),
    ]),
  );
  assertEquals(rows("`sqlite(path, { … })`"), optionsOf("src/broker/sqlite/mod.ts", "SqliteBrokerOptions"));
  assertEquals(
    rows("`app.worker({ … })` and `worker.run(signal, { … })`"),
    sorted([
      ...optionsOf("src/app/app_workers.ts", "WorkerSettings"),
      ...optionsOf("src/worker/worker.ts", "RunOptions"),
    ]),
  );
});

Deno.test("docs/web.md has every option of the dashboard with its default", () => {
  const stated = pairs(rowsOf(section(read("docs/web.md"), "Options")));
  const plain = (text: string) => text.replaceAll("`", "");
  assertEquals(
    sorted(stated.map(([option, value]) => [option, plain(value)])),
    sorted(
      optionsOf("src/web/dashboard/options.ts", "DashboardOptions").map(([option, value]) => [option, plain(value)]),
    ),
  );
});

Deno.test("docs/options.md has the defaults that an App really uses", () => {
  const headings = ["`new App({ … })`", "Performing jobs", "`kafka({ … })`"];
  const stated = new Map(headings.flatMap((heading) => pairs(rowsOf(section(OPTIONS, heading)))));
  const topic = activeJobTopic("default", { deadLetterQueue: { topic: "dead_jobs" } });
  const given = { name: "shop", broker: "memory:", jobs: [], topics: [topic] };
  const {
    queuePrefix,
    name: _name,
    broker: _broker,
    jobs: _jobs,
    clock: _clock,
    control: _control,
    scheduledTopic: _scheduledTopic,
    locateGlobalId: _locateGlobalId,
    encryption: _encryption,
    ...app
  } = resolveOptions(given);
  assertEquals([queuePrefix, stated.get("queuePrefix")], ["", "none"]);
  const [route] = new Routes([topic], {}, { queuePrefix: "", queueDelimiter: "_" }, "shop").all();
  const { maxMessages, timeoutMs, timeoutGraceMs, maxPayloadBytes, backoff, unknownJobsRetryForMs } = route!;
  assertEquals([timeoutMs, stated.get("timeoutMs")], [null, "none"]);
  const { brokers: _brokers, sasl: _sasl, ...kafka } = kafkaSettings({ brokers: ["a"] });
  const works = {
    ...app,
    ...kafka,
    ...{ maxMessages, timeoutGraceMs, maxPayloadBytes },
    "backoff.initialMs": backoff.initialMs,
    "backoff.maxMs": backoff.maxMs,
    "backoff.jitter": backoff.jitter,
    "deadLetterQueue.maxRetries": route!.deadLetterQueue!.maxRetries,
    "deadLetterQueue.independent": route!.deadLetterQueue!.independent,
  };
  for (const [option, value] of Object.entries(works)) {
    // A default that depends on another option says so after a comma.
    assertEquals(stated.get(option)?.replace(/, or .*/, ""), JSON.stringify(value), option);
  }
  assertEquals(stated.get("unknownJobs"), `{ retryForMs: ${unknownJobsRetryForMs} }`);
});

Deno.test("docs/jobs.md has every static of a class with its default, and no property that a job does not have", () => {
  const source = read("src/job/job.ts");
  const statics = Array.from(
    source.matchAll(/\/\*\*(.*)\*\/\s*static (\w+)[?:]/g),
    ([, comment, name]): [string, string] => [name!, /@default (.+)/.exec(comment!)![1]!.trim()],
  );
  assertEquals(sorted(pairs(rowsHeaded(JOBS, "Static", "Default"))), sorted(statics));
  assertEquals(
    sorted(pairs(rowsHeaded(JOBS, "`kafkaOptions`", "Default"))),
    sorted(optionsOf("src/job/kafka_options.ts", "KafkaOptions")),
  );
  for (const [name] of rowsHeaded(JOBS, "In `perform`")) {
    const member = name!.replace("this.", "");
    assert(new RegExp(`^  (?:get |declare )?${member}[(:]`, "m").test(source), name);
  }
});

Deno.test("docs/monitoring.md has every event, with what it carries", () => {
  const [, ...parts] = interfaceOf("src/monitor/events.ts", "EventMap").split(/^ {2}"(?=[a-z._]+":)/m);
  const events = new Map(parts.map((part) => [part.slice(0, part.indexOf('"')), part]));
  const rows = rowsOf(section(MONITORING, "Events"));
  assertEquals(sorted(rows.map(([name]) => name!)), sorted(events.keys()));
  const common = interfaceOf("src/monitor/events.ts", "EnqueueInfo");
  for (const [name, , fields] of rows) {
    for (const field of fields!.split(", ").filter((field) => field !== "")) {
      assert(`${events.get(name!)}${common}`.includes(`readonly ${field}:`), `${name} has no "${field}"`);
    }
  }
});

Deno.test("docs/monitoring.md has every metric, and no alert uses another one", () => {
  const sources = [...filesUnder("src/monitor/", ".ts"), ...filesUnder("src/web/", ".ts")].map(read).join("");
  const metrics = new Set(
    Array.from(sources.matchAll(/^ *(?:to\.\w+\()?"(activejob_\w+)",/gm), ([, name]) => name!)
      .concat(Array.from(sources.matchAll(/\("(activejob_\w+)"/g), ([, name]) => name!)),
  );
  assertEquals(sorted(rowsHeaded(MONITORING, "Metric").map(([name]) => name!)), sorted(metrics));
  for (const [name] of MONITORING.matchAll(/activejob_\w+/g)) assert(metrics.has(name), name);
});

Deno.test("docs/errors.md has every error that is exported", () => {
  const errors = Object.entries(library).filter(([, value]) =>
    typeof value === "function" && value.prototype instanceof Error
  ).map(([name]) => name);
  assert(errors.length >= 12);
  assertEquals(sorted(rowsHeaded(read("docs/errors.md"), "Error").map(([name]) => name!)), sorted(errors));
});

Deno.test("docs/retries.md has every header of a dead letter", () => {
  const source = read("src/worker/partition/dead_letter.ts");
  const headers = Array.from(source.matchAll(/header\("([a-z-]+)"/g), ([, name]) => `dead-letter-${name}`);
  const shown = rowsHeaded(read("docs/retries.md"), "Header").flatMap(([names]) =>
    names!.split(", ").map((name) => `dead-letter-${name.replace(/^-|^dead-letter-/, "")}`)
  );
  assertEquals(sorted(shown), sorted(headers));
});

Deno.test("docs/deploying.md has every exit code", () => {
  assertEquals(
    rowsHeaded(DEPLOYING, "Exit code").map(([code]) => code),
    EXIT_CODE_LINES.map(([code]) => code),
  );
});

Deno.test("docs/command_line.md has every command with its options, and no page shows an unknown option", () => {
  const page = read("docs/command_line.md");
  const dashed = ({ name, value }: { name: string; value?: string }) =>
    `--${name}${value === undefined ? "" : ` ${value}`}`;
  for (const { name, flags } of COMMANDS) {
    assertEquals(sorted(rowsOf(section(page, name)).map(([flag]) => flag!)), sorted(flags.map(dashed)), name);
  }
  const known = new Set([...COMMANDS.flatMap(({ flags }) => flags), ...COMMON_FLAGS].map(({ name }) => `--${name}`));
  for (const path of ["README.md", ...filesUnder("docs/", ".md")]) {
    // The options of the bench: its own tests check them.
    if (path === "docs/performance.md") continue;
    for (const [flag] of read(path).matchAll(/(?<![\w-])--[a-z][a-z-]*/g)) {
      assert(
        known.has(flag) ||
          /^--(allow-[a-z-]+|disable-warning|permission|test|no-prompt|parallel|version|watch|minify|keep-names|stop-timeout|cluster)$/
            .test(flag),
        `${path} shows ${flag}`,
      );
    }
  }
});
