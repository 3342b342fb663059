/** Encryption of what jobs carry: what is written, and what is refused. */
import { Buffer } from "node:buffer";
import {
  type AnySerializer,
  currentAttributes,
  DeserializationError,
  encryption,
  type EncryptionOptions,
  globalId,
  InvalidConfigurationError,
  Job,
  PoisonError,
  UnknownKeyError,
} from "@activejob/kafka";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { codecOf } from "../support/codec.ts";

const OLD = { id: "2025", key: new Uint8Array(32).fill(1) };
const NEW = { id: "2026", key: btoa("2".repeat(32)) };

class Current extends currentAttributes<{ user: string }>("user") {}

class PayJob extends Job {
  perform(..._args: unknown[]) {}
}

function codecWith(options: EncryptionOptions | null) {
  return codecOf({
    currentAttributes: [Current],
    ...(options === null ? {} : { encryption: encryption(options) }),
  });
}

const now = codecWith({ keys: [NEW, OLD] });

function written(codec = now, ...args: unknown[]): string {
  return Current.run({ user: "ada@example" }, () => codec.write(PayJob.of(...args as never[]), "shop_pay"));
}

function change(text: string, fields: Record<string, unknown>): string {
  return JSON.stringify({ ...JSON.parse(text), ...fields });
}

Deno.test("an encrypted job has neither arguments nor attributes in its envelope, and is read to the same values", () => {
  const args = ["4111-1111", 5n, 2n ** 70n, -0, undefined, new Date(7), { a: [null] }, "<&>"];
  const text = written(now, ...args);
  for (const secret of ["4111-1111", "ada@", "arguments", "current_attributes"]) assert(!text.includes(secret), text);
  const envelope = now.read(text, "shop_pay");
  assertEquals([envelope.jobClass, JSON.parse(text).encrypted.key], ["PayJob", "2026"]);
  assertEquals(now.readArguments(envelope), args);
  assertEquals(now.readAttributes(envelope), { Current: { user: "ada@example" } });
});

Deno.test("the readable part of an encrypted job is the same each time, and has no secret", () => {
  const descriptions = [1, 2].map(() => {
    const job = PayJob.of("4111-1111" as never);
    job.jobId = "1";
    return now.describe(job, "shop_pay");
  });
  assertEquals(descriptions[0], descriptions[1]);
  assertEquals(Object.keys(JSON.parse(descriptions[0]!)).filter((field) => /arg|attr|encrypted/.test(field)), []);
});

Deno.test("an argument of an encrypted job that cannot be read is named by its path; the message has no value of it", async () => {
  const cards: AnySerializer = {
    name: "CardSerializer",
    handles: (value) => value instanceof URL,
    serialize: ({ href }: URL) => ({ href }),
    deserialize: ({ href }) => {
      throw new TypeError(`not a card: ${href}`);
    },
  };
  for (
    const [isEncrypting, why] of [[true, "CardSerializer: TypeError"], [false, "CardSerializer: not a card: card:4111"]]
  ) {
    const codec = codecOf({
      serializers: [cards],
      locateGlobalId: () => null,
      ...(isEncrypting ? { encryption: encryption({ keys: [NEW] }) } : {}),
    });
    const read = (arg: unknown) => codec.read(codec.write(PayJob.of(arg as never), "shop_pay"));
    const error = assertThrows(() => codec.readArguments(read(new URL("card:4111"))), DeserializationError);
    assertEquals([error.message, error.cause === undefined], [`Cannot deserialize arguments[0]: ${why}`, isEncrypting]);
    const missing = await assertRejects(
      () => codec.deserializeArguments(read(globalId("gid://shop/Card/4111"))) as Promise<unknown>,
      DeserializationError,
    );
    assertEquals(missing.message.includes("4111"), !isEncrypting);
  }
});

Deno.test("each writing has a nonce of its own", () => {
  assert(JSON.parse(written()).encrypted.data !== JSON.parse(written()).encrypted.data);
});

Deno.test("an old key still decrypts, and an App without the key waits for it", () => {
  const text = written(codecWith({ keys: [OLD] }), 1);
  assertEquals(now.readArguments(now.read(text)), [1]);
  for (const codec of [codecWith({ keys: [NEW] }), codecWith(null)]) {
    const error = assertThrows(() => codec.read(text), UnknownKeyError);
    assertEquals(error.keyId, "2025");
  }
  assertThrows(
    () => codecWith({ keys: [NEW] }).read(text),
    UnknownKeyError,
    `key "2025", which this App does not have`,
  );
});

Deno.test("what was changed, moved to another job or another topic, or added in clear is poison", () => {
  const text = written(now, 1);
  const { encrypted } = JSON.parse(text);
  const data = Buffer.from(encrypted.data, "base64");
  data[20]! ^= 1;
  const changes: Record<string, unknown>[] = [
    { job_class: "OtherJob" },
    { job_id: "another" },
    { queue_name: "shop_other" },
    { encrypted: { ...encrypted, data: data.toString("base64") } },
    { encrypted: { ...encrypted, data: "AAAA" } },
    { encrypted: { ...encrypted, data: 5 } },
    { encrypted: { ...encrypted, key: "2025" } },
    { encrypted: null },
    { encrypted: "x" },
    { arguments: [2] },
    { current_attributes: { Current: { user: "eve" } } },
    { cattr_0: { user: "eve" } },
  ];
  for (const fields of changes) {
    assertThrows(() => now.read(change(text, fields)), PoisonError, undefined, JSON.stringify(fields));
  }
  assertThrows(() => now.read(text, "shop_other"), PoisonError, "of another job or topic");
  // Nothing else of the envelope is authenticated: a worker counts and routes by it.
  assertEquals(now.readArguments(now.read(change(text, { executions: 3 }), "shop_pay")), [1]);
});

Deno.test("a job in clear is read, unless encryption is required", () => {
  const clear = written(codecWith(null), 1);
  assertEquals(now.readArguments(now.read(clear)), [1]);
  assertThrows(() => codecWith({ keys: [NEW], required: true }).read(clear), PoisonError, "is not encrypted");
});

Deno.test("encryption() refuses keys that are not keys, without showing them", () => {
  const short = "c2VjcmV0";
  const cases: [unknown, string][] = [
    [{}, 'needs the option "keys"'],
    [{ keys: [] }, "not empty"],
    [{ keys: [{ id: "", key: NEW.key }] }, "1 to 100 characters"],
    [{ keys: [{ id: "a", key: short }] }, "32 bytes"],
    [{ keys: [{ id: "a", key: new Uint8Array(31) }] }, "32 bytes"],
    [{ keys: [null] }, "must be { id, key }, but it is null"],
    [{ keys: [short] }, "must be { id, key }, but it is a value of type string"],
    [{ keys: [NEW, NEW] }, "Two keys"],
    [{ keys: [{ ...NEW, keys: short }] }, 'did you mean "key"'],
    [{ keys: [NEW], require: true }, 'did you mean "required"'],
  ];
  for (const [options, message] of cases) {
    const error = assertThrows(() => encryption(options as EncryptionOptions), InvalidConfigurationError, message);
    assert(!error.message.includes(short));
  }
  assert(!Deno.inspect(encryption({ keys: [NEW] }), { showHidden: true, depth: 9 }).includes(NEW.key.slice(0, 20)));
});
