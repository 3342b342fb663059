/** The script of the pages in a real browser: what a refresh changes, what it leaves, and when it waits. */
import { assertEquals } from "@std/assert";
import type { Page } from "../../support/browser.ts";
import { type BrowserTest, browserTests } from "../../support/browser_tests.ts";

const inBrowser = await browserTests({ hostile: false });

/** Opens a page whose clock only moves as the test says, and counts its requests. */
async function openPage({ open }: BrowserTest, path: string) {
  const window = await open();
  const { page } = window;
  const nowMs = Date.now();
  // A clock that is only installed goes on by itself: it has a minute until it is stopped, before the page has a timer.
  await page.clock.install({ time: nowMs - 60_000 });
  await page.clock.pauseAt(nowMs);
  await page.goto(path);
  let requests = 0;
  page.on("request", () => requests++);
  return {
    page,
    problems: window.problems,
    requests: () => requests,
    /** Moves the clock by the time between two refreshes, and waits for the response. */
    async refresh() {
      const response = page.waitForResponse((response) => response.request().resourceType() === "fetch");
      await page.clock.runFor(5100);
      await (await response).finished();
    },
    [Symbol.asyncDispose]: () => window[Symbol.asyncDispose](),
  };
}

/** Hides the tab, as the script sees it. */
const HIDE = `Object.defineProperty(document, "hidden", { value: true });
  document.dispatchEvent(new Event("visibilitychange"));`;

/** The number of delayed jobs on the page of a topic. */
const delayedOn = (page: Page) => page.locator(".number", { hasText: "Delayed" }).locator("b");

inBrowser("a refresh changes what differs, and keeps the focus and the elements", async (test) => {
  await using the = await openPage(test, "/topics/reports");
  const { page } = the;
  const before = Number(await delayedOn(page).innerText());
  const link = page.locator("#partition-0 th a");
  await link.focus();
  await link.evaluate((element) => element.setAttribute("title", "removed by the refresh"));
  await page.evaluate("document.querySelector('#partition-0').marked = true");
  await test.site.enqueueLater();
  await the.refresh();
  await page.waitForFunction(`document.querySelector("#partition-0 th a").title === ""`);
  assertEquals(Number(await delayedOn(page).innerText()), before + 1);
  const kept = await page.evaluate("[document.querySelector('#partition-0').marked, document.activeElement.innerText]");
  assertEquals(kept, [true, "0"]);
  assertEquals(the.problems, []);
});

for (
  const [reason, change] of [
    ["text is selected", (page) => page.evaluate("getSelection().selectAllChildren(document.querySelector('h1'))")],
    ["a form is open", (page) => page.getByText("Pause this topic…").click()],
    ["the tab is hidden", (page) => page.evaluate(HIDE)],
    ["updates are paused", (page) => page.getByRole("button", { name: "Pause updates" }).click()],
  ] as readonly (readonly [string, (page: Page) => Promise<unknown>])[]
) {
  inBrowser(`no refresh happens while ${reason}`, async (test) => {
    await using the = await openPage(test, "/topics/reports");
    await change(the.page);
    await the.page.clock.runFor(30_000);
    assertEquals(the.requests(), 0);
  });
}

inBrowser("a refresh that fails says since when, and the next one goes on", async (test) => {
  await using the = await openPage(test, "/topics/reports");
  const { page } = the;
  await page.route("**/topics/reports", (route) => route.abort());
  await page.clock.runFor(5100);
  await page.getByText(/Not updated for \d+ s: the server does not respond/).waitFor();
  await page.unroute("**/topics/reports");
  const response = page.waitForResponse((response) => response.request().resourceType() === "fetch");
  await page.clock.runFor(10_100);
  assertEquals((await response).status(), 200);
  await page.getByText("Updates every 5 s").waitFor();
});
