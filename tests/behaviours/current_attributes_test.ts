/** Current attributes: each job sees its own, whatever runs beside it. */
import { assertEquals } from "@std/assert";
import { AsyncLocalStorage } from "node:async_hooks";
import { activeJobTopic, currentAttributes, Job } from "../../mod.ts";
import { behaviour } from "../support/behaviours/behaviour.ts";
import { until } from "../support/behaviours/world.ts";

class User extends currentAttributes<{ id: number; login: string }>("id", "login") {}
class Place extends currentAttributes<{ tenant: string }>("tenant") {}

interface Seen {
  readonly id: number | undefined;
  readonly login: string | undefined;
  readonly tenant: string | undefined;
}

const seenNow = (): Seen => ({ id: User.id, login: User.login, tenant: Place.tenant });

behaviour(
  "A10: 1000 jobs of many partitions await between reads of two attribute classes: each job sees only its own values",
  async (world) => {
    const seen = new Map<number, Seen[]>();
    class AttributeJob extends Job {
      async perform(n: number) {
        const looks = [seenNow()];
        for (let look = 0; look < n % 4; look++) {
          if (look % 2 === 0) await Promise.resolve();
          else await new Promise((resolve) => setTimeout(resolve, n % 3));
          looks.push(seenNow());
        }
        // From here on it must see these values, and those of no other job.
        User.login = `job ${n}`;
        await Promise.resolve();
        looks.push(seenNow());
        seen.set(n, looks);
        if (n % 10 === 0 && this.attempt === 1) throw new Error("A job that throws leaks nothing");
      }
    }
    const process = await world.process({
      jobs: [AttributeJob],
      currentAttributes: [User, Place],
      topics: [activeJobTopic("default", { partitions: 12 })],
      backoff: { initialMs: 1, jitter: 0 },
      concurrency: 8,
    });
    const given = (n: number): Seen =>
      n % 5 === 0
        ? { id: undefined, login: undefined, tenant: undefined }
        : { id: n, login: n % 2 === 0 ? `user ${n}` : undefined, tenant: n % 3 === 0 ? `tenant ${n}` : undefined };
    await Promise.all(Array.from({ length: 1000 }, (_, n) => {
      const { id, login, tenant } = given(n);
      if (id === undefined) return AttributeJob.performLater(n);
      return User.run(
        login === undefined ? { id } : { id, login },
        () => Place.run(tenant === undefined ? {} : { tenant }, () => AttributeJob.performLater(n)),
      );
    }));
    await process.start();
    await process.untilEvents("job.performed", 1000);
    assertEquals(process.events("job.failed").length, 100);
    assertEquals(seenNow(), { id: undefined, login: undefined, tenant: undefined });
    for (let n = 0; n < 1000; n++) {
      const looks = seen.get(n)!;
      const own = given(n);
      assertEquals(looks, [...looks.slice(0, -1).map(() => own), { ...own, login: `job ${n}` }], `job ${n}`);
    }
  },
);

behaviour(
  "A10: two web requests overlap and only one sets an attribute: the job of the other one has none",
  async (world) => {
    const seen = new Map<string, Seen>();
    class RequestJob extends Job {
      perform(path: string) {
        seen.set(path, seenNow());
      }
    }
    const process = await world.process({ jobs: [RequestJob], currentAttributes: [User, Place] });
    const arrived = { "/set": Promise.withResolvers<void>(), "/none": Promise.withResolvers<void>() };
    const server = Deno.serve({ port: 0, onListen() {} }, async (request) => {
      const path = new URL(request.url).pathname as keyof typeof arrived;
      const enqueue = async () => {
        arrived[path].resolve();
        // Both requests have begun before either enqueues.
        await Promise.all([arrived["/set"].promise, arrived["/none"].promise]);
        await RequestJob.performLater(path);
        return new Response("ok");
      };
      return path === "/set" ? await User.run({ id: 1 }, enqueue) : await enqueue();
    });
    const get = async (path: string) => await (await fetch(`http://127.0.0.1:${server.addr.port}${path}`)).text();
    assertEquals(await Promise.all([get("/set"), get("/none")]), ["ok", "ok"]);
    await server.shutdown();
    await process.start();
    await process.untilEvents("job.performed", 2);
    assertEquals(seen.get("/set"), { id: 1, login: undefined, tenant: undefined });
    assertEquals(seen.get("/none"), { id: undefined, login: undefined, tenant: undefined });
  },
);

behaviour(
  "A14: a job that is enqueued inside another job carries the current attributes of the outer one",
  async (world) => {
    const seen: Record<string, Seen> = {};
    class InnerJob extends Job {
      perform(from: string) {
        seen[from] = seenNow();
      }
    }
    class OuterJob extends Job {
      async perform(name: string) {
        await Promise.resolve();
        await InnerJob.performLater(name);
        User.login = "changed";
        await InnerJob.performLater(`${name} after the change`);
      }
    }
    const process = await world.process({ jobs: [InnerJob, OuterJob], currentAttributes: [User, Place] });
    await User.run({ id: 7 }, () => Place.run({ tenant: "acme" }, () => OuterJob.performLater("with")));
    await OuterJob.performLater("without");
    await process.start();
    await until(() => Object.keys(seen).length === 4, () => `4 inner jobs, but there were ${Object.keys(seen)}`);
    assertEquals(seen, {
      "with": { id: 7, login: undefined, tenant: "acme" },
      "with after the change": { id: 7, login: "changed", tenant: "acme" },
      "without": { id: undefined, login: undefined, tenant: undefined },
      "without after the change": { id: undefined, login: "changed", tenant: undefined },
    });
  },
);

behaviour(
  "A10: a context that a job or a listener enters ends there: no other job, retry or listener sees it",
  async (world) => {
    const tenant = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    class TenantJob extends Job {
      perform(name: string) {
        seen.push(tenant.getStore());
        tenant.enterWith(name);
        if (this.attempt === 1) throw new Error("again");
      }
    }
    const process = await world.process({ jobs: [TenantJob], backoff: { initialMs: 1, jitter: 0 } });
    for (const name of ["job.performing", "job.performed", "job.failed"] as const) {
      process.app.on(name, () => {
        seen.push(tenant.getStore());
        tenant.enterWith(name);
      });
    }
    for (const name of ["a", "b"]) await TenantJob.performLater(name);
    await process.start();
    await world.untilCommitted(2);
    await process.stop();
    // Two jobs of two runs, and for each run a listener at its start and one at its end.
    assertEquals(seen, Array(12).fill(undefined));
  },
);
