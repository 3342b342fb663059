/**
 * Charts as inline SVG, which a page of any width shows without a script. Colours come from the style sheet by class: the policy
 * of the page allows no style attribute. Each chart has a title and a description for a screen reader. Pure.
 */
import { countOf, formatCount } from "./format.ts";
import { type Html, html } from "./html.ts";

/** The work of an hour: a number for each minute, oldest first. */
export interface Hour {
  /** Jobs that were performed. */
  readonly done: readonly number[];
  /** Runs that failed. */
  readonly failed: readonly number[];
}

const BAR_WIDTH = 10;
const GAP = 2;
const DONE_HEIGHT = 90;
const FAILED_HEIGHT = 40;

/** Renders the section of a page with the chart of the last hour. */
export function renderHour(hour: Hour): Html {
  return html`
    <section aria-labelledby="hour-heading">
      <h2 id="hour-heading">The last hour</h2>
      ${drawHour(hour)}
    </section>
  `;
}

/**
 * Draws the jobs of each minute: those that were done upwards, the runs that failed downwards, so that the two differ without
 * colour, too. The part of the failed ones is drawn larger while they are less than a tenth.
 */
function drawHour({ done, failed }: Hour): Html {
  const most = Math.max(1, ...done, ...failed);
  const width = done.length * BAR_WIDTH;
  const scaled = (counts: readonly number[], height: number) => barsPath(counts, most, height);
  const [doneTotal, failedTotal] = [sum(done), sum(failed)];
  const height = DONE_HEIGHT + FAILED_HEIGHT;
  return html`
    <figure class="chart" id="hour">
      <figcaption><span class="key key-done">${countOf(
        doneTotal,
        "job",
      )} done</span> <span class="key key-failed">${countOf(
        failedTotal,
        "run",
      )} failed</span> <span class="soft">in the last hour; at most ${formatCount(
        Math.max(...done, 0),
      )} done a minute</span>
      </figcaption>
      <svg viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" role="img" aria-labelledby="hour-title">
        <title id="hour-title">${describeHour(doneTotal, failedTotal, done, failed)}</title>
        <path class="bars-done" d="${scaled(done, DONE_HEIGHT)}" />
        <path class="axis" d="M0 ${DONE_HEIGHT}H${width}" />
        <path class="bars-failed" transform="translate(0 ${DONE_HEIGHT}) scale(1 -1) translate(0 -${FAILED_HEIGHT})"
          d="${barsPath(failed, Math.max(1, ...failed, most / 10), FAILED_HEIGHT)}" />
      </svg>
      <div class="scale soft"><span>60 min ago</span><span>30</span><span>now</span></div>
    </figure>
  `;
}

/** Draws a small line of the jobs that were done in each minute, for a cell of a table. It is hidden from a screen reader. */
export function drawSparkline(counts: readonly number[]): Html {
  const most = Math.max(1, ...counts);
  const points = counts.map((count, at) => `${at * 2} ${round(20 - (count / most) * 18)}`);
  const end = (counts.length - 1) * 2;
  return html`
    <svg class="spark" viewBox="0 0 ${Math.max(2, end)} 21" preserveAspectRatio="none" aria-hidden="true">
      <path d="M${points.join("L")}" />
    </svg>
  `;
}

/**
 * Returns the path of bars that begin at the bottom of a box.
 *
 * @param most the count of a bar of full height
 * @param height the height of the box
 */
export function barsPath(counts: readonly number[], most: number, height: number): string {
  let path = "";
  for (const [at, count] of counts.entries()) {
    if (count <= 0) continue;
    // A single job among thousands is still seen.
    const bar = Math.max(1.5, round((Math.min(count, most) / most) * height));
    path += `M${at * BAR_WIDTH + GAP / 2} ${round(height - bar)}h${BAR_WIDTH - GAP}V${height}h-${BAR_WIDTH - GAP}z`;
  }
  return path;
}

function describeHour(
  doneTotal: number,
  failedTotal: number,
  done: readonly number[],
  failed: readonly number[],
): string {
  const worst = failed.indexOf(Math.max(...failed, 0));
  const when = failedTotal === 0 ? "" : `, most of them ${countOf(failed.length - 1 - worst, "minute")} ago`;
  return `Jobs in the last hour: ${formatCount(doneTotal)} done, at most ${
    formatCount(Math.max(...done, 0))
  } a minute; ${countOf(failedTotal, "run")} failed${when}`;
}

/** Adds up numbers. */
export function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
