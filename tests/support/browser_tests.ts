/** Tests of a dashboard in a real browser: one browser for the tests of a file, and a shop for all of them or for each. */
import { findMissingChromium } from "../../tasks/chromium.ts";
import { type Browser, openWindow, startBrowser, type Window, type WindowOptions } from "./browser.ts";
import { OPERATOR, serveSite, type Site } from "./site.ts";

/** Options of {@linkcode browserTests}. */
export interface BrowserTestsOptions {
  /** Whether each test has a shop of its own. @default one for all tests of the file */
  readonly hasOwnSites?: boolean;
  /** Whether the shop has a dead letter of a hostile client. @default true */
  readonly hostile?: boolean;
  /** Whether the tests are left out, also where there is a browser. @default false */
  readonly ignore?: boolean;
}

/** The surroundings of one test. */
export interface BrowserTest {
  readonly site: Site;
  /** Opens a window at the site, of a user who may operate unless `headers` says otherwise. */
  open(options?: WindowOptions): Promise<Window>;
}

/** Declares one test. */
export type DeclareTest = (name: string, fn: (the: BrowserTest) => Promise<void>) => void;

/**
 * Starts a browser before the first test of a file, and ends it after the last one. The tests are left out where there is no
 * Chromium.
 */
export async function browserTests(options: BrowserTestsOptions = {}): Promise<DeclareTest> {
  const { hasOwnSites = false, hostile = true } = options;
  const ignore = options.ignore === true || await findMissingChromium() !== null;
  let browser: Browser;
  let shared: Site | null = null;
  if (!ignore) {
    Deno.test.beforeAll(async () => {
      [browser, shared] = await Promise.all([startBrowser(), hasOwnSites ? null : serveSite({ hostile })]);
    });
    Deno.test.afterAll(async () => {
      await browser.close();
      await shared?.[Symbol.asyncDispose]();
    });
  }
  return (name, fn) =>
    Deno.test({
      name,
      ignore,
      // The connection of the browser lives from the first to the last test.
      sanitizeOps: false,
      sanitizeResources: false,
      async fn() {
        await using own = hasOwnSites ? await serveSite({ hostile }) : null;
        const site = own ?? shared!;
        await fn({ site, open: (window = {}) => openWindow(browser, site.url, { headers: OPERATOR, ...window }) });
      },
    });
}
