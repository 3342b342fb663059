/** The note about a number of arguments that `perform` does not take. */
import { assertEquals } from "@std/assert";
import { checkArgumentCount } from "../../src/cli/argument_count.ts";

// deno-lint-ignore no-explicit-any
const check = (perform: (...args: any[]) => unknown, count: number) => checkArgumentCount("AJob", perform, count);

class AJob {
  none() {}
  // A parenthesis in a comment: )
  one(_id: number /* ) = ... */) {}
  async two(_a: number, _b: string) {
    await undefined;
  }
  withDefault(_a: number, _b: string = ")") {}
  withRest(_a: number, ..._rest: string[]) {}
  destructured({ a, b }: { a: number; b: number }, _c: number) {
    return a + b;
  }
  withArguments() {
    return arguments.length;
  }
}

const job = new AJob();

Deno.test("checkArgumentCount() returns null if the arguments fit", () => {
  assertEquals(check(job.none, 0), null);
  assertEquals(check(job.one, 1), null);
  assertEquals(check(job.two, 2), null);
  assertEquals([1, 2, 3].map((count) => check(job.withDefault, count)), [null, null, null]);
  assertEquals([1, 2, 9].map((count) => check(job.withRest, count)), [null, null, null]);
  assertEquals(check(job.destructured, 2), null);
  assertEquals(check(job.withArguments, 7), null);
});

Deno.test("checkArgumentCount() returns a note if there are too few or too many", () => {
  assertEquals(check(job.none, 1), "AJob.perform() declares 0 parameters, but 1 argument is given");
  assertEquals(check(job.one, 0), "AJob.perform() declares 1 parameter, but 0 arguments are given");
  assertEquals(check(job.two, 3), "AJob.perform() declares 2 parameters, but 3 arguments are given");
  assertEquals(check(job.withDefault, 0), "AJob.perform() declares at least 1 parameter, but 0 arguments are given");
  assertEquals(check(job.withRest, 0), "AJob.perform() declares at least 1 parameter, but 0 arguments are given");
  assertEquals(check(job.destructured, 3), "AJob.perform() declares 2 parameters, but 3 arguments are given");
});

Deno.test("checkArgumentCount() returns null for a function whose source is not known", () => {
  assertEquals(check(job.one.bind(job), 5), null);
});
