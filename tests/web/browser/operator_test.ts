/** An operator in front of a real browser: from the first screen to the requeued job, by click, by keyboard, without scripts. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { findMissingChromium } from "../../../tasks/chromium.ts";
import { type Browser, openWindow, type Page, startBrowser } from "../../support/browser.ts";
import { OPERATOR, serveSite } from "../../support/site.ts";

const missing = await findMissingChromium();
let browser: Browser;

function inBrowser(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, ignore: missing !== null, sanitizeOps: false, sanitizeResources: false });
}

if (missing === null) {
  Deno.test.beforeAll(async () => void (browser = await startBrowser()));
  Deno.test.afterAll(() => browser.close());
}

/** The text of the outcome that a page shows. */
const outcomeOf = (page: Page) => page.locator(".outcome").innerText();

for (const javaScript of [true, false]) {
  inBrowser(
    `a click requeues dead letters, and a worker performs their jobs ${javaScript ? "" : "(JavaScript off)"}`,
    async () => {
      await using site = await serveSite();
      await using window = await openWindow(browser, site.url, { javaScript, headers: OPERATOR });
      const { page, problems } = window;
      await page.goto("/");
      await page.getByRole("navigation").getByRole("link", { name: "Dead letters" }).click();
      await page.getByRole("textbox", { name: "Class" }).fill("ChargeJob");
      await page.getByRole("button", { name: "Filter" }).click();
      await page.getByRole("link", { name: "requeue…", exact: true }).click();
      await page.getByRole("heading", { level: 1, name: "Requeue 3 dead letters?" }).waitFor();
      await page.getByRole("button", { name: "Requeue 3 dead letters" }).click();
      assertMatch(await outcomeOf(page), /^Requeued 3 dead letters/);
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

inBrowser("the keyboard alone leads from the first screen to the requeued job, at a phone's width", async () => {
  await using site = await serveSite();
  await using window = await openWindow(browser, site.url, { width: 360, headers: OPERATOR });
  const { page, problems } = window;
  await page.goto("/");
  await press(page, /^Skip to the content$/, false);
  await press(page, /^Dead letters$/);
  await page.waitForURL(/dead_letters/);
  await press(page, /^requeue…$/);
  await page.waitForURL(/confirm/);
  await press(page, /^Requeue \d+ dead letters$/);
  assertMatch(await outcomeOf(page), /^Requeued \d+ dead letters/);
  const acted = (await site.app.deadLetters().list({ limit: 100 })).filter(({ handled }) => handled !== null);
  assert(acted.length >= 9, `${acted.length} dead letters are handled`);
  assertEquals(new Set(acted.map(({ handled }) => handled!.by)), new Set(["ada"]));
  assertEquals(problems, []);
});

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
