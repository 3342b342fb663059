/** Recognition of job classes. */
import { Job } from "@activejob/kafka";
import { assertEquals } from "@std/assert";
import { isJobClass } from "../../src/job/job_checks.ts";

class PlainJob extends Job {
  perform() {}
}

Deno.test("isJobClass() checks the brand, so that it accepts a class of another copy of this library", () => {
  class Foreign {}
  Object.defineProperty(Foreign, Symbol.for("@activejob/kafka.Job"), { value: true });
  assertEquals([PlainJob, Foreign, class {}, {}, null, "Job"].map(isJobClass), [
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
});
