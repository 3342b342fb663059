/** One worker: its state, its partitions, what runs, and what fails. */
import type { App } from "../../../app/app.ts";
import type { ReportedWorker } from "../../../reports/reported_worker.ts";
import type { PartitionStatus } from "../../../worker/status.ts";
import { CANCEL_ACTION } from "../cancel_form.ts";
import { renderHour } from "../charts.ts";
import { addUpHours, addUpTopics, listRunning } from "../fleet.ts";
import { clip, formatCount } from "../format.ts";
import { type Html, html } from "../html.ts";
import { type Page, type PageContext, PageError, type PageRequest } from "../page.ts";
import {
  NONE,
  renderAge,
  renderCount,
  renderEmpty,
  renderError,
  renderFact,
  renderState,
  renderTable,
  renderTime,
} from "../parts.ts";
import { renderRunningTable } from "../running_table.ts";

/** The data of the page. */
export interface WorkerData {
  /** The worker, as `app.workers()` returns it. */
  readonly worker: ReportedWorker;
  /** Whether an operator can cancel jobs of this App. */
  readonly canCancel: boolean;
}

/** The page. */
export const worker: Page<WorkerData> = {
  path: "workers/:id",
  nav: null,
  title: ({ worker }) => `Worker ${clip(worker.host, 60)} ${worker.pid}`,
  async load(app: App, { params }: PageRequest) {
    const worker = (await app.workers()).find(({ id }) => id === params.id);
    if (worker === undefined) {
      throw new PageError(404, `No worker ${clip(params.id!, 200)} reports: it was stopped, or has been gone for long`);
    }
    return { worker, canCancel: app.canControl };
  },
  render: renderWorker,
  actions: [CANCEL_ACTION],
};

function renderWorker({ worker, canCancel }: WorkerData, context: PageContext): Html {
  const { nowMs } = context;
  const { id, state, status, totals, startedAtMs, writtenAtMs, version, runtime } = worker;
  const { failure, groups, concurrency } = status;
  // It is shown also where the worker is gone: that is what it did last.
  const running = listRunning([{ ...worker, state: "running" }]);
  const partitions = groups.flatMap((group) => group.partitions);
  const hidden = totals.partitions - partitions.length;
  return html`<div data-refresh="5">
${
    failure !== null &&
    html`<p class="verdict bad">${renderState("failed")} ${renderError(failure.errorClass, failure.message, 600)}</p>`
  }
${
    state === "gone" && html`
      <p
        class="verdict bad">${renderState(
          "gone",
        )} It does not report any more. Its partitions move to other workers once its session has expired.</p>
    `
  }
<dl class="facts">
${renderFact("State", renderState(state))}
${renderFact("Last report", renderTime(writtenAtMs, nowMs))}
${renderFact("Started", renderTime(startedAtMs, nowMs))}
${renderFact("Busy", `${formatCount(totals.running)} of ${formatCount(concurrency)} slots`)}
${renderFact("Version", `${clip(version, 60)}, ${clip(runtime, 60)}`)}
${renderFact("Id", html`<code>${clip(id, 200)}</code>`)}
</dl>
${
    groups.map(({ group, isJoined, isSessionValid }) =>
      (!isJoined || !isSessionValid) && state !== "gone" &&
      html`<p class="notes">Group ${clip(group, 80)}: ${
        isJoined ? "its session may have expired, so that no job starts" : "it has not joined yet"
      }.</p>`
    )
  }
${renderHour(addUpTopics(addUpHours([worker], nowMs).values()))}
<section aria-labelledby="running"><h2 id="running">Running</h2>${
    running.length === 0
      ? renderEmpty("No job runs.")
      : renderRunningTable(running, canCancel && state !== "gone", context)
  }</section>
<section aria-labelledby="partitions"><h2 id="partitions">Partitions</h2>${
    partitions.length === 0 ? renderEmpty("It owns none.") : renderTable(
      "Partitions of the worker",
      [{ name: "Partition" }, { name: "State" }, { name: "Waiting", isNumber: true }, {
        name: "Oldest",
        isNumber: true,
      }, {
        name: "Running",
        isNumber: true,
      }, { name: "Error" }],
      partitions.map(renderPartition),
      { isCaptionHidden: true },
    )
  }${hidden > 0 && html`<p class="soft">and ${formatCount(hidden)} more</p>`}</section>
</div>`;
}

function renderPartition({ topic, partition, stuck, retrying, lag, oldestAgeMs, running }: PartitionStatus): Html {
  const failing = stuck[0] ?? retrying[0];
  const state = stuck.length > 0 ? "stuck" : retrying.length > 0 ? "retrying" : "ok";
  return html`
    <tr>
      <th scope="row">${clip(`${topic}/${partition}`, 80)}</th>
      <td>${renderState(state)}</td>
      <td class="n">${renderCount(lag)}</td>
      <td class="n">${renderAge(oldestAgeMs)}</td>
      <td class="n">${renderCount(running.length)}</td>
      <td>${failing === undefined ? NONE : renderError(failing.error.errorClass, failing.error.message, 160)}</td>
    </tr>
  `;
}
