/** Which App a class's jobs go to: the scope, a test's App, the one App that lists the class. */
import { activeJobTopic, App, Job, performAllLater } from "@activejob/kafka";
import { TestApp } from "@activejob/kafka/testing";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { InvalidConfigurationError } from "../../src/errors.ts";
import { bindRuntime, bindTestRuntime, type JobRuntime, runtimeOf, runWithin } from "../../src/job/runtime.ts";

class SharedJob extends Job {
  perform() {}
}
class OtherJob extends Job {
  perform() {}
}

function runtime(name: string, ...jobs: (typeof SharedJob | typeof OtherJob)[]): JobRuntime {
  return {
    name,
    jobs: new Set(jobs),
    isClosed: false,
    enqueue: () => Promise.reject(new Error(name)),
    enqueueAll: () => Promise.reject(new Error(name)),
  };
}

function app(name: string, jobs: (typeof SharedJob)[] = [SharedJob]): App {
  return new App({ name, broker: "memory:", jobs, topics: [activeJobTopic("default")], logger: false });
}

Deno.test("runtimeOf() answers the one that lists the class, and says what to do where none or several do", () => {
  assertThrows(
    () => runtimeOf(SharedJob),
    InvalidConfigurationError,
    'Cannot enqueue "SharedJob": no App lists it; add it to the "jobs" of an App',
  );
  const [one, two] = [runtime("one", SharedJob), runtime("two", SharedJob, OtherJob)];
  const unbindOne = bindRuntime(one);
  assertEquals(runtimeOf(SharedJob), one);
  const unbindTwo = bindRuntime(two);
  assertThrows(
    () => runtimeOf(SharedJob),
    InvalidConfigurationError,
    '2 Apps list it ("one", "two"); say which with app.run(() => …) or app.enqueue(SharedJob.of(…))',
  );
  assertEquals(runtimeOf(OtherJob), two);
  unbindOne();
  assertEquals(runtimeOf(SharedJob), two);
  unbindTwo();
  assertThrows(() => runtimeOf(SharedJob), InvalidConfigurationError, "no App lists it");
});

Deno.test("runtimeOf() takes no scope for true that outlives its App: an import() in a job leaves one behind", async () => {
  const [gone, here] = [app("gone"), app("here", [SharedJob])];
  await gone.close();
  assertEquals(gone.run(() => runtimeOf(SharedJob)), here);
  await here.close();
});

Deno.test("runtimeOf() goes by the scope first, then a test's, then the one App; each only for its own classes", () => {
  const [bound, test, enclosing] = [
    runtime("bound", SharedJob, OtherJob),
    runtime("test", SharedJob),
    runtime("in", SharedJob),
  ];
  const unbind = bindRuntime(bound);
  const unbindTest = bindTestRuntime(test);
  assertEquals([runtimeOf(SharedJob), runtimeOf(OtherJob)], [test, bound]);
  assertEquals(runWithin(enclosing, () => [runtimeOf(SharedJob), runtimeOf(OtherJob)]), [enclosing, bound]);
  assertEquals(runWithin(test, () => runWithin(enclosing, () => runtimeOf(SharedJob))), enclosing);
  unbindTest();
  assertEquals(runtimeOf(SharedJob), bound);
  unbind();
});

Deno.test("bindTestRuntime() refuses a second one over the same class, and takes one over others", () => {
  const unbind = bindTestRuntime(runtime("one", SharedJob));
  assertThrows(
    () => bindTestRuntime(runtime("two", OtherJob, SharedJob)),
    InvalidConfigurationError,
    'over "SharedJob"',
  );
  const unbindOther = bindTestRuntime(runtime("three", OtherJob));
  unbind();
  bindTestRuntime(runtime("four", SharedJob))();
  unbindOther();
});

Deno.test("a scope holds over awaits, timers and Apps side by side", async () => {
  await using one = app("one");
  await using two = app("two");
  const enqueued: string[] = [];
  for (const each of [one, two]) each.on("job.enqueued", () => enqueued.push(each.name));
  await assertRejects(() => SharedJob.performLater(), InvalidConfigurationError, "2 Apps list it");
  await assertRejects(() => performAllLater([SharedJob.of()]), InvalidConfigurationError, "2 Apps list it");
  await Promise.all([one, two, one].map((each) =>
    each.run(async () => {
      await new Promise((resolve) => setTimeout(resolve, 0));
      const job = await SharedJob.performLater();
      await job.delivered();
    })
  ));
  assertEquals(enqueued.sort(), ["one", "one", "two"]);
});

Deno.test("an App lets its classes go when it is closed, a test's App when it is disposed of", async () => {
  const original = app("shop");
  {
    await using test = TestApp.of(original);
    assertThrows(() => TestApp.of(original), InvalidConfigurationError, "another one is already");
    await SharedJob.performLater();
    test.assertEnqueuedJobs(1);
  }
  const again = TestApp.of(original);
  again.assertNoEnqueuedJobs();
  await again[Symbol.asyncDispose]();
  await original.close();
  await assertRejects(() => SharedJob.performLater(), InvalidConfigurationError, "no App lists it");
});
