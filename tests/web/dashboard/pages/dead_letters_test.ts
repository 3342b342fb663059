/** Dead letters on pages: groups, lists, forms with their confirmations, and hostile letters. No worker is alive. */
import { activeJobTopic, App, Job } from "@activejob/kafka";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Monitor } from "../../../../src/monitor/monitor.ts";
import { createPlainApp, openDashboard } from "../../../support/dashboard.ts";
import { FaultInjectionLog } from "../../../support/fault_injection_log.ts";

/** The jobs that were performed, and whether they fail. */
const state = { performed: [] as unknown[], fails: true };

class MailJob extends Job {
  perform(user: number, _options: object = {}) {
    if (state.fails) throw new TypeError(`User ${user} has no "address${user}"`);
    state.performed.push(user);
  }
}

class BillJob extends Job {
  perform(bill: number) {
    if (state.fails) throw new RangeError("The amount is negative");
    state.performed.push(`bill ${bill}`);
  }
}

/** An App whose jobs have failed, without a worker now. */
async function setUp(mails = 3, bills = 1) {
  const log = new FaultInjectionLog();
  const app = new App({
    name: "shop",
    broker: log.source,
    jobs: [MailJob, BillJob],
    topics: [activeJobTopic("default", { deadLetterQueue: { topic: "dead", maxRetries: 0 } })],
    logger: false,
  });
  state.fails = true;
  state.performed = [];
  for (let user = 0; user < mails; user++) await MailJob.performLater(user, { apiToken: "s3cret", plan: "gold" });
  for (let bill = 0; bill < bills; bill++) await BillJob.performLater(bill);
  await app.applyTopics();
  await perform(app);
  state.fails = false;
  const client = await log.source.open({ clientId: "test", monitor: new Monitor() });
  return {
    app,
    client,
    /** Writes dead letters that have no class, in thousands, as any client may. They name the topic that they came from. */
    async appendUnreadable(count: number) {
      const headers = (["topic", "partition", "offset"] as const).map((name) =>
        [`dead-letter-${name}`, new TextEncoder().encode(name === "topic" ? "default" : "0")] as const
      );
      const some = Array.from({ length: 1000 }, () => ({ key: null, value: "{}", headers }));
      for (let at = 0; at < count; at += 1000) await client.append("dead", some);
    },
    /** Writes a dead letter as any client may. */
    async forge(message: string, jobClass = "MailJob", topic = "default") {
      const headers = { "topic": topic, "partition": "0", "offset": "0", "attempts": "1", "error-class": "TypeError" };
      await client.append("dead", [{
        key: null,
        value: JSON.stringify({ job_class: jobClass, job_id: `id-${message.slice(0, 20)}`, arguments: [9] }),
        headers: Object.entries({ ...headers, "error-message": message })
          .map(([name, value]) => [`dead-letter-${name}`, new TextEncoder().encode(value)]),
      }]);
    },
    async [Symbol.asyncDispose]() {
      await app.close();
      await client[Symbol.asyncDispose]();
    },
  };
}

const perform = (app: App) => app.worker().run(undefined, { once: true });

Deno.test("dead letters are grouped by class and error, apart from numbers and quoted strings", async () => {
  await using the = await setUp();
  const { api, open } = openDashboard(the.app);
  const data = await api("dead_letters");
  assertEquals(
    data.groups.map((group: Record<string, unknown>) => [group.jobClass, group.errorClass, group.message, group.total]),
    [["BillJob", "RangeError", "The amount is negative", 1], ["MailJob", "TypeError", 'User # has no "…"', 3]],
  );
  assertEquals([data.matching, data.letters.length, data.groups[1].sources], [4, 4, ["default"]]);
  const { status, html, text } = await open("dead_letters");
  assertEquals([status, html.match(/<h1>/g)!.length], [200, 1]);
  assertStringIncludes(text, 'TypeError : User # has no "…"');
  assertEquals(html.match(/<caption/g)!.length, html.match(/<table/g)!.length);
});

Deno.test("a filter selects by class, error and normalized message, and says so when nothing matches", async () => {
  await using the = await setUp();
  const { api, open, follow } = openDashboard(the.app);
  const matching = async (query: string) => (await api(`dead_letters?${query}`)).matching;
  assertEquals(await matching("class=MailJob"), 3);
  assertEquals(await matching("class=&error=RangeError"), 1);
  assertEquals(await matching("noclass=1"), 0);
  assertEquals(await matching("topic=other"), 0);
  const group = await follow(await open("dead_letters"), "MailJob");
  assertStringIncludes(group.text, "All 3 that match");
  assertMatch((await open("dead_letters?class=Nope")).text, /No dead letter matches/);
});

Deno.test("a requeue that fails says so on the page of dead letters", async () => {
  await using the = await setUp();
  const { open } = openDashboard(the.app);
  const headers = { "sec-fetch-site": "same-origin", "content-type": "application/x-www-form-urlencoded" };
  const page = await open("dead_letters/confirm", { method: "POST", body: "action=requeue&at=garbage", headers });
  assertEquals([page.status, page.path.split("?")[0]], [200, "/dead_letters"]);
  assertStringIncludes(page.text, "A position of the form cannot be read");
});

