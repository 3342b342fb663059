/**
 * Every page of the dashboard in a real browser: in both themes, on a desktop and at a phone's width, it has no error, no
 * request to another site, no violation that axe-core finds, and nothing wider than the window.
 */
import axe from "npm:axe-core@4.14.1";
import { assert, assertEquals } from "@std/assert";
import { PAGES as DASHBOARD_PAGES } from "../../../src/web/dashboard/pages/mod.ts";
import { Router } from "../../../src/web/dashboard/router.ts";
import type { Page } from "../../support/browser.ts";
import { browserTests } from "../../support/browser_tests.ts";
import { PAGES, READER } from "../../support/site.ts";

const inBrowser = await browserTests();

/** The result of axe-core. */
interface Violations {
  readonly violations: readonly { id: string; nodes: readonly { html: string; failureSummary?: string }[] }[];
}

/** The rules that depend on the theme. */
const COLOR_RULES = ["color-contrast", "link-in-text-block"];

/** Finds violations of the rules for accessible pages, with the elements that they are at: of all rules, or of some. */
async function findViolations(page: Page, rules: readonly string[] | null): Promise<string[]> {
  await page.evaluate(axe.source);
  const options = { resultTypes: ["violations"], preload: false, ...rules === null ? {} : { runOnly: rules } };
  const { violations } = await page.evaluate<Violations>(`axe.run(${JSON.stringify(options)})`);
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary}`)
  );
}

/** Returns whether nothing is wider than the window. */
async function fits(page: Page): Promise<boolean> {
  return await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth");
}

Deno.test("these tests open every page of the dashboard", () => {
  const router = new Router(DASHBOARD_PAGES);
  const opened = new Set(PAGES.map(([path]) => router.find(path.slice(1).split("?")[0]!)?.page));
  assertEquals(DASHBOARD_PAGES.filter((page) => !opened.has(page)).map(({ path }) => path), []);
});

for (const theme of ["light", "dark"] as const) {
  inBrowser(
    `each page in the ${theme} theme is accessible, has no error, and fits a desktop and a phone`,
    async ({ open }) => {
      await using window = await open({ theme });
      const { page, problems } = window;
      const found: string[] = [];
      for (const [path] of PAGES) {
        await page.setViewportSize({ width: 1280, height: 800 });
        await page.goto(path);
        found.push(
          ...(await findViolations(page, theme === "light" ? null : COLOR_RULES)).map((violation) =>
            `${path}: ${violation}`
          ),
        );
        if (!await fits(page)) found.push(`${path}: wider than a desktop`);
        await page.setViewportSize({ width: 360, height: 740 });
        if (!await fits(page)) found.push(`${path}: wider than a phone`);
        found.push(...problems.splice(0).map((problem) => `${path}: ${problem}`));
      }
      assertEquals(found, []);
    },
  );
}

/** The parts of a page that a hostile string may change. */
interface PageState {
  readonly hacked: unknown;
  readonly scripts: readonly string[];
  readonly handlers: number;
  readonly text: string;
}

inBrowser(
  "hostile names, errors, arguments and headers stay inert, and within a phone, on every page that shows them",
  async ({ site, open }) => {
    await using window = await open({ width: 360, headers: { "x-user": `${"u".repeat(100)}:operate` } });
    const { page, problems } = window;
    const [letter] = await site.app.deadLetters().list({ limit: 1 });
    const place = `dead_letters/${letter!.topic}/${letter!.partition}@${letter!.offset}`;
    const paths = ["/", "/dead_letters", "/dead_letters?handled=1", "/dead_letters/confirm?do=requeue&all=1"];
    let shown = 0;
    for (const path of [...paths, `/${place}`, `/${place}?payload=1`]) {
      const response = await page.goto(path);
      const body = await response!.text();
      // deno-lint-ignore no-control-regex
      assert(!/[\u0000-\u0008\u001b\u202a-\u202e\u2066-\u2069]/.test(body), `${path} has control characters`);
      const state = await page.evaluate<PageState>(`({
      hacked: globalThis.hacked,
      scripts: Array.from(document.scripts, ({ src }) => src.split("/").at(-1)),
      handlers: document.querySelectorAll("[onerror], [onclick], [onload], img").length,
      text: document.body.innerText,
    })`);
      assertEquals([state.hacked, state.scripts, state.handlers], [undefined, ["script.js"], 0], path);
      assert(await fits(page), `${path} is wider than a phone`);
      if (state.text.includes("<script>globalThis.hacked=1</script>")) shown++;
      assert(!state.text.includes("hunter2"), `${path} shows a password`);
    }
    assert(shown >= 3, `the hostile letter is shown on ${shown} pages`);
    assertEquals(problems, []);
  },
);

inBrowser(
  "a user who may only look sees no form that changes things, and is refused a POST",
  async ({ site, open }) => {
    await using window = await open({ headers: READER });
    const { page, problems } = window;
    for (const [path, picture] of PAGES) {
      if (picture === "confirm") continue;
      await page.goto(path);
      assertEquals(await page.locator("form[method=post]").count(), 0, path);
    }
    assertEquals(problems, []);
    const [letter] = await site.app.deadLetters().list({ limit: 1 });
    const form = new URLSearchParams({
      action: "requeue",
      at: `${letter!.topic}/${letter!.partition}@${letter!.offset}`,
    });
    const status = await page.evaluate<number>(
      `fetch("dead_letters/confirm", { method: "POST", body: new URLSearchParams("${form}") }).then(({ status }) => status)`,
    );
    assertEquals(status, 403);
    assertEquals((await site.app.deadLetters().show(letter!)).handled, null);
  },
);
