/** The table of jobs that run, the longest first. Pure. */
import { renderCancelForm } from "./cancel_form.ts";
import type { RunningOnWorker } from "./fleet.ts";
import { clip, formatRunTime } from "./format.ts";
import { type Html, html } from "./html.ts";
import { workerPath } from "./links.ts";
import type { PageContext } from "./page.ts";
import { NONE, renderName, renderState, renderTable } from "./parts.ts";

const COLUMNS = [
  { name: "Job" },
  { name: "Class" },
  { name: "Record" },
  { name: "Runs for", isNumber: true },
  { name: "Limit", isNumber: true },
  { name: "Worker" },
];

/**
 * Renders the table.
 *
 * @param canCancel whether the App takes orders, so that a user with the access to operate can cancel a job
 */
export function renderRunningTable(
  running: readonly RunningOnWorker[],
  canCancel: boolean,
  context: PageContext,
): Html {
  const isAllowed = canCancel && context.access === "operate";
  const columns = isAllowed ? [...COLUMNS, { name: "Action" }] : COLUMNS;
  const rows = running.map((job) => renderJob(job, isAllowed, context));
  return renderTable("Jobs that run, the longest first", columns, rows, { isCaptionHidden: true });
}

function renderJob(job: RunningOnWorker, isAllowed: boolean, { url, path }: PageContext): Html {
  const { jobId, jobClass, topic, partition, offset, runningMs, timeoutMs, worker } = job;
  const isOverdue = timeoutMs !== null && runningMs > timeoutMs;
  return html`
    <tr>
      <th scope="row">${clip(jobId, 40)}</th>
      <td>${renderName(jobClass)}</td>
      <td>${clip(`${topic}/${partition}@${offset}`, 80)}</td>
      <td class="n">${isOverdue && renderState("overdue")} ${formatRunTime(runningMs)}</td>
      <td class="n">${timeoutMs === null ? NONE : formatRunTime(timeoutMs)}</td>
      <td><a href="${url(workerPath(worker))}">${clip(worker, 50)}</a></td>
      ${isAllowed &&
        html`<td class="actions">${
          renderCancelForm({ jobId, place: `${partition}-${offset}`, action: url(path, { job: jobId }) })
        }</td>`}
    </tr>
  `;
}
