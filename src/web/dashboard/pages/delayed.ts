/** The delayed jobs, soonest first, each of which can be cancelled. */
import type { App } from "../../../app/app.ts";
import type { ScheduledJob, ScheduledOptions } from "../../../scheduler/list_scheduled.ts";
import { recurringIdOf } from "../../../scheduler/recurring/tick_record.ts";
import { clip } from "../format.ts";
import { type Html, html } from "../html.ts";
import { describeMissingTopic } from "../missing_topic.ts";
import { type Page, type PageContext, PageError, type PageRequest } from "../page.ts";
import { renderDueTime, renderEmpty, renderExactTime, renderName, renderPager, renderTable } from "../parts.ts";

/** The data of the page. */
export interface DelayedData {
  /** The jobs, soonest first: at most 50. */
  readonly jobs: readonly ScheduledJob[];
  /** The place after which the next page begins; `null` on the last one. */
  readonly next: string | null;
  /** Whether the list begins at the first job. */
  readonly isFirst: boolean;
  /** Whether so many jobs wait that only a part of them was read: sooner ones may be missing. */
  readonly isPartial: boolean;
  /** The reason why nothing could be read; `null` if it could. */
  readonly problem: string | null;
}

const PAGE_SIZE = 50;
/** Most records that are read for a page: about a second. */
export const MAX_RECORDS = 100_000;

/** The page. */
export const delayed: Page<DelayedData> = {
  path: "delayed",
  nav: "Delayed",
  title: () => "Delayed jobs",
  load: loadDelayed,
  render: renderDelayed,
  actions: [{
    name: "cancel",
    async perform(app, { query }) {
      // It is in the URL: in a field, a character that is not seen would change.
      const jobId = query.get("job") ?? "";
      if (jobId === "") throw new PageError(400, "The form names no job");
      await app.cancelScheduled(jobId);
      return {
        outcome: "done",
        target: clip(jobId, 100),
        message: `Cancelled job ${clip(jobId, 100)}, unless it was released just now`,
      };
    },
  }],
};

async function loadDelayed(app: App, { query, signal }: PageRequest): Promise<DelayedData> {
  const after = readAfter(query.get("after"));
  let isPartial = false;
  try {
    const found = await app.scheduled({
      limit: PAGE_SIZE + 1,
      maxRecords: MAX_RECORDS,
      onPartial: () => isPartial = true,
      signal,
      ...after === null ? {} : { after },
    });
    const jobs = found.slice(0, PAGE_SIZE);
    const last = jobs.at(-1);
    return {
      jobs,
      next: found.length > PAGE_SIZE && last !== undefined
        ? `${last.scheduledAt.getTime()}-${last.partition}-${last.offset}`
        : null,
      isFirst: after === null,
      isPartial,
      problem: null,
    };
  } catch (error) {
    const problem = describeMissingTopic(error);
    if (problem === null) throw error;
    return { jobs: [], next: null, isFirst: true, isPartial, problem };
  }
}

function readAfter(text: string | null): NonNullable<ScheduledOptions["after"]> | null {
  const [, timeMs, partition, offset] = /^(\d{1,15})-(\d{1,9})-(\d{1,15})$/.exec(text ?? "") ?? [];
  return timeMs === undefined
    ? null
    : { scheduledAt: new Date(Number(timeMs)), partition: Number(partition), offset: Number(offset) };
}

function renderDelayed(data: DelayedData, context: PageContext): Html {
  const { problem, isPartial } = data;
  if (problem !== null) return html`<p class="notes">${problem}</p>`;
  const note = isPartial &&
    html`<p class="notes">So many jobs wait that only a part of them was read: sooner ones may be missing.</p>`;
  return html`${note}${renderJobs(data, context)}`;
}

function renderJobs({ jobs, next, isFirst }: DelayedData, context: PageContext): Html {
  const { url, access } = context;
  if (jobs.length === 0) {
    return renderEmpty(
      isFirst ? "No job waits for its time." : html`No more. <a href="${url("delayed")}">The first ones</a>`,
    );
  }
  return html`<div data-refresh="5">${
    renderTable(
      "Delayed jobs, soonest first",
      [
        { name: "Due" },
        { name: "At" },
        { name: "Class" },
        { name: "Job id" },
        { name: "Topic" },
        ...access === "operate" ? [{ name: "Action" }] : [],
      ],
      jobs.map((job) => renderJob(job, context)),
      { isCaptionHidden: true },
    )
  }${
    (!isFirst || next !== null) && renderPager("Pages of delayed jobs", {
      previous: isFirst ? null : url("delayed"),
      next: next === null ? null : url("delayed", { after: next }),
      note: isFirst ? "the first ones" : "later ones; Previous goes to the first ones",
    })
  }</div>`;
}

function renderJob(job: ScheduledJob, { url, nowMs, access }: PageContext): Html {
  const { jobId, jobClass, queue, scheduledAt, partition, offset } = job;
  const dueAtMs = scheduledAt.getTime();
  const isTick = recurringIdOf(jobId) !== null;
  return html`
    <tr id="job-${partition}-${offset}">
      <td>${renderDueTime(dueAtMs, nowMs)}</td>
      <td>${renderExactTime(dueAtMs)}</td>
      <td>${renderName(jobClass, "unreadable")}</td>
      <th scope="row">${clip(jobId, 60)}</th>
      <td>${clip(queue, 60)}</td>
      ${access === "operate" &&
        (isTick ? renderTick(url("recurring")) : renderCancel(job, url("delayed", { job: jobId })))}
    </tr>
  `;
}

function renderTick(link: string): Html {
  return html`<td>the next tick of a <a href="${link}">recurring job</a></td>`;
}

function renderCancel({ jobId, partition, offset }: ScheduledJob, action: string): Html {
  return html`
    <td class="actions">
      <details class="ask" id="cancel-${partition}-${offset}">
        <summary>Cancel…</summary>
        <form method="post" action="${action}" data-once>
          <p>It is not performed. This cannot be undone.</p>
          <button name="action" value="cancel">Cancel job ${clip(jobId, 40)}</button>
        </form>
      </details>
    </td>
  `;
}