Deno.test("a group is requeued after a confirmation that says how many jobs go where", async () => {
  await using the = await setUp();
  const { open, follow, press } = openDashboard(the.app);
  const group = await follow(await open("dead_letters"), "MailJob");
  const confirmation = await follow(group, "requeue…");
  assertStringIncludes(confirmation.text, "Requeue 3 dead letters?");
  assertStringIncludes(confirmation.text, "3 jobs go back to topic default");
  await perform(the.app);
  assertEquals(state.performed, []);

  const outcome = await press(confirmation, "Requeue 3 dead letters");
  assertStringIncludes(outcome.text, "Requeued 3 dead letters");
  await perform(the.app);
  assertEquals(state.performed.sort(), [0, 1, 2]);
  assertEquals((await the.app.deadLetters().list({ jobClass: "MailJob" })).map(({ handled }) => handled?.by), [
    ...["ada", "ada", "ada"],
  ]);
  const again = await press(confirmation, "Requeue 3 dead letters");
  assertStringIncludes(again.text, "This form was sent before: nothing was done a second time");
  await perform(the.app);
  assertEquals(state.performed.length, 3);
});

Deno.test("a letter that was handled is requeued again only if the box is ticked", async () => {
  await using the = await setUp(1, 0);
  const { open, press } = openDashboard(the.app);
  const confirm = "dead_letters/confirm?do=requeue&at=dead/0@0";
  const stale = await open(confirm);
  await press(await open(confirm), "Requeue 1 dead letter");
  const refused = await press(stale, "Requeue 1 dead letter");
  assertMatch(refused.text, /Requeued 0 dead letters\. 1 refused: it was requeued by ada/);

  const again = await open(confirm);
  assertStringIncludes(again.text, "Requeue 0 dead letters?");
  assertStringIncludes(again.text, "its job runs a second time");
  assertStringIncludes((await press(again, "Requeue again", [["force", "1"]])).text, "Requeued 1 dead letter");
  await perform(the.app);
  assertEquals(state.performed, [0, 0]);
});

Deno.test("a selection of letters is dismissed, and the others stay", async () => {
  await using the = await setUp(3, 0);
  const { open, press, api } = openDashboard(the.app);
  const confirmation = await press(await open("dead_letters"), "Dismiss the selected", [
    ["at", "dead/0@0"],
    ["at", "dead/0@2"],
    ["at", "dead/0@99"],
  ]);
  assertStringIncludes(confirmation.text, "2 dead letters are marked as dismissed. No job runs");
  assertStringIncludes(confirmation.text, "1 position of the selection has no dead letter any more");
  assertStringIncludes((await press(confirmation, "Dismiss 2")).text, "Dismissed 2 dead letters");
  assertEquals((await api("dead_letters")).letters.map(({ offset }: { offset: number }) => offset), [1]);
  assertEquals((await api("dead_letters?handled=1")).matching, 3);
  await perform(the.app);
  assertEquals(state.performed, []);
  assertMatch((await press(await open("dead_letters"), "Requeue the selected")).text, /No dead letter is selected/);
});

Deno.test("a selection reads the letters that wait, and those that were handled only if one of them is selected", async () => {
  await using the = await setUp();
  const { app } = the;
  const { press, open } = openDashboard(app);
  let lists = 0;
  const letters = app.deadLetters.bind(app);
  app.deadLetters = (topic) => {
    const found = letters(topic);
    const list = found.list.bind(found);
    found.list = (options) => {
      lists++;
      return list(options);
    };
    return found;
  };
  const confirmation = await open("dead_letters/confirm?do=dismiss&at=dead/0@0&at=dead/0@1");
  assertEquals(lists, 1);
  await press(confirmation, "Dismiss 2");
  lists = 0;
  const { text } = await open("dead_letters/confirm?do=dismiss&at=dead/0@1&at=dead/0@2");
  assertEquals(lists, 2);
  assertStringIncludes(text, "1 letter was handled before and stays");
});

Deno.test("letters that arrive after the confirmation are not part of it", async () => {
  await using the = await setUp(2, 0);
  const { open, press, api } = openDashboard(the.app);
  const confirmation = await open("dead_letters/confirm?do=requeue&all=1&class=MailJob");
  await the.forge('User 3 has no "address"');
  assertStringIncludes((await press(confirmation, "Requeue 2")).text, "Requeued 2 dead letters");
  assertEquals((await api("dead_letters")).letters.map(({ offset }: { offset: number }) => offset), [2]);
});

Deno.test("the confirmation names letters that cannot go back, with the reason", async () => {
  await using the = await setUp(1, 0);
  await the.forge("one", "MailJob", "elsewhere");
  const { open } = openDashboard(the.app);
  const { text } = await open("dead_letters/confirm?do=requeue&all=1");
  assertStringIncludes(text, "1 job goes back to topic default");
  assertStringIncludes(text, '1 letter stays: it came from "elsewhere", which no topic of this App declares');
});

