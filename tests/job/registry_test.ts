/** Classes by their names on the wire. */
import { Job, type JobClass } from "@activejob/kafka";
import { assertEquals, assertThrows } from "@std/assert";
import { InvalidConfigurationError } from "../../src/errors.ts";
import { jobNameOf } from "../../src/job/class_name.ts";
import { JobRegistry } from "../../src/job/registry.ts";

class PlainJob extends Job {
  perform() {}
}

class RefreshJob extends Job {
  static override jobName = "Admin::RefreshJob";
  static override jobAliases = ["OldRefreshJob"];
  perform() {}
}

class DeepRefreshJob extends RefreshJob {}

Deno.test("JobRegistry finds classes by name and alias; neither is inherited", () => {
  const registry = new JobRegistry([PlainJob, RefreshJob, DeepRefreshJob]);
  assertEquals(registry.names(), ["PlainJob", "Admin::RefreshJob", "OldRefreshJob", "DeepRefreshJob"]);
  assertEquals(registry.find("OldRefreshJob"), RefreshJob);
  assertEquals(registry.find("DeepRefreshJob"), DeepRefreshJob);
  assertEquals(registry.find("RefreshJob"), undefined);
  assertEquals(jobNameOf(DeepRefreshJob), "DeepRefreshJob");
  for (const name of ["constructor", "__proto__", "toString", ""]) assertEquals(registry.find(name), undefined);
});

Deno.test("JobRegistry refuses other classes, wrong statics, and names that two classes have", () => {
  const job = (statics: object) => Object.assign(class OddJob extends PlainJob {}, statics) as JobClass;
  const cases: [readonly unknown[], string][] = [
    [[class Other {}], 'the class "Other" in "jobs" is not a job class: it must extend Job'],
    [[PlainJob, undefined], 'undefined in "jobs" is not a job class'],
    [[PlainJob, RefreshJob, PlainJob], 'the class "PlainJob" is listed twice in "jobs"'],
    [["PlainJob"], '"PlainJob" in "jobs" is not a job class'],
    [[new PlainJob()], 'an instance of "PlainJob" in "jobs" is not a job class: it must extend Job'],
    [[PlainJob, job({ jobName: "PlainJob" })], 'Two job classes are called "PlainJob"'],
    [[RefreshJob, job({ jobAliases: ["Admin::RefreshJob"] })], 'Two job classes are called "Admin::RefreshJob"'],
    [[job({ jobName: "" })], 'Option "jobName" of OddJob must be a name such as "WelcomeJob"'],
    [[job({ jobName: "x".repeat(256) })], 'Option "jobName" of OddJob must be a name'],
    [[job({ jobName: null })], 'Option "jobName" of OddJob must be a name'],
    [[job({ jobName: "jobs/odd" })], 'Option "jobName" of OddJob must be a name'],
    [[job({ jobAliases: "OldName" })], 'Option "jobAliases" of OddJob must be an array of names, each a name such as'],
    [[job({ jobAliases: { 0: "OldName" } })], 'Option "jobAliases" of OddJob must be an array of names'],
    [[job({ jobAliases: null })], 'Option "jobAliases" of OddJob must be an array of names'],
    [[job({ jobAliases: new Set(["OldName"]) })], 'Option "jobAliases" of OddJob must be an array of names'],
    [[job({ jobAliases: ["OldName", 5] })], 'Option "jobAliases" of OddJob must be an array of names'],
    [[job({ jobAliases: ["constructor"] })], 'Option "jobAliases" of OddJob must be an array of names'],
    [[class toString extends PlainJob {}], '"toString" cannot be the name of a job class on the wire: give the class'],
    [[class extends PlainJob {}], 'An anonymous class in "jobs" has no name on the wire'],
    [[job({ queue: undefined })], 'Option "queue" of OddJob must be a topic name'],
    [[job({ timeoutMs: "1000" })], 'Option "timeoutMs" of OddJob must be'],
    [[job({ timeoutMs: null })], 'Option "timeoutMs" of OddJob must be'],
    [[job({ kafkaOptions: "produceSync" })], "The options of OddJob.kafkaOptions must be an object"],
    [[job({ kafkaOptions: null })], "The options of OddJob.kafkaOptions must be an object"],
    [[job({ kafkaOptions: ["key"] })], "The options of OddJob.kafkaOptions must be an object"],
    [[Object.assign(
      class Empty extends Job {
        declare perform: () => void;
      },
      {},
    )], 'the class "Empty" in "jobs" has no "perform"'],
    [[
      class Field extends Job {
        override perform = 5 as never;
      },
    ], 'the class "Field" in "jobs" has no "perform"'],
    [[job({ queue: "a b" })], 'Option "queue" of OddJob must be a topic name'],
    [[job({ queue: "" })], 'Option "queue" of OddJob must be a topic name'],
    [[job({ timeoutMs: -1 })], 'Option "timeoutMs" of OddJob must be'],
    [[job({ timeoutMs: 0 })], 'Option "timeoutMs" of OddJob must be'],
    [[job({ timeoutMs: 2 ** 31 })], 'Option "timeoutMs" of OddJob must be'],
    [[job({ kafkaOptions: { dispatchMethd: "produceSync" } })], 'did you mean "dispatchMethod"?'],
  ];
  for (const [classes, message] of cases) {
    assertThrows(() => new JobRegistry(classes as JobClass[]), InvalidConfigurationError, message);
  }
});
