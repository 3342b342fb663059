/** An operator in front of a real browser: from the first screen to the requeued job, by click, by keyboard, without scripts. */
import { assert, assertEquals } from "@std/assert";
import type { Page } from "../../support/browser.ts";
import { browserTests } from "../../support/browser_tests.ts";
import { until } from "../../support/until.ts";

const inBrowser = await browserTests({ hasOwnSites: true });

/** Waits for a page with an outcome; the page before may have another one. */
async function waitForOutcome(page: Page, pattern: RegExp): Promise<void> {
  let text = "";
  await until(
    async () => pattern.test(text = await page.locator(".outcome").innerText()),
    () => `the outcome is ${text}`,
  );
}

for (const javaScript of [true, false]) {
  inBrowser(
    `a click requeues dead letters, and a worker performs their jobs ${javaScript ? "" : "(JavaScript off)"}`,
    async ({ site, open }) => {
      await using window = await open({ javaScript });
      const { page, problems } = window;
      await page.goto("/");
      await page.getByRole("navigation").getByRole("link", { name: "Dead letters" }).click();
      await page.getByRole("textbox", { name: "Class" }).fill("ChargeJob");
      await page.getByRole("button", { name: "Filter" }).click();
      await page.getByRole("link", { name: "requeue…", exact: true }).click();
      await page.getByRole("heading", { level: 1, name: "Requeue 3 dead letters?" }).waitFor();
      await page.getByRole("button", { name: "Requeue 3 dead letters" }).click();
      await waitForOutcome(page, /^Requeued 3 dead letters/);
      site.repair();
      await site.performAll();
      // Two waited before, three were requeued.
      assertEquals(site.performed.filter((jobClass) => jobClass === "ChargeJob").length, 5);
      assertEquals(await site.app.deadLetters().requeue({ jobClass: "ChargeJob" }), { requeued: 0, refused: 3 });
      await page.reload();
      assertEquals(await page.locator(".outcome").count(), 0, "a reload does not repeat the outcome");
      assertEquals(problems, []);
    },
  );
}

inBrowser(
  "the keyboard alone leads from the first screen to the requeued job, at a phone's width",
  async ({ site, open }) => {
    await using window = await open({ width: 360 });
    const { page, problems } = window;
    await page.goto("/");
    await press(page, /^Skip to the content$/, false);
    await press(page, /^Dead letters$/);
    await page.waitForURL(/dead_letters/);
    await press(page, /^requeue…$/);
    await page.waitForURL(/confirm/);
    await press(page, /^Requeue \d+ dead letters$/);
    await waitForOutcome(page, /^Requeued \d+ dead letters/);
    const acted = (await site.app.deadLetters().list({ limit: 100 })).filter(({ handled }) => handled !== null);
    assert(acted.length >= 9, `${acted.length} dead letters are handled`);
    assertEquals(new Set(acted.map(({ handled }) => handled!.by)), new Set(["ada"]));
    assertEquals(problems, []);
  },
);

inBrowser(
  "the keyboard alone pauses one partition with a reason, and resumes it (JavaScript off)",
  async ({ site, open }) => {
    await using window = await open({ javaScript: false });
    const { page, problems } = window;
    await page.goto("/topics/mail");
    const form = page.locator("#pause-1");
    await press(page, /^Pause…$/, false);
    await press(page, /^Pause…$/);
    await page.keyboard.press("Tab");
    await page.keyboard.type("the shard is slow");
    await press(page, /^Pause partition 1$/);
    await waitForOutcome(page, /^Paused partition 1 of topic mail/);
    const paused = await site.app.paused();
    assertEquals(paused.map(({ partition, why }) => [partition, why]), [[1, "the shard is slow"]]);
    assertEquals(await form.count(), 0);
    await press(page, /^Resume partition 1$/);
    await waitForOutcome(page, /^Resumed partition 1 of topic mail/);
    assertEquals([await site.app.paused(), problems], [[], []]);
  },
);

/** Moves the focus with the tab key to a link or a button with a name, and presses it. */
async function press(page: Page, name: RegExp, enter = true): Promise<void> {
  const passed: string[] = [];
  for (let count = 0; count < 200; count++) {
    await page.keyboard.press("Tab");
    const { text, isSeen } = await page.evaluate<{ text: string; isSeen: boolean }>(`(() => {
      const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
      const text = document.activeElement.innerText ?? "";
      return { text: text.trim(), isSeen: outlineStyle !== "none" && outlineWidth !== "0px" };
    })()`);
    passed.push(text);
    if (!name.test(text)) continue;
    assert(isSeen, `the focus on ${text} cannot be seen`);
    if (enter) await page.keyboard.press("Enter");
    return;
  }
  throw new Error(`The tab key does not reach ${name}, but ${passed.join(", ")}`);
}
