/** One record of a topic: its envelope and headers; the arguments by click, for a user with the access to operate. */
import type { App } from "../../../app/app.ts";
import { textOf } from "../../../broker/record_text.ts";
import { readEnvelope } from "../../../dead_letters/letter.ts";
import { formatPosition } from "../../../support/position.ts";
import { CANCEL_ACTION, renderCancelForm } from "../cancel_form.ts";
import { clip, formatBytes, formatCount } from "../format.ts";
import { type Html, html } from "../html.ts";
import { recordPath, recordsPath } from "../links.ts";
import { findOrFail } from "../missing_topic.ts";
import { type Page, type PageContext, PageError, type PageRequest } from "../page.ts";
import { readPlace } from "../place.ts";
import { renderExactTime, renderFact, renderTime } from "../parts.ts";
import {
  type Payload,
  payloadOf,
  renderEnvelope,
  renderPayload,
  safeFieldsOf,
  type ShownHeader,
  shownHeaders,
} from "../record_details.ts";
import { MAX_PARSED, type RecordRow, toRow } from "../record_rows.ts";

/** The data of the page. */
export interface RecordData {
  /** The queue. */
  readonly queue: string;
  /** Its position, such as `default/0@41`. */
  readonly position: string;
  /** The number of the partition. */
  readonly partition: number;
  /** The record as lists show it. */
  readonly record: RecordRow;
  /** Whether the group has committed beyond it. */
  readonly isFinished: boolean;
  /** The id by which an operator can cancel its job; `null` if that is not possible. */
  readonly cancelId: string | null;
  /** The reason why it cannot be read; `null` if it can. */
  readonly unreadable: string | null;
  /** The fields of its envelope that hold no data of the application. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Its headers, without secrets; those of the application only with the payload. */
  readonly headers: readonly ShownHeader[];
  /** The arguments and other data of the application; `null` unless the query has `payload=1` and the user may operate. */
  readonly payload: Payload | null;
}

/** The page. */
export const record: Page<RecordData> = {
  path: "topics/:queue/records/:place",
  nav: null,
  title: ({ position }) => `Record ${clip(position, 100)}`,
  load: loadRecord,
  render: renderRecord,
  actions: [CANCEL_ACTION],
};

async function loadRecord(app: App, { params, query, access, redact, signal }: PageRequest): Promise<RecordData> {
  const queue = params.queue!;
  const { partition, offset } = readPlace(params.place!);
  const page = await findOrFail(() => app.readLog(queue, { partition, from: offset, limit: 1, values: true, signal }));
  const [stored] = page.records;
  if (stored?.offset !== offset) {
    throw new PageError(404, `There is no record at ${clip(queue, 200)}/${partition}@${offset}: it may have expired`);
  }
  const envelope = readEnvelope(stored, MAX_PARSED);
  const isFinished = offset < (page.committed ?? 0);
  const mayShow = query.get("payload") === "1" && access === "operate";
  return {
    queue,
    position: formatPosition({ topic: page.topic, partition, offset }),
    partition,
    record: toRow(stored),
    isFinished,
    cancelId: app.canControl && !isFinished && typeof envelope?.job_id === "string" ? envelope.job_id : null,
    unreadable: stored.unreadable ?? null,
    fields: safeFieldsOf(envelope),
    headers: shownHeaders(stored.headers.map(([name, value]) => [name, textOf(value)] as const), mayShow, redact),
    payload: mayShow ? payloadOf(envelope, textOf(stored.value), textOf(stored.key), redact) : null,
  };
}

function renderRecord(data: RecordData, { url, path, nowMs, access }: PageContext): Html {
  const { queue, partition, record, isFinished, cancelId, unreadable, fields, headers, payload } = data;
  return html`<p><a href="${url(recordsPath(queue), { partition, from: record.offset })}">← Records from offset ${
    formatCount(record.offset)
  }</a></p>
${unreadable !== null && html`<p class="notes">It cannot be read: ${clip(unreadable, 500)}</p>`}
${
    record.kind === "poison" && unreadable === null &&
    html`<p class="notes">It is not a job: its envelope cannot be read.</p>`
  }
<dl class="facts">
${renderFact("Appended", html`${renderTime(record.timestampMs, nowMs)}, ${renderExactTime(record.timestampMs)}`)}
${
    renderFact(
      "State",
      isFinished
        ? "finished: the group has committed beyond it"
        : "not committed: it waits, runs, or has just finished",
    )
  }
${renderFact("Value", record.bytes === null ? "none: a tombstone" : formatBytes(record.bytes))}
${renderFact("Key", record.hasKey ? "yes" : "none")}
</dl>
${
    cancelId !== null && access === "operate" &&
    renderCancelForm({
      jobId: cancelId,
      place: `${partition}-${record.offset}`,
      action: url(path, { job: cancelId }),
    })
  }
${
    record.bytes !== null &&
    renderPayload(
      payload,
      access === "operate" ? url(recordPath(queue, { partition, offset: record.offset }), { payload: "1" }) : null,
      record.bytes,
    )
  }
${renderEnvelope(fields, headers)}`;
}
