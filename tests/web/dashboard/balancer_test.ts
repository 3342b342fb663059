/** Two dashboards of one App behind a balancer: a page, its form and its outcome may each come from another one. */
import { activeJobTopic, App, type EventMap, Job } from "@activejob/kafka";
import { every } from "@activejob/kafka/recurring";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { openDashboard, serveDashboard, type ShownPage } from "../../support/dashboard.ts";
import { until } from "../../support/until.ts";

const state = { performed: 0, fails: true };

class MailJob extends Job {
  perform() {
    if (state.fails) throw new Error("no mail server");
    state.performed++;
  }
}

/** An App with two dead letters, and two dashboards. Each request goes to the next dashboard of a list, the last ones to its last. */
async function setUp() {
  Object.assign(state, { performed: 0, fails: true });
  const app = new App({
    name: "shop",
    broker: "memory:",
    jobs: [MailJob],
    topics: [activeJobTopic("default", { deadLetterQueue: { topic: "dead", maxRetries: 0 } })],
    recurring: [every("0 3 * * *", MailJob.of(), { id: "nightly" })],
    logger: false,
  });
  await app.applyTopics();
  for (let n = 0; n < 2; n++) await MailJob.performLater();
  const performAll = async () => {
    await app.worker().run(undefined, { once: true });
  };
  await performAll();
  state.fails = false;
  const acted: EventMap["operator.acted"][] = [];
  app.on("operator.acted", (event) => acted.push(event));
  const dashboards = { A: serveDashboard(app), B: serveDashboard(app) };
  let next: ("A" | "B")[] = ["A"];
  return {
    app,
    acted,
    performAll,
    ...openDashboard(app, "operate", (request) => {
      const name = next.length > 1 ? next.shift()! : next[0]!;
      return dashboards[name].fetch(request);
    }),
    /** Says where the next requests go. */
    route: (names: string) => void (next = [...names] as ("A" | "B")[]),
    [Symbol.asyncDispose]: () => app[Symbol.asyncDispose](),
  };
}

Deno.test("a form of one dashboard acts on another one, and the outcome is shown by either, once", async () => {
  await using the = await setUp();
  for (const [names, button] of [["ABB", "Requeue 2 dead letters"], ["ABA", "Requeue again"]] as const) {
    the.route(names);
    const confirmation = await the.open("dead_letters/confirm?do=requeue&at=dead/0@0&at=dead/0@1");
    const page = await the.press(confirmation, button, names === "ABB" ? [] : [["force", "1"]]);
    assertEquals(outcomeOf(page), "Requeued 2 dead letters");
    assertEquals(outcomeOf(await the.open(page.path)), null, "a reload does not repeat it");
  }
  assertEquals(the.acted.map(({ action, outcome }) => [action, outcome]), [["requeue", "done"], ["requeue", "done"]]);
  await the.performAll();
  assertEquals(state.performed, 4);
});

Deno.test("a form that is sent to two dashboards acts once, also with the box of those that were handled before", async () => {
  await using the = await setUp();
  const path = "dead_letters/confirm?do=requeue&at=dead/0@0&at=dead/0@1";
  const confirmation = await the.open(path);
  the.route("AA");
  assertEquals(outcomeOf(await the.press(confirmation, "Requeue 2")), "Requeued 2 dead letters");
  the.route("BB");
  assertStringIncludes((await the.press(confirmation, "Requeue 2")).text, "Requeued 0 dead letters. 2 refused: it was");
  const handledMs = Date.now();
  await until(() => Date.now() > handledMs || null, () => "the clock stands still");
  const again = await the.open(path);
  for (
    const [names, outcome] of [
      ["AA", "Requeued 2 dead letters"],
      ["BB", "Requeued 0 dead letters. 2 refused: handled after the form was made"],
      ["AA", "This form was sent before: nothing was done a second time"],
    ] as const
  ) {
    the.route(names);
    assertEquals(outcomeOf(await the.press(again, "Requeue again", [["force", "1"]])), outcome);
  }
  await the.performAll();
  assertEquals(state.performed, 4);
});

Deno.test("pausing, resuming and running work across dashboards; refusals and failures say so", async () => {
  await using the = await setUp();
  const press = async (path: string, button: string) => {
    the.route("A");
    const page = await the.open(path);
    the.route("BA");
    return outcomeOf(await the.press(page, button));
  };
  assertMatch(await press("topics/default", "Pause default") ?? "", /^Paused topic default: no job of it starts/);
  assertEquals((await the.app.paused()).length, 1);
  the.route("A");
  const stale = await the.open("topics/default");
  assertEquals(await press("topics/default", "Resume default"), "Resumed topic default");
  the.route("BA");
  assertEquals(outcomeOf(await the.press(stale, "Resume default")), "Topic default is not paused");
  assertMatch(await press("recurring", "Run nightly now") ?? "", /^Enqueued nightly now, as job /);
  the.route("BA");
  const headers = { "sec-fetch-site": "same-origin", "content-type": "application/x-www-form-urlencoded" };
  const failed = await the.open("dead_letters/confirm", { method: "POST", body: "action=requeue&at=x", headers });
  assertEquals(outcomeOf(failed), "A position of the form cannot be read");
  assertEquals(the.acted.map(({ action, outcome }) => `${action} ${outcome}`), [
    "pause done",
    "resume done",
    "resume refused",
    "run done",
    "requeue failed",
  ]);
});

/** Returns the outcome that a page shows. */
function outcomeOf({ status, html }: ShownPage): string | null {
  assert(status === 200);
  return /<p role="status" class="outcome [a-z]+">([^<]*)<\/p>/.exec(html)?.[1] ?? null;
}
