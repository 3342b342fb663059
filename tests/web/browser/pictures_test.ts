/**
 * `UPDATE_SCREENSHOTS=1` writes a picture of each page into `docs/screenshots`: of a shop with a worker whose jobs fail. It is
 * left out otherwise.
 */
import { assert } from "@std/assert";
import { findMissingChromium } from "../../../tasks/chromium.ts";
import { root } from "../../../tasks/process.ts";
import { openWindow, type Page, startBrowser } from "../../support/browser.ts";
import { OPERATOR, PAGES, serveSite } from "../../support/site.ts";
import { until } from "../../support/until.ts";

const isWanted = Deno.env.get("UPDATE_SCREENSHOTS") === "1";

/** The largest picture, in bytes. */
const MAX_BYTES = 60 * 1024;
/** The width, in pixels. */
const WIDTH = 860;

Deno.test({
  name: "each page has a small picture in docs/screenshots",
  ignore: !isWanted || await findMissingChromium() !== null,
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    await using site = await serveSite({ hostile: false });
    const stop = new AbortController();
    const running = site.app.worker({ topics: ["mail", "orders"] }).run(stop.signal);
    await until(async () => (await site.app.workers()).length > 0 || null, () => "no worker reports");
    const browser = await startBrowser();
    try {
      await using window = await openWindow(browser, site.url, { width: WIDTH, headers: OPERATOR });
      const { page } = window;
      const folder = new URL("docs/screenshots/", root);
      await Deno.mkdir(folder, { recursive: true });
      for (const [path, name] of PAGES) {
        await page.goto(path);
        const bytes = await takePicture(page);
        await Deno.writeFile(new URL(`${name}.png`, folder), bytes);
        assert(bytes.length <= MAX_BYTES, `The picture ${name} has ${bytes.length} bytes`);
      }
    } finally {
      stop.abort();
      await running;
      await browser.close();
    }
  },
});

/** Takes a picture of the top of a page: as much of it as fits into the limit. */
async function takePicture(page: Page): Promise<Uint8Array> {
  for (let height = 560;; height -= 40) {
    await page.setViewportSize({ width: WIDTH, height });
    const bytes = await page.screenshot();
    if (bytes.length <= MAX_BYTES || height < 200) return bytes;
  }
}
