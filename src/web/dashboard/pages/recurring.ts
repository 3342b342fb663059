/** The recurring jobs with their next and last ticks, each of which can be enqueued now. */
import type { App } from "../../../app/app.ts";
import type { RecurringJob } from "../../../scheduler/recurring/list_recurring.ts";
import { clip } from "../format.ts";
import { createFormId, FORM_ID } from "../form_ids.ts";
import { type Html, html } from "../html.ts";
import { describeMissingTopic } from "../missing_topic.ts";
import { type Action, type Page, type PageContext, PageError } from "../page.ts";
import { renderDueTime, renderEmpty, renderName, renderTable, renderTime } from "../parts.ts";

/** The data of the page. */
export interface RecurringData {
  /** The recurring jobs, in the order of their declaration, as `app.recurring()` returns them. */
  readonly jobs: readonly RecurringJob[];
  /** The id of the forms of this page. */
  readonly formId: string;
  /** The reason why nothing could be read; `null` if it could. */
  readonly problem: string | null;
}

const run: Action = {
  name: "run",
  async perform(app, { query }) {
    const id = query.get("id") ?? "";
    if (id === "") throw new PageError(400, "The form names no recurring job");
    const target = clip(id, 100);
    const { jobId } = await app.runRecurring(id);
    return { outcome: "done", target, message: `Enqueued ${target} now, as job ${jobId}` };
  },
};

/** The page. */
export const recurring: Page<RecurringData> = {
  path: "recurring",
  nav: "Recurring",
  title: () => "Recurring jobs",
  load: loadRecurring,
  render: renderRecurring,
  actions: [run],
};

async function loadRecurring(app: App): Promise<RecurringData> {
  const formId = createFormId();
  try {
    return { jobs: await app.recurring(), formId, problem: null };
  } catch (error) {
    const problem = describeMissingTopic(error);
    if (problem === null) throw error;
    return { jobs: [], formId, problem };
  }
}

function renderRecurring({ jobs, formId, problem }: RecurringData, context: PageContext): Html {
  if (problem !== null) return html`<p class="notes">${problem}</p>`;
  if (jobs.length === 0) return renderEmpty("The App declares no recurring jobs.");
  const table = renderTable(
    "Recurring jobs",
    [...COLUMNS, ...context.access === "operate" ? [{ name: "Action" }] : []],
    jobs.map((job) => renderJob(job, formId, context)),
    { isCaptionHidden: true },
  );
  return html`<div data-refresh="5">${table}</div>`;
}

const COLUMNS = [
  { name: "Id" },
  { name: "Class" },
  { name: "Schedule" },
  { name: "Next" },
  { name: "Last" },
  { name: "Last job" },
];

function renderJob(job: RecurringJob, formId: string, { url, nowMs, access }: PageContext): Html {
  const { id, jobClass, schedule, timeZone, nextAtMs, lastAtMs, lastJobId } = job;
  return html`
    <tr id="recurring-${id}">
      <th scope="row">${clip(id, 80)}</th>
      <td>${renderName(jobClass)}</td>
      <td>${clip(schedule, 100)} <span class="soft">${timeZone}</span></td>
      <td>${renderDueTime(nextAtMs, nowMs)}</td>
      <td>${renderTime(lastAtMs, nowMs)}</td>
      <td>${lastJobId !== null && clip(lastJobId, 80)}</td>
      ${access === "operate" && renderRun(id, formId, url("recurring", { id }))}
    </tr>
  `;
}

function renderRun(id: string, formId: string, action: string): Html {
  return html`
    <td class="actions">
      <details class="ask" id="run-${id}">
        <summary>Run now…</summary>
        <form method="post" action="${action}" data-once>
          <p>A job is enqueued now, with an id of its own. The next tick stays as it is.</p>
          <input type="hidden" name="${FORM_ID}" value="${formId}/${id}">
          <button name="action" value="run">Run ${clip(id, 60)} now</button>
        </form>
      </details>
    </td>
  `;
}
