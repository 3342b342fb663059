/** The guards about what a job may be: its age, its encryption, its arguments. */
import type { Mutant } from "../../tasks/mutation/mutant.ts";

/** Guards that decide whether a record is performed. */
export const FLOW_CONTROL_MUTANTS: readonly Mutant[] = [
  {
    what: "encryption: the data of one topic is not accepted in another",
    file: "src/job/encryption.ts",
    find: "JSON.stringify([topic, jobClass, jobId])",
    replace: "JSON.stringify([jobClass, jobId])",
    tests: ["tests/job/encryption_test.ts"],
  },
  {
    what: "encryption: the cursor of a job in steps is encrypted",
    file: "src/job/encryption.ts",
    find: "|cattr_\\d+|continuation|",
    replace: "|cattr_\\d+|",
    tests: ["tests/behaviours/encryption_test.ts"],
    only: "F4",
  },
  {
    what: "encryption: an argument that cannot be read is not quoted",
    file: "src/job/serializers/read.ts",
    find: "if (areSecret) throw failure(",
    replace: "if (!areSecret) throw failure(",
    tests: ["tests/job/encryption_test.ts"],
    only: "cannot be read",
  },
  {
    what: "encryption: a readable field beside the encrypted ones is refused",
    file: "src/job/encryption.ts",
    find: "if (added !== undefined) throw",
    replace: "if (added === null) throw",
    tests: ["tests/job/encryption_test.ts"],
  },
  {
    what: "encryption: a job in clear is refused where encryption is required",
    file: "src/job/envelope.ts",
    find: "|| encryption?.isRequired === true",
    replace: "",
    tests: ["tests/job/encryption_test.ts"],
  },
  {
    what: "schemas: arguments that were not read are not checked again",
    file: "src/job/schema.ts",
    find: " && originOf(args)?.isSerialized !== true",
    replace: "",
    tests: ["tests/job/schema_test.ts"],
  },
  {
    what: "schemas: where jobs are encrypted, an error has no message of an issue",
    file: "src/job/schema.ts",
    find: "areSecret || isSecretFor(Class",
    replace: "areSecret && isSecretFor(Class",
    tests: ["tests/behaviours/flow_control_test.ts"],
    only: "F3: where jobs are encrypted",
  },
  {
    what: "schemas: only the job's own arguments make it poison",
    file: "src/worker/partition/attempt.ts",
    find: "if (this.schemaError !== undefined) return",
    replace:
      'if ((thrown as any)?.name === "SchemaError") this.schemaError = thrown as any;\n    if (this.schemaError !== undefined) return',
    tests: ["tests/behaviours/flow_control_test.ts"],
    only: "F3: a job that performs another one",
  },
  {
    what: "limits: a rate counts from the call of perform",
    file: "src/worker/partition/runner.ts",
    find: "queueMicrotask(() => this.#gate!.start(record));",
    replace: "queueMicrotask(() => {});",
    tests: ["tests/worker/limits/limits_test.ts"],
    only: "call of perform",
  },
  {
    what: "expiry: a job is enqueued by the clock of its App",
    file: "src/dispatch/job_preparer.ts",
    find: "const record = recordOf(job, topic, codec, route?.maxPayloadBytes ?? Infinity, clock.nowMs());",
    replace: "const record = recordOf(job, topic, codec, route?.maxPayloadBytes ?? Infinity, clock && Date.now());",
    tests: ["tests/testing/delays_test.ts"],
    only: "expire by the clock",
  },
  {
    what: "expiry: a delayed job is as old as the time since it was due",
    file: "src/worker/partition/job_age.ts",
    find: "nowMs - Math.max(sinceMs, job.scheduledAtMs ?? 0)",
    replace: "nowMs - sinceMs",
    tests: ["tests/behaviours/flow_control_test.ts"],
    only: "F1: a job that is older",
  },
  {
    what: "expiry: a clock that was never set says nothing about an age",
    file: "src/worker/partition/job_age.ts",
    find: "enqueuedAtMs !== null && enqueuedAtMs > 0 ?",
    replace: "enqueuedAtMs !== null ?",
    tests: ["tests/worker/partition/decode_test.ts"],
  },
];
