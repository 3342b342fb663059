/**
 * `UPDATE_SCREENSHOTS=1` writes a picture of each page into `docs/screenshots`: of a shop with a worker whose jobs fail. It is
 * left out otherwise.
 */
import { assert } from "@std/assert";
import { root } from "../../../tasks/process.ts";
import type { Page } from "../../support/browser.ts";
import { browserTests } from "../../support/browser_tests.ts";
import { PAGES } from "../../support/site.ts";
import { until } from "../../support/until.ts";

const isWanted = Deno.env.get("UPDATE_SCREENSHOTS") === "1";

/** The largest picture, in bytes. */
const MAX_BYTES = 60 * 1024;
/** The width, in pixels. */
const WIDTH = 860;

const inBrowser = await browserTests({ hostile: false, ignore: !isWanted });

inBrowser("each page has a small picture in docs/screenshots", async ({ site, open }) => {
  const stop = new AbortController();
  const running = site.app.worker({ topics: ["mail", "orders"] }).run(stop.signal);
  try {
    await until(async () => (await site.app.workers()).length > 0 || null, () => "no worker reports");
    await using window = await open({ width: WIDTH });
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
  }
});

/** Takes a picture of the top of a page: as much of it as fits into the limit. */
async function takePicture(page: Page): Promise<Uint8Array> {
  for (let height = 560;; height -= 40) {
    await page.setViewportSize({ width: WIDTH, height });
    const bytes = await page.screenshot();
    if (bytes.length <= MAX_BYTES || height < 200) return bytes;
  }
}
