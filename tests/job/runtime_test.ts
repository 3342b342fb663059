/** The App that gets the jobs of a class: that of the scope, that of a test, or the one App that lists the class. */
import { activeJobTopic, App, Job, performAllLater } from "@activejob/kafka";
import { TestApp } from "@activejob/kafka/testing";
import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { InvalidConfigurationError } from "../../src/errors.ts";
import { copyProject } from "../../tasks/copy.ts";
import { bindRuntime, bindTestRuntime, type JobRuntime, runInScope, runtimeOf } from "../../src/job/runtime.ts";

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
    codec: { isEncrypting: false },
    enqueue: () => Promise.reject(new Error(name)),
    enqueueAcknowledged: () => Promise.reject(new Error(name)),
    nowMs: () => Date.now(),
    enqueueAll: () => Promise.reject(new Error(name)),
  };
}

function app(name: string, jobs: (typeof SharedJob)[] = [SharedJob]): App {
  return new App({ name, broker: "memory:", jobs, topics: [activeJobTopic("default")], logger: false });
}

Deno.test("runtimeOf() returns the only App that lists the class, or throws an error with the remedy", () => {
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
  assertThrows(
    () => runtimeOf(SharedJob),
    InvalidConfigurationError,
    'Cannot enqueue "SharedJob": the App "two", which listed it, is closed',
  );
});

Deno.test("runtimeOf() ignores a scope that outlives its App: an import() in a job leaves one behind", async () => {
  const [gone, here] = [app("gone"), app("here", [SharedJob])];
  await gone.close();
  assertEquals(gone.run(() => runtimeOf(SharedJob)), here);
  await here.close();
});

Deno.test("runtimeOf() prefers the scope, then a test's App, then the one App; each only for its own classes", () => {
  const [bound, test, enclosing] = [
    runtime("bound", SharedJob, OtherJob),
    runtime("test", SharedJob),
    runtime("in", SharedJob),
  ];
  const unbind = bindRuntime(bound);
  const unbindTest = bindTestRuntime(test);
  assertEquals([runtimeOf(SharedJob), runtimeOf(OtherJob)], [test, bound]);
  assertEquals(runInScope(enclosing, () => [runtimeOf(SharedJob), runtimeOf(OtherJob)]), [enclosing, bound]);
  assertEquals(runInScope(test, () => runInScope(enclosing, () => runtimeOf(SharedJob))), enclosing);
  unbindTest();
  assertEquals(runtimeOf(SharedJob), bound);
  unbind();
});

Deno.test("bindTestRuntime() refuses a second one for a class, and accepts one for other classes", () => {
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

Deno.test("an App releases its classes when it is closed, a test's App when it is disposed of", async () => {
  const original = app("shop");
  {
    await using test = TestApp.of(original);
    const refused = assertThrows(() => TestApp.of(original), InvalidConfigurationError, "another one is already");
    assertMatch(
      refused.message,
      /another one is already, made at file:.*\/runtime_test\.ts:\d+:\d+; dispose of it first/,
    );
    await SharedJob.performLater();
    test.assertEnqueuedJobs(1);
  }
  const again = TestApp.of(original);
  again.assertNoEnqueuedJobs();
  await again[Symbol.asyncDispose]();
  await original.close();
  await assertRejects(
    () => SharedJob.performLater(),
    InvalidConfigurationError,
    'the App "shop", which listed it, is closed',
  );
});

Deno.test("runtimeOf() recognizes a class that was loaded twice", () => {
  const twice = class SharedJob extends Job {
    perform() {}
  };
  const renamed = class extends OtherJob {
    static override jobName = "SharedJob";
  };
  const unbind = bindRuntime(runtime("shop", SharedJob));
  for (const Class of [twice, renamed]) {
    assertThrows(
      () => runtimeOf(Class),
      InvalidConfigurationError,
      'the App "shop" lists another class of this name; if it was loaded twice, import it by one specifier',
    );
  }
  class UnlistedJob extends SharedJob {}
  assertThrows(() => runtimeOf(UnlistedJob), InvalidConfigurationError, "no App lists it");
  unbind();
});

Deno.test("a class of another copy of the library finds its App, its scope and its current attributes", async () => {
  await using copy = await copyProject();
  const other = await import(new URL("mod.ts", copy.url).href) as typeof import("@activejob/kafka");
  const performed: unknown[] = [];
  class Current extends other.currentAttributes<{ userId: number }>("userId") {}
  class ForeignJob extends other.Job {
    perform() {
      performed.push(Current.userId);
    }
  }
  assert(other.Job !== Job);
  await using shop = new App({
    name: "shop",
    broker: "memory:",
    jobs: [ForeignJob as unknown as typeof SharedJob],
    topics: [activeJobTopic("default")],
    currentAttributes: [Current],
    logger: false,
  });
  const enqueue = (userId: number) => Current.run({ userId }, () => ForeignJob.performLater());
  await enqueue(7);
  await shop.run(() => enqueue(8));
  await shop.worker().run(undefined, { once: true });
  assertEquals(performed, [7, 8]);
  {
    await using test = TestApp.of(shop);
    await enqueue(9);
    test.assertEnqueuedJobs(1);
  }
  assertEquals(shop.pending, 0);
});
