/** Pieces that several pages render: states, times, ages, commands, tables, pagers. Each returns escaped HTML. */
import type { TopicState } from "../../status/status.ts";
import { LATEST_MS } from "../../support/clock.ts";
import { clip, formatAge, formatCount } from "./format.ts";
import { attributes, type Html, html, type HtmlValue } from "./html.ts";

/** The urgency of a state: it needs an operator, needs attention, is as an operator wanted it, or is fine. */
export type Tone = "bad" | "warn" | "note" | "ok";

const TONES: ReadonlyMap<string, Tone> = new Map<string, Tone>([
  ["stuck", "bad"],
  ["no worker", "bad"],
  ["stalled", "bad"],
  ["unknown", "bad"],
  ["gone", "bad"],
  ["failed", "bad"],
  ["retrying", "warn"],
  ["behind", "warn"],
  ["stopping", "warn"],
  ["overdue", "warn"],
  ["paused", "note"],
  ["quiet", "note"],
]);

/** A sign beside each word, so that a state is seen without colour. */
const SIGNS: Readonly<Record<Tone, string>> = { bad: "■", warn: "▲", note: "‖", ok: "●" };

/** Returns how urgent a state of a topic, a partition or a worker is. */
export function toneOf(state: TopicState | string): Tone {
  return TONES.get(state) ?? "ok";
}

/** Renders a state: a word, a sign and a colour. */
export function renderState(state: string): Html {
  const tone = toneOf(state);
  return html`<span class="state ${tone}"><span aria-hidden="true">${SIGNS[tone]}</span> ${state}</span>`;
}

/** Returns a time in ISO 8601; `null` for a number that is not a time, which a record may have. */
export function toIso(timeMs: number): string | null {
  return Math.abs(timeMs) <= LATEST_MS ? new Date(timeMs).toISOString() : null;
}

/** Renders a time as its distance from now, with the exact time beside it for a machine and for a pointer. */
export function renderTime(timeMs: number | null, nowMs: number): Html {
  const distanceMs = nowMs - (timeMs ?? 0);
  return renderDistance(timeMs, distanceMs >= 0 ? `${formatAge(distanceMs)} ago` : `in ${formatAge(-distanceMs)}`);
}

/** Renders the time at which something began as its length until now, with the exact time as {@linkcode renderTime} does. */
export function renderLength(sinceMs: number, nowMs: number): Html {
  return renderDistance(sinceMs, `for ${formatAge(Math.max(0, nowMs - sinceMs))}`);
}

function renderDistance(timeMs: number | null, words: string): Html {
  const iso = timeMs === null ? null : toIso(timeMs);
  return iso === null ? NONE : html`<time datetime="${iso}" title="${formatUtc(iso)}">${words}</time>`;
}

/** A job is released, and a tick taken, within a second of its time; a later one waits for a worker. */
const OVERDUE_AFTER_MS = 5000;

/** Renders the time of something that workers do then, and says so if it is late. */
export function renderDueTime(dueAtMs: number, nowMs: number): Html {
  return html`${dueAtMs < nowMs - OVERDUE_AFTER_MS && renderState("overdue")} ${renderTime(dueAtMs, nowMs)}`;
}

/** Renders an exact time. */
export function renderExactTime(timeMs: number | null): Html {
  const iso = timeMs === null ? null : toIso(timeMs);
  return iso === null ? NONE : html`<time datetime="${iso}">${formatUtc(iso)}</time>`;
}

function formatUtc(iso: string): string {
  return iso.replace("T", " ").replace(/\.\d+Z$/, " UTC");
}

/** A value that there is not, or that is not known. */
export const NONE: Html = html`<span class="soft" title="none, or not known">–</span>`;

/** Renders an age, with the length as a machine reads it. */
export function renderAge(ms: number | null): Html {
  return ms === null ? NONE : html`<time datetime="PT${Math.max(0, Math.round(ms / 1000))}S">${formatAge(ms)}</time>`;
}

