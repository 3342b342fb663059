/** A record with all of it, for a page: safe fields at once, the payload only where it was asked for. Pure. */
import { SAFE_ENVELOPE_FIELDS } from "../../job/envelope_data.ts";
import { clip, formatBytes } from "./format.ts";
import { type Html, html, type HtmlValue } from "./html.ts";
import { renderFact } from "./parts.ts";

/** Other fields are part of the payload. */
const SAFE_FIELDS: ReadonlySet<string> = new Set(SAFE_ENVELOPE_FIELDS);

/** A payload that is shown, in characters: the rest is cut. */
const MAX_PAYLOAD = 50_000;
const MAX_VALUE = 2000;
const MAX_HEADERS = 100;

/** The payload of a record. */
export interface Payload {
  /** The envelope without the fields that are safe, and without its secrets; a string where it is not an envelope. */
  readonly content: unknown;
  /** The key of the record; `null` for none. */
  readonly key: string | null;
}

/** A header of a record as it may be shown. */
export type ShownHeader = readonly [name: string, value: string | null];

/** Returns the safe fields of an envelope. */
export function safeFieldsOf(envelope: Readonly<Record<string, unknown>> | null): Record<string, unknown> {
  return Object.fromEntries(Object.entries(envelope ?? {}).filter(([name]) => SAFE_FIELDS.has(name)).map(cutEntry));
}

function cutEntry([name, value]: [string, unknown]): [string, unknown] {
  return [name, typeof value === "string" ? clip(value, MAX_VALUE) : typeof value === "object" ? null : value];
}

/** Returns the payload of a record, without its secrets. */
export function payloadOf(
  envelope: Readonly<Record<string, unknown>> | null,
  value: string | null,
  key: string | null,
  redact: (data: unknown) => unknown,
): Payload {
  if (envelope === null) return { content: redactText(value, redact), key };
  const rest = Object.entries(envelope).filter(([name]) => !SAFE_FIELDS.has(name));
  return { content: redact(Object.fromEntries(rest)), key };
}

/** Returns a value that is not an envelope: JSON without its secrets, or a text that cannot be parsed. */
function redactText(value: string | null, redact: (data: unknown) => unknown): unknown {
  if (value === null) return null;
  try {
    return redact(JSON.parse(value));
  } catch {
    return clip(value, MAX_PAYLOAD);
  }
}

/** Headers of this library, which hold no data of the application. */
const OWN_HEADER = /^(?:dead-letter-[a-z-]+|requeued-from|released-at)$/;

/**
 * Returns headers as they may be shown: without secrets, cut. At most 100.
 *
 * @param areAll whether those of the application are shown, too
 */
export function shownHeaders(
  headers: readonly (readonly [name: string, value: string | null])[],
  areAll: boolean,
  redact: (data: unknown) => unknown,
): ShownHeader[] {
  const shown = areAll ? headers : headers.filter(([name]) => OWN_HEADER.test(name));
  return shown.slice(0, MAX_HEADERS).map(([name, value]) => {
    const shown = Object.values(redact({ [name]: value === null ? null : clip(value, MAX_VALUE) }) as object)[0];
    return [clip(name, 200), shown === null || shown === undefined ? null : String(shown)] as const;
  });
}

/** Renders the facts of an envelope and the headers. */
export function renderEnvelope(fields: Readonly<Record<string, unknown>>, headers: readonly ShownHeader[]): Html {
  const entries = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined);
  return html`${
    entries.length > 0 && html`
      <section aria-labelledby="envelope">
        <h2 id="envelope">Job</h2>
        <dl class="facts">${entries.map(([name, value]) => renderFact(name, String(value)))}</dl>
      </section>
    `
  }${
    headers.length > 0 && html`
      <section aria-labelledby="headers">
        <h2 id="headers">Headers</h2>
        <dl class="facts">${headers.map(([name, value]) =>
          renderFact(name, value ?? html`<span class="soft">null</span>`)
        )}</dl>
      </section>
    `
  }`;
}

/**
 * Renders the payload, or the way to it.
 *
 * @param url the URL of the page with the payload; `null` if the user may not see it
 */
export function renderPayload(payload: Payload | null, url: string | null, bytes: number): Html {
  const heading = html`<h2 id="payload">Arguments</h2>`;
  const body: HtmlValue = payload !== null
    ? html`${payload.key !== null && html`<p>Key: <code>${clip(payload.key, MAX_VALUE)}</code></p>`}<pre tabindex="0">${
      formatPayload(payload.content)
    }</pre>`
    : url === null
    ? html`<p class="empty">They may hold secrets: only a user with the access to operate sees them.</p>`
    : html`<p><a class="button" href="${url}">Show the arguments</a> <span class="soft">${
      formatBytes(bytes)
    }; they may hold secrets</span></p>`;
  return html`<section aria-labelledby="payload">${heading}${body}</section>`;
}

function formatPayload(content: unknown): string {
  const text = typeof content === "string" ? content : JSON.stringify(content, null, 2) ?? "";
  return clip(text, MAX_PAYLOAD);
}
