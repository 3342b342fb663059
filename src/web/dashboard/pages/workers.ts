/** The workers by their reports: those that are gone first, then the oldest. */
import type { App } from "../../../app/app.ts";
import type { ReportedWorker } from "../../../reports/reported_worker.ts";
import { type FleetSummary, summarizeFleet } from "../fleet.ts";
import { clip, formatCount } from "../format.ts";
import { type Html, html } from "../html.ts";
import { workerPath } from "../links.ts";
import type { Page, PageContext } from "../page.ts";
import { pageOf } from "../paging.ts";
import { renderCount, renderEmpty, renderNumber, renderState, renderTable, renderTime } from "../parts.ts";

/** The data of the page. */
export interface WorkersData {
  /** The workers in numbers. */
  readonly summary: FleetSummary;
  /** The workers, as `app.workers()` returns them: those that are gone first. */
  readonly workers: readonly ReportedWorker[];
}

const PAGE_SIZE = 100;

/** The page. */
export const workers: Page<WorkersData> = {
  path: "workers",
  nav: "Workers",
  title: () => "Workers",
  async load(app: App) {
    const workers = await app.workers();
    const sorted = workers.toSorted((a, b) =>
      Number(b.state === "gone") - Number(a.state === "gone") || a.startedAtMs - b.startedAtMs || (a.id < b.id ? -1 : 1)
    );
    return { summary: summarizeFleet(workers), workers: sorted };
  },
  render: renderWorkers,
};

function renderWorkers({ summary, workers }: WorkersData, context: PageContext): Html {
  const { query, url } = context;
  if (workers.length === 0) {
    return html`<div data-refresh="5">${
      renderEmpty("No worker reports. Start one, or look whether the App has the option reports: false.")
    }</div>`;
  }
  const { items, pager } = pageOf("Pages of workers", workers, PAGE_SIZE, query, (page) => url("workers", { page }));
  return html`<div data-refresh="5"><dl class="numbers">
${renderNumber("Workers", formatCount(summary.alive), "report now", summary.alive === 0 ? "bad" : "ok")}
${
    renderNumber(
      "Slots",
      formatCount(summary.slots),
      `${formatCount(summary.running)} busy`,
      summary.slots > 0 && summary.running >= summary.slots ? "warn" : "ok",
    )
  }
${renderNumber("Gone", formatCount(summary.gone), "ended without saying so", summary.gone > 0 ? "warn" : "ok")}
</dl>
${
    renderTable(
      "Workers",
      [
        { name: "Worker" },
        { name: "State" },
        { name: "Busy", isNumber: true },
        { name: "Partitions", isNumber: true },
        { name: "Failing", isNumber: true },
        { name: "Stuck", isNumber: true },
        { name: "Started" },
        { name: "Last report" },
        { name: "Version" },
      ],
      items.map((worker) => renderWorker(worker, context)),
      { isCaptionHidden: true },
    )
  }${pager}</div>`;
}

function renderWorker(worker: ReportedWorker, { url, nowMs }: PageContext): Html {
  const { id, host, pid, state, status, totals, startedAtMs, writtenAtMs, version, runtime } = worker;
  return html`
    <tr id="worker-${id}">
      <th scope="row"><a href="${url(workerPath(id))}">${clip(
        host,
        40,
      )}</a> <span class="soft">${pid}</span></th>
      <td>${renderState(status.failure === null ? state : "failed")}</td>
      <td class="n">${formatCount(totals.running)} <span class="soft">of ${formatCount(status.concurrency)}</span></td>
      <td class="n">${renderCount(totals.partitions)}</td>
      <td class="n">${renderCount(totals.retrying)}</td>
      <td class="n">${renderCount(totals.stuck)}</td>
      <td>${renderTime(startedAtMs, nowMs)}</td>
      <td>${renderTime(writtenAtMs, nowMs)}</td>
      <td>${clip(version, 30)} <span class="soft">${clip(runtime, 30)}</span></td>
    </tr>
  `;
}
