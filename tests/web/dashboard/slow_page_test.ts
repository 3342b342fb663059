/** Pages that are not ready in time: they name the partitions that cannot be read, as far as the broker knows them by then. */
import { activeJobTopic, App, type AppOptions } from "@activejob/kafka";
import { dashboard } from "@activejob/kafka/web";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { FaultInjectionLog } from "../../support/fault_injection_log.ts";
import { withoutLeader } from "../../support/unreadable_partition.ts";

function createApp(broker: AppOptions["broker"]): App {
  const topics = [activeJobTopic("default", { partitions: 2, deadLetterQueue: { topic: "dead" } })];
  return new App({ name: "shop", broker, jobs: [], topics, logger: false });
}

/** Asks for a page that is not ready in time. @returns its error in words */
async function load(app: App, path: string, loadTimeoutMs: number): Promise<string> {
  const { fetch } = dashboard(app, { publicRead: true, loadTimeoutMs });
  const response = await fetch(new Request(`http://jobs.test/api/${path}`));
  assertEquals(response.status, 503);
  return (await response.json()).error;
}

/** Does the same where a partition has no leader. */
async function loadWithoutLeader(lost: { topic: string; partition: number }, path: string): Promise<string> {
  await using app = createApp(withoutLeader(new FaultInjectionLog().source, lost));
  // Its modules are loaded then: the page has less than half a second for a status.
  await app.status();
  return await load(app, path, 1000);
}

Deno.test("a page that waits for a partition without a leader names it", async () => {
  const again =
    "Load the page again; if it stays so, look at the broker, and at the network between it and this server.";
  assertEquals(
    await Promise.all([
      loadWithoutLeader({ topic: "default", partition: 1 }, "topics/default/records?partition=1"),
      loadWithoutLeader({ topic: "dead", partition: 0 }, "dead_letters/dead/0@0"),
    ]),
    [
      `The page was not ready within 1000 ms. default/1 cannot be read: it has no leader. ${again}`,
      `The page was not ready within 1000 ms. The dead letters of dead/0 are not known: it has no leader. ${again}`,
    ],
  );
});

Deno.test("a page that waits for a broker that does not respond says that, and is not late", async () => {
  const opening = Promise.withResolvers<never>();
  const startMs = performance.now();
  await using app = createApp({ ...new FaultInjectionLog().source, open: () => opening.promise });
  assertMatch(
    await load(app, "topics/default/records", 100),
    /within 100 ms: the broker memory: does not respond, or there is too much to read\. Load the page again/,
  );
  assert(performance.now() - startMs < 5000);
  opening.reject(new Error("the end of the test"));
});