/** Renders a number; a zero is dimmed, so that the others are seen. */
export function renderCount(count: number | null): Html {
  if (count === null) return NONE;
  return count === 0 ? ZERO : html`${formatCount(count)}`;
}

/**
 * Renders the number of delayed jobs.
 *
 * @param isComplete whether all of them were counted; otherwise there may be more
 */
export function renderDelayed(count: number, isComplete: boolean): HtmlValue {
  if (isComplete) return renderCount(count);
  return count === 0 ? NONE : `≥ ${formatCount(count)}`;
}

const ZERO = html`<span class="soft">0</span>`;

const MAX_NAME = 80;
const MAX_MESSAGE = 240;

/** Renders a name from a record, cut. */
export function renderName(name: string | null, missing: string = "unknown"): Html {
  return name === null || name === "" ? html`<span class="soft">${missing}</span>` : html`${clip(name, MAX_NAME)}`;
}

/** Renders an error in one line. */
export function renderError(
  errorClass: string | null,
  message: string | null,
  maxLength: number = MAX_MESSAGE,
): Html {
  const text = clip((message ?? "").replace(/\s+/g, " ").trim(), maxLength);
  return html`<span class="error"><b>${clip(errorClass ?? "Error", MAX_NAME)}</b>${text !== "" && ": "}${text}</span>`;
}

/** Renders a command to type. The script adds a button that copies it. */
export function renderCommand(command: string): Html {
  return html`<code class="command" data-copy>${command}</code>`;
}

/** A column of a table. */
export interface Column {
  /** Its heading. */
  readonly name: string;
  /** Whether its cells are numbers, aligned to the right. @default false */
  readonly isNumber?: boolean;
}

/**
 * Renders a table. It scrolls within itself where the page is narrow, also by keyboard.
 *
 * @param caption names it
 * @param rows each a `<tr>`
 */
export function renderTable(
  caption: string,
  columns: readonly Column[],
  rows: readonly Html[],
  { isCaptionHidden = false }: { readonly isCaptionHidden?: boolean } = {},
): Html {
  return html`
    <div class="scroll" role="region" aria-label="${caption}" tabindex="0">
      <table>
        <caption${attributes({ class: isCaptionHidden && "hidden" })}>${caption}</caption>
    <thead><tr>${columns.map(({ name, isNumber }) =>
      isNumber ? html`<th scope="col" class="n">${name}</th>` : html`<th scope="col">${name}</th>`
    )}</tr></thead>
    <tbody>${rows}</tbody></table></div>
  `;
}

/** Renders a term with its description, of a `<dl class="facts">`. */
export function renderFact(term: string, value: HtmlValue): Html {
  return html`
    <div>
      <dt>${term}</dt>
      <dd>${value}</dd>
    </div>
  `;
}

/** Renders one of the large numbers of a page. */
export function renderNumber(term: string, value: HtmlValue, note: HtmlValue, tone: Tone = "ok"): Html {
  return html`
    <div class="number ${tone}">
      <dt>${term}</dt>
      <dd><b>${value}</b><span class="soft">${note}</span></dd>
    </div>
  `;
}

/** Renders a sentence where a list is empty. */
export function renderEmpty(sentence: HtmlValue): Html {
  return html`<p class="empty">${sentence}</p>`;
}

/** Renders sentences about what is not known. */
export function renderNotes(notes: readonly string[]): HtmlValue {
  return notes.length > 0 && html`<ul class="notes">${notes.map((note) => html`<li>${clip(note, 300)}</li>`)}</ul>`;
}

/** Renders the links to other parts of a list. An absent URL has no link. */
export function renderPager(
  name: string,
  { previous, next, note }: { readonly previous: string | null; readonly next: string | null; readonly note: string },
): Html {
  return html`<nav class="pager" aria-label="${name}">${
    previous !== null && html`<a href="${previous}" rel="prev">← Previous</a>`
  } <span class="soft">${note}</span> ${next !== null && html`<a href="${next}" rel="next">Next →</a>`}</nav>`;
}
