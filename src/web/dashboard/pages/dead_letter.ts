/** One dead letter: its error, its way, its headers; the arguments by click, for a user with the access to operate. */
import type { App } from "../../../app/app.ts";
import type { DeadLetter } from "../../../dead_letters/letter.ts";
import { formatPosition } from "../../../support/position.ts";
import { clip, countOf } from "../format.ts";
import { type Html, html } from "../html.ts";
import { filterOfGroup, letterQuery } from "../letter_filter.ts";
import { groupLetters } from "../letter_groups.ts";
import { letterPath } from "../links.ts";
import type { Page, PageContext, PageRequest } from "../page.ts";
import { readPlace } from "../place.ts";
import { renderError, renderExactTime, renderFact, renderName, renderTime } from "../parts.ts";
import { showLetter } from "../recent_letters.ts";
import {
  type Payload,
  payloadOf,
  renderEnvelope,
  renderPayload,
  safeFieldsOf,
  type ShownHeader,
  shownHeaders,
} from "../record_details.ts";

/** The data of the page. */
export interface DeadLetterData {
  /** The letter as lists show it. */
  readonly letter: DeadLetter;
  /** The consumer group that gave it up. */
  readonly group: string | null;
  /** The fields of its envelope that hold no data of the application. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Its headers, without secrets; those of the application only with the payload. */
  readonly headers: readonly ShownHeader[];
  /** The size of its value, in bytes. */
  readonly bytes: number;
  /** The query of its group. */
  readonly similar: Readonly<Record<string, string | null>>;
  /** The arguments and other data of the application; `null` unless the query has `payload=1` and the user may operate. */
  readonly payload: Payload | null;
}

/** The page. */
export const deadLetter: Page<DeadLetterData> = {
  path: "dead_letters/:topic/:place",
  nav: null,
  title: ({ letter }) => `Dead letter ${clip(formatPosition(letter), 100)}`,
  load: loadDeadLetter,
  render: renderDeadLetter,
};

async function loadDeadLetter(app: App, { params, query, access, redact }: PageRequest): Promise<DeadLetterData> {
  const position = { topic: params.topic!, ...readPlace(params.place!) };
  const { envelope, headers, value, key, group, ...letter } = await showLetter(app, position);
  const mayShow = query.get("payload") === "1" && access === "operate";
  return {
    letter,
    group,
    fields: safeFieldsOf(envelope),
    headers: shownHeaders(headers, mayShow, redact),
    bytes: value === null ? 0 : new TextEncoder().encode(value).byteLength,
    similar: letterQuery(filterOfGroup(groupLetters([letter])[0]!)),
    payload: mayShow ? payloadOf(envelope, value, key, redact) : null,
  };
}

function renderDeadLetter(data: DeadLetterData, { url, nowMs, access }: PageContext): Html {
  const { letter, group, fields, headers, bytes, payload, similar } = data;
  const { jobClass, errorClass, errorMessage, deadLetteredAt, source, attempts, handled } = letter;
  const position = formatPosition(letter);
  const mayOperate = access === "operate";
  const withPayload = url(letterPath(letter), { payload: "1" });
  const confirm = (action: string) => url("dead_letters/confirm", { do: action, at: position });
  return html`${
    handled !== null &&
    html`<p class="notes">It was ${handled.action} by ${clip(handled.by, 80)} ${
      renderTime(handled.at.getTime(), nowMs)
    }.</p>`
  }
<p class="quote">${renderError(errorClass, null)}</p>
<pre class="message" tabindex="0">${clip(errorMessage ?? "No message", 4096)}</pre>
<dl class="facts">
${renderFact("Class", renderName(jobClass, "unreadable"))}
${
    renderFact(
      "Given up",
      html`${renderTime(deadLetteredAt?.getTime() ?? null, nowMs)}, ${
        renderExactTime(deadLetteredAt?.getTime() ?? null)
      }`,
    )
  }
${
    renderFact(
      "After",
      attempts === null ? "an unknown number of runs" : countOf(attempts, "run"),
    )
  }
${renderFact("From", source === null ? "not known" : clip(formatPosition(source), 300))}
${group !== null && renderFact("By the group", clip(group, 255))}
</dl>
<p class="buttons">${
    mayOperate &&
    html`
      <a class="button" href="${confirm("requeue")}">Requeue…</a> <a class="button quiet" href="${confirm(
        "dismiss",
      )}">Dismiss…</a>
    `
  }<a href="${url("dead_letters", similar)}">All with this error</a></p>
${renderPayload(payload, mayOperate ? withPayload : null, bytes)}
${renderEnvelope(fields, headers)}`;
}
