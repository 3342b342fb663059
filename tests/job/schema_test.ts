/** `static schema`, with the schemas of libraries that implement Standard Schema. */
import { activeJobTopic, App, EnqueueError, InvalidConfigurationError, Job, SchemaError } from "@activejob/kafka";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type } from "npm:arktype@2.1.27";
import * as v from "npm:valibot@1.2.0";
import { z } from "npm:zod@4.1.13";
import { applySchema, type ArgumentsSchema, checkArguments } from "../../src/job/schema.ts";
import { setOrigin } from "../../src/job/serializers/origins.ts";

const SCHEMAS: Record<string, ArgumentsSchema> = {
  zod: z.tuple([z.object({ email: z.string().regex(/@/).toLowerCase() })]),
  valibot: v.tuple([v.object({ email: v.pipe(v.string(), v.regex(/@/), v.toLowerCase()) })]),
  arktype: type([{ email: ["/@/", "=>", (email: string) => email.toLowerCase()] }]),
};

for (const [library, schema] of Object.entries(SCHEMAS)) {
  const Class = { name: "MailJob", schema };
  Deno.test(`a schema of ${library} checks arguments, and gives perform its output`, () => {
    assertEquals(applySchema(Class, [{ email: "A@b" }]), [{ email: "a@b" }]);
    const error = assertThrows(() => applySchema(Class, [{ email: "nobody" }]), SchemaError);
    assertEquals(error.issues.map(({ path }) => path), ["arguments[0].email"]);
    assert(error.message.startsWith("The arguments of MailJob do not fit its schema: arguments[0].email: "));
  });
}

/** A schema by hand. */
function schemaOf(validate: ArgumentsSchema["~standard"]["validate"]): ArgumentsSchema {
  return { "~standard": { version: 1, vendor: "test", validate } };
}

Deno.test("a schema that is asynchronous, or returns no list, is a wrong configuration", () => {
  const cases: [ArgumentsSchema["~standard"]["validate"], string][] = [
    [() => Promise.resolve({ value: [] }), "validates asynchronously"],
    [() => Promise.reject(new Error("late")), "validates asynchronously"],
    [() => ({ value: { length: 0 } }), "must return the list of arguments"],
  ];
  for (const [validate, message] of cases) {
    const Class = { name: "MailJob", schema: schemaOf(validate) };
    assertThrows(() => applySchema(Class, []), InvalidConfigurationError, message);
  }
});

Deno.test("a message lists three issues, and cuts each", () => {
  const issues = Array.from({ length: 5 }, (_, n) => ({ message: "x".repeat(1e6), path: [{ key: n }, "a"] }));
  const error = assertThrows(
    () => applySchema({ name: "MailJob", schema: schemaOf(() => ({ issues })) }, []),
    SchemaError,
    "; and 2 more",
  );
  assertEquals([error.message.length < 2000, error.issues[4]!.path], [true, "arguments[4].a"]);
});

Deno.test("a message about secret arguments has only their paths; the issues are whole", () => {
  const issues = Array.from({ length: 4 }, (_, n) => ({ message: "4111-1111 is not a card", path: [n, "card"] }));
  const Class = { name: "MailJob", schema: schemaOf(() => ({ issues })) };
  const error = assertThrows(() => applySchema(Class, ["4111-1111"], true), SchemaError);
  assertEquals(
    error.message,
    "The arguments of MailJob do not fit its schema: arguments[0].card; arguments[1].card; arguments[2].card; and 1 more",
  );
  assertEquals(error.issues[0]!.message, "4111-1111 is not a card");
  assert(!Deno.inspect(error, { depth: 9 }).includes("4111-1111"), "a program prints the error with its properties");
  const odd = { name: "MailJob", schema: schemaOf((args) => ({ value: (args as unknown[])[0] })) };
  const { message } = assertThrows(() => applySchema(odd, ["4111-1111"], true), InvalidConfigurationError);
  assertEquals(message, "MailJob.schema must return the list of arguments, but it returned a value of type string");
});

Deno.test("arguments that were not read are not checked when the job is enqueued again", () => {
  const refusing = { name: "MailJob", schema: schemaOf(() => ({ issues: [{ message: "no" }] })) };
  const args: unknown[] = [];
  assertThrows(() => checkArguments(refusing, args), SchemaError);
  setOrigin(args, { isSerialized: true });
  checkArguments(refusing, args);
});

class MailJob extends Job {
  static override schema = SCHEMAS.zod!;
  static performed: unknown[] = [];
  perform(to: { email: string }) {
    MailJob.performed.push(to.email);
  }
}

Deno.test("performLater and performNow refuse arguments that do not fit; a subclass inherits the schema", async () => {
  class NewsJob extends MailJob {}
  await using app = new App({
    name: "shop",
    broker: "memory:",
    jobs: [MailJob, NewsJob],
    topics: [activeJobTopic("default")],
    logger: false,
  });
  for (const Class of [MailJob, NewsJob]) {
    const error = await assertRejects(() => Class.performLater({ email: "x" }), EnqueueError, "do not fit its schema");
    assert(error.written === "no" && error.cause instanceof SchemaError);
    await assertRejects(() => Class.performNow({ email: "x" }), SchemaError);
  }
  assertEquals([app.pending, app.undelivered], [0, 0]);
  MailJob.performed = [];
  await MailJob.performNow({ email: "A@b" });
  assertEquals(MailJob.performed, ["a@b"]);
});

Deno.test("a static that is not a schema is refused when the App is made", () => {
  class OddJob extends Job {
    static override schema = { parse() {} } as unknown as ArgumentsSchema;
    perform() {}
  }
  const options = { name: "shop", broker: "memory:", topics: [activeJobTopic("default")], logger: false } as const;
  assertThrows(() => new App({ ...options, jobs: [OddJob] }), InvalidConfigurationError, "a Standard Schema");
});
