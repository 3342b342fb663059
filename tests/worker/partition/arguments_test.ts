/** The arguments of a job on a worker: they are read inside of its run, so that an error is one of the job. */
import {
  activeJobTopic,
  App,
  type AppOptions,
  currentAttributes,
  DeserializationError,
  type EventMap,
  Job,
  symbol,
} from "@activejob/kafka";
import { assert, assertEquals } from "@std/assert";
import { originalError } from "../../../src/errors.ts";
import { heldBroker } from "../../support/controlled_broker.ts";
import { FaultInjectionLog } from "../../support/fault_injection_log.ts";

class EchoJob extends Job {
  static got: unknown[] = [];
  perform(...args: unknown[]) {
    EchoJob.got.push(args, this.executions);
  }
}

/** Performs records with an App, whose jobs are tried twice, and returns what happened. */
async function perform(values: readonly string[], options: Partial<AppOptions> = {}) {
  EchoJob.got = [];
  const log = new FaultInjectionLog();
  await using app = new App({
    name: "shop",
    broker: heldBroker(log),
    jobs: [EchoJob],
    topics: [
      activeJobTopic("default", {
        partitions: 1,
        backoff: { initialMs: 1, maxMs: 1, jitter: 0 },
        deadLetterQueue: { topic: "dead", maxRetries: 1 },
      }),
    ],
    logger: false,
    ...options,
  });
  const failed: EventMap["job.failed"][] = [];
  const dead: EventMap["record.dead_lettered"][] = [];
  app.on("job.failed", (event) => failed.push(event));
  app.on("record.dead_lettered", (event) => dead.push(event));
  await app.applyTopics();
  log.append("default", values.map((value) => ({ value, partition: 0 })));
  await app.worker().run(undefined, { once: true });
  const records = log.topic("default")!.partitions[0]!.read(0, Infinity)?.records ?? [];
  const written = records.slice(values.length).map(({ value }) => JSON.parse(String(value)));
  return { failed, dead, written };
}

const record = (args: unknown[], fields = {}) => JSON.stringify({ job_class: "EchoJob", arguments: args, ...fields });
const sym = (value: unknown) => ({ _aj_serialized: "ActiveJob::Serializers::SymbolSerializer", value });

Deno.test("a job gets its arguments deserialized", async () => {
  const { failed } = await perform([record([sym("a"), { at: [sym("b")] }])]);
  assertEquals(failed, []);
  assertEquals(EchoJob.got, [[symbol("a"), { at: [symbol("b")] }], 1]);
});

Deno.test("an argument that cannot be read fails the job with a DeserializationError, attempt by attempt", async () => {
  const { failed, dead } = await perform([record([{ at: sym(5) }], { executions: 2 }), record([1])]);
  assertEquals(failed.map(({ error, attempt }) => [error.errorClass, error.message, attempt]), [
    ...[1, 2].map((attempt) => [
      "DeserializationError",
      "Cannot deserialize arguments[0].at: ActiveJob::Serializers::SymbolSerializer: number is not a string",
      attempt,
    ]),
  ]);
  assert(originalError(failed[0]!.error) instanceof DeserializationError);
  assertEquals(dead.map(({ error, attempts }) => [error.errorClass, attempts]), [["DeserializationError", 2]]);
  assertEquals(EchoJob.got, [[1], 1]);
});

Deno.test("the locator is awaited within the run, in the scope of the job's current attributes", async () => {
  class Current extends currentAttributes<{ tenant: string }>("tenant") {}
  const value = record([{ _aj_globalid: "gid://shop/Person/7" }], {
    current_attributes: { Current: { tenant: "acme" } },
  });
  const { failed } = await perform([value], {
    currentAttributes: [Current],
    locateGlobalId: async ({ modelId }) => {
      await Promise.resolve();
      return { id: modelId, tenant: Current.tenant };
    },
  });
  assertEquals(failed, []);
  assertEquals(EchoJob.got, [[{ id: "7", tenant: "acme" }], 1]);
});

Deno.test("a locator that rejects fails the job; it is asked again at the next attempt", async () => {
  let calls = 0;
  const { failed } = await perform([record([{ _aj_globalid: "gid://shop/Person/7" }])], {
    locateGlobalId: () => ++calls === 1 ? Promise.reject(new RangeError("no database")) : { id: 7 },
  });
  assertEquals(failed.map(({ error }) => [error.errorClass, error.message, error.cause?.errorClass]), [
    ["DeserializationError", 'Cannot find "gid://shop/Person/7": no database', "RangeError"],
  ]);
  assertEquals(EchoJob.got, [[{ id: 7 }], 2]);
});

Deno.test("an attribute that cannot be read fails the job", async () => {
  class Current extends currentAttributes<{ tenant: unknown }>("tenant") {}
  const value = record([1], { current_attributes: { Current: { tenant: sym(5) } } });
  const { failed, dead } = await perform([value], { currentAttributes: [Current] });
  assert(failed[0]!.error.message.startsWith("Cannot deserialize current_attributes.Current.tenant: "));
  assertEquals(dead.map(({ error }) => error.errorClass), ["DeserializationError"]);
});

Deno.test("discardOn(DeserializationError) takes a job whose arguments cannot be read, with its executions", async () => {
  const discarded: unknown[] = [];
  class GoneJob extends Job {
    static {
      this.discardOn(DeserializationError, (job, error) => {
        discarded.push([job.executions, job.args, error.message]);
      });
    }
    perform(..._args: unknown[]) {}
  }
  const json = [{ _aj_globalid: "gid://shop/Person/7" }];
  const value = JSON.stringify({ job_class: "GoneJob", arguments: json, executions: 1 });
  const { failed, dead } = await perform([value], { jobs: [EchoJob, GoneJob], locateGlobalId: () => null });
  assertEquals(discarded, [
    [2, json, 'Cannot find "gid://shop/Person/7": the App\'s locator returned null'],
  ]);
  assertEquals([failed, dead], [[], []]);
});

Deno.test("a retry of a job whose arguments cannot be read writes them as they were", async () => {
  class AgainJob extends Job {
    static {
      this.retryOn(DeserializationError, { wait: { milliseconds: 0 }, attempts: 3 });
    }
    perform(..._args: unknown[]) {}
  }
  const json = [{ _aj_globalid: "gid://shop/Person/7" }, { a: 1, _aj_symbol_keys: ["a"] }];
  const { failed, dead, written } = await perform([JSON.stringify({ job_class: "AgainJob", arguments: json })], {
    jobs: [EchoJob, AgainJob],
    locateGlobalId: () => undefined,
  });
  assertEquals(written.map((record) => [record.arguments, record.executions]), [[json, 1]]);
  assertEquals([failed, dead], [[], []]);
});