Deno.test("hostile letters are inert, short, and can be handled by their group", async () => {
  await using the = await setUp(0, 0);
  const html = `<img src=x onerror=alert(1)> \u001b[31mred\u001b[0m \u202egnp.exe`;
  await the.forge(html, `<script>alert("class")</script>\u202e`);
  await the.forge("x".repeat(900_000));
  const { open, follow, press } = openDashboard(the.app);
  const list = await open("dead_letters");
  const letter = await open("dead_letters/dead/0@0");
  for (const page of [list, letter, await open("dead_letters/confirm?all=1"), await open("")]) {
    assert(!/<img|<script>alert|onerror=alert\(1\)>/.test(page.html), page.path);
    assert(!/[^\P{Cc}\n]|\u202e/u.test(page.html), page.path);
    assert(page.html.length < 30_000, `${page.path} has ${page.html.length} characters`);
  }
  const confirmation = await follow(await follow(list, `alert("class")`), "requeue…");
  assertStringIncludes((await press(confirmation, "Requeue 1 dead letter")).text, "Requeued 1 dead letter");
});

Deno.test("arguments are shown by click to a user who may operate, without secrets", async () => {
  await using the = await setUp(1, 0);
  const { open, follow, api } = openDashboard(the.app);
  const closed = await open("dead_letters/dead/0@0");
  assert(!closed.text.includes("gold"));
  assertEquals((await api("dead_letters/dead/0@0")).payload, null);
  const shown = await follow(closed, "Show the arguments");
  assertStringIncludes(shown.text, '"plan": "gold"');
  assert(!shown.html.includes("s3cret"));
  assertStringIncludes(shown.text, "User 0 has no");

  const reader = openDashboard(the.app, "read");
  for (const path of ["dead_letters/dead/0@0?payload=1", "dead_letters"]) {
    const { html } = await reader.open(path);
    assert(!/gold|type="checkbox" name="at"|<button name="do"|Requeue…/.test(html), path);
  }
  assertEquals((await reader.api("dead_letters/dead/0@0?payload=1")).payload, null);
  assertEquals((await reader.open("dead_letters/confirm?all=1")).status, 403);
});

Deno.test("a letter beyond the newest 10,000 is confirmed without its arguments, and handled", async () => {
  await using the = await setUp(1, 0);
  await the.appendUnreadable(10_000);
  const { open, press, api } = openDashboard(the.app);
  const data = await api("dead_letters/confirm?do=requeue&at=dead/0@0&at=dead/0@99999");
  assertEquals([data.count, data.missing, data.examples[0].jobClass], [1, 1, "MailJob"]);
  assert(!/gold|s3cret/.test(JSON.stringify(data)));
  await press(await open("dead_letters/confirm?do=requeue&at=dead/0@0"), "Requeue 1 dead letter");
  await perform(the.app);
  assertEquals(state.performed, [0]);
});

Deno.test("once the newest 10,000 are handled, the older ones are listed, and no earlier form handles them", async () => {
  await using the = await setUp(1, 0);
  await the.appendUnreadable(10_000);
  const { open, press } = openDashboard(the.app);
  assertStringIncludes((await open("")).text, "Counted among the newest 300: there are more.");
  const [first, second] = [
    await open("dead_letters/confirm?all=1&do=dismiss"),
    await open("dead_letters/confirm?all=1"),
  ];
  const done = await press(first, "Dismiss 10,000 dead letters");
  assertStringIncludes(done.text, "Dismissed 10,000 dead letters");
  assertMatch(done.text, /By error .* 1 MailJob TypeError : User # has no/);
  assertMatch((await open("")).text, /Latest dead letters by error 1 × MailJob/);
  assertStringIncludes((await press(second, "Requeue 10,000 dead letters")).text, "No dead letter matches any more");
});

Deno.test("a place without a letter is a page with the reason", async () => {
  await using the = await setUp(0, 0);
  const { open } = openDashboard(the.app);
  for (
    const [path, status, reason] of [
      ["dead_letters/dead/0@7", 404, /There is no dead letter at dead\/0@7/],
      ["dead_letters/other/0@7", 404, /"other" is not a dead letter topic/],
      ["dead_letters/dead/x", 404, /A place looks like 0@41/],
      ["dead_letters/confirm?at=nonsense", 400, /cannot be read/],
      ["dead_letters", 200, /No dead letter waits for you/],
    ] as const
  ) {
    const page = await open(path);
    assertEquals(page.status, status, path);
    assertMatch(page.text, reason);
  }
});

Deno.test("an App without a dead letter topic says so", async () => {
  await using app = createPlainApp();
  assertMatch(
    (await openDashboard(app).open("dead_letters")).text,
    /No topic of this App declares a dead letter queue/,
  );
});
