/** A real browser for tests: Debian's Chromium, driven by Playwright. */
import type { Browser, BrowserContext, Page } from "npm:playwright-core@1.65.1";
import { findChromium } from "../../tasks/chromium.ts";

export type { Browser, BrowserContext, Page };

/** The longest wait for an element or a page, in milliseconds. Only a test that fails takes so long. */
const LIMIT_MS = 60_000;

/** Options of a window. */
export interface WindowOptions {
  /** The theme. @default "light" */
  readonly theme?: "light" | "dark";
  /** Whether scripts run. @default true */
  readonly javaScript?: boolean;
  /** The width, in pixels. @default 1280 */
  readonly width?: number;
  /** Headers that every request has. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A window of a browser, with everything that went wrong in it. */
export interface Window extends AsyncDisposable {
  readonly page: Page;
  /** Errors of scripts and of the policy, failed requests, and requests to other sites. A test expects none. */
  readonly problems: string[];
}

/** Starts a browser. @throws {Error} if this machine has none */
export async function startBrowser(): Promise<Browser> {
  const executablePath = await findChromium();
  if (executablePath === null) throw new Error("There is no Chromium");
  const { chromium } = await import("npm:playwright-core@1.65.1");
  // A container runs as root, where the sandbox cannot be had. Every page that it opens is our own.
  return await chromium.launch({
    executablePath,
    timeout: LIMIT_MS,
    args: ["--no-sandbox", "--font-render-hinting=none", "--disable-lcd-text"],
  });
}

/**
 * Opens a window without cookies.
 *
 * @param site the origin of the only site that it may use
 */
export async function openWindow(browser: Browser, site: string, options: WindowOptions = {}): Promise<Window> {
  const { theme = "light", javaScript = true, width = 1280, headers = {} } = options;
  const context = await browser.newContext({
    baseURL: site,
    colorScheme: theme,
    javaScriptEnabled: javaScript,
    viewport: { width, height: 800 },
    extraHTTPHeaders: { ...headers },
    locale: "en",
    timezoneId: "UTC",
    reducedMotion: "reduce",
  });
  context.setDefaultTimeout(LIMIT_MS);
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") problems.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => problems.push(`script: ${error.message}`));
  page.on("dialog", (dialog) => {
    problems.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${site}/`) && !url.startsWith("data:")) problems.push(`request: ${url}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) problems.push(`${response.status()}: ${response.url()}`);
  });
  return { page, problems, [Symbol.asyncDispose]: () => context.close() };
}
