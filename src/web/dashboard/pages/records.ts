/** The records of a topic: any place of its log, by offset or by time. The payload is shown on the page of a record. */
import type { App } from "../../../app/app.ts";
import { clip, countOf, formatBytes, formatCount } from "../format.ts";
import { type Html, html } from "../html.ts";
import { recordPath, recordsPath, topicPath } from "../links.ts";
import { findOrFail } from "../missing_topic.ts";
import { type Page, type PageContext, PageError, type PageRequest } from "../page.ts";
import { renderEmpty, renderName, renderPager, renderTable, renderTime, toIso } from "../parts.ts";
import { type RecordRow, toRow } from "../record_rows.ts";

/** The data of the page. */
export interface RecordsData {
  /** The queue. */
  readonly queue: string;
  /** The number of the partition. */
  readonly partition: number;
  /** The number of partitions of the topic. */
  readonly partitions: number;
  /** The offset of the first record of the log. */
  readonly low: number;
  /** The offset that the next record will get. */
  readonly high: number;
  /** The committed offset of the consumer group; `null` for none. */
  readonly committed: number | null;
  /** The offset at which the page begins. */
  readonly from: number;
  /** The time that was asked for, in ms since 1970; `null` for an offset. */
  readonly timeMs: number | null;
  /** The records, in the order of the log: at most 50. */
  readonly records: readonly RecordRow[];
}

const PAGE_SIZE = 50;

/** The page. */
export const records: Page<RecordsData> = {
  path: "topics/:queue/records",
  nav: null,
  title: ({ queue, partition }) => `Records of ${clip(queue, 80)}, partition ${partition}`,
  load: loadRecords,
  render: renderRecords,
};

async function loadRecords(app: App, { params, query, signal }: PageRequest): Promise<RecordsData> {
  const partition = readNumber(query.get("partition"), "partition") ?? 0;
  const offset = readNumber(query.get("from"), "offset");
  const timeMs = offset === null ? readTime(query.get("time")) : null;
  const from = offset ?? (timeMs === null ? null : { timeMs });
  const queue = params.queue!;
  const page = await findOrFail(() =>
    app.readLog(queue, { partition, ...(from === null ? {} : { from }), limit: PAGE_SIZE, values: true, signal })
  );
  const { partitions, low, high, committed, records } = page;
  return { queue, partition, partitions, low, high, committed, from: page.from, timeMs, records: records.map(toRow) };
}

function readNumber(text: string | null, name: string): number | null {
  if (text === null || text === "") return null;
  const number = Number(text);
  if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(number)) {
    throw new PageError(400, `The ${name} must be a number from 0`);
  }
  return number;
}

/** Reads a time as a browser's field sends it, in UTC: `2026-11-27T15:30`. */
function readTime(text: string | null): number | null {
  if (text === null || text === "") return null;
  const timeMs = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?$/.test(text) ? Date.parse(`${text}Z`) : NaN;
  if (Number.isNaN(timeMs)) throw new PageError(400, "The time must look like 2026-11-27T15:30, in UTC");
  return timeMs;
}

function renderRecords(data: RecordsData, context: PageContext): Html {
  const { queue, partition, low, high, from, records } = data;
  const { url } = context;
  const pageUrl = (to: number) => url(recordsPath(queue), { partition, from: to });
  const last = records.at(-1)?.offset ?? from - 1;
  const pager = renderPager("Pages of records", {
    previous: from <= low ? null : pageUrl(Math.max(low, from - PAGE_SIZE)),
    next: last + 1 >= high ? null : pageUrl(last + 1),
    note: records.length === 0 ? "" : `offsets ${formatCount(records[0]!.offset)}–${formatCount(last)}`,
  });
  return html`<p><a href="${url(topicPath(queue))}">← Topic ${clip(queue, 80)}</a></p>
${renderPlaceForm(data, context)}
<p class="soft">${
    low === high ? "The log is empty." : `The log has the offsets ${formatCount(low)}–${formatCount(high - 1)}.`
  } ${renderCommitted(data, context)}</p>
${
    records.length === 0 ? renderEmpty("No record from here on.") : html`${
      renderTable(
        "Records, in the order of the log",
        [
          { name: "Offset", isNumber: true },
          { name: "When" },
          { name: "Class" },
          { name: "Job id" },
          { name: "State" },
          { name: "Size", isNumber: true },
          { name: "Headers", isNumber: true },
        ],
        records.map((record) => renderRecord(record, data, context)),
        { isCaptionHidden: true },
      )
    }`
  }${pager}`;
}

function renderCommitted({ queue, partition, committed, low, high }: RecordsData, { url }: PageContext): Html {
  if (committed === null) return html`The group has committed nothing here.`;
  const waiting = Math.max(0, high - Math.max(low, committed));
  return html`The group is at <a href="${url(recordsPath(queue), { partition, from: committed })}">offset ${
    formatCount(committed)
  }</a>: ${countOf(waiting, "record")} from there to the end.`;
}

function renderPlaceForm({ queue, partition, partitions, from, timeMs }: RecordsData, { url }: PageContext): Html {
  const time = timeMs === null ? "" : toIso(timeMs)?.slice(0, 19) ?? "";
  const action = url(recordsPath(queue));
  return html`
    <div class="forms">
      <form class="filter"
        action="${action}"><label>Partition <input type="number" name="partition" min="0" max="${partitions -
          1}" value="${partition}"></label>
    <label>Offset <input type="number" name="from" min="0" value="${timeMs === null
      ? from
      : ""}"></label> <button>Go</button></form>
      <form class="filter"
        action="${action}"><input type="hidden" name="partition" value="${partition}"><label>Time (UTC) <input type="datetime-local" name="time" step="1" value="${time}" required></label> <button>Go</button></form>
      <p><a href="${url(recordsPath(queue), { partition })}">Newest</a> · <a href="${url(
        recordsPath(queue),
        { partition, from: 0 },
      )}">Oldest</a></p>
    </div>
  `;
}

function renderRecord(
  record: RecordRow,
  { queue, partition, committed }: RecordsData,
  { url, nowMs }: PageContext,
): Html {
  const { offset, timestampMs, kind, jobClass, jobId, bytes, headers } = record;
  const state = kind === "job" ? offset < (committed ?? 0) ? "finished" : "not committed" : kind;
  return html`
    <tr id="offset-${offset}">
      <th scope="row" class="n"><a href="${url(
        recordPath(queue, { partition, offset }),
      )}">${formatCount(offset)}</a></th>
      <td>${renderTime(timestampMs, nowMs)}</td>
      <td>${kind === "tombstone" ? "" : renderName(jobClass, "unreadable")}</td>
      <td>${jobId === null ? "" : clip(jobId, 40)}</td>
      <td>${state}</td>
      <td class="n">${bytes === null ? "" : formatBytes(bytes)}</td>
      <td class="n">${headers}</td>
    </tr>
  `;
}
