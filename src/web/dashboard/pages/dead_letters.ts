/**
 * Dead letters: the newest 10,000, grouped by class and error, and a list of those that match a filter. A selection, or all
 * that match, goes to the page of confirmation: see `confirm_letters.ts`.
 */
import type { App } from "../../../app/app.ts";
import type { DeadLetter } from "../../../dead_letters/letter.ts";
import { formatPosition } from "../../../support/position.ts";
import { clip, formatCount } from "../format.ts";
import { attributes, type Html, html } from "../html.ts";
import { filterOfGroup, letterQuery, readLetterFilter } from "../letter_filter.ts";
import { groupLetters, type LetterFilter, type LetterGroup, matcherOf } from "../letter_groups.ts";
import { letterPath } from "../links.ts";
import { describeMissingTopic } from "../missing_topic.ts";
import type { Page, PageContext, PageRequest } from "../page.ts";
import { renderEmpty, renderError, renderName, renderPager, renderTable, renderTime } from "../parts.ts";
import { hasDeadLetters, MAX_LETTERS, readRecentLetters } from "../recent_letters.ts";

/** The data of the page. */
export interface DeadLettersData {
  /** The full names of the dead letter topics. */
  readonly topics: readonly string[];
  /** The filter. */
  readonly filter: LetterFilter;
  /** The groups of the letters that match the topic of the filter, the newest first: at most 100. */
  readonly groups: readonly LetterGroup[];
  /** The number of groups. */
  readonly groupCount: number;
  /** A part of the letters that match the filter, newest first: at most 50. */
  readonly letters: readonly DeadLetter[];
  /** The number of letters that match the filter. */
  readonly matching: number;
  /** The position of the first listed letter in those that match, from 0. */
  readonly from: number;
  /** Whether there are older letters, which are not read. */
  readonly isCut: boolean;
  /** Sentences about letters that cannot be read now, and are left out. */
  readonly notes: readonly string[];
  /** The reason why nothing could be read; `null` if it could. */
  readonly problem: string | null;
}

const PAGE_SIZE = 50;
const MAX_GROUPS = 100;

/** The page. */
export const deadLetters: Page<DeadLettersData> = {
  path: "dead_letters",
  nav: "Dead letters",
  title: () => "Dead letters",
  load: loadDeadLetters,
  render: renderDeadLetters,
};

async function loadDeadLetters(app: App, { query }: PageRequest): Promise<DeadLettersData> {
  const filter = readLetterFilter(query);
  const topics = hasDeadLetters(app) ? app.deadLetters().topics : [];
  const read = await readOrProblem(app, filter.withHandled ?? false);
  const ofTopic = read.letters.filter(matcherOf({
    withHandled: filter.withHandled ?? false,
    ...(filter.topic === undefined ? {} : { topic: filter.topic }),
  }));
  const groups = groupLetters(ofTopic);
  const matching = ofTopic.filter(matcherOf(filter));
  const from = Math.min(readFrom(query.get("from")), Math.max(0, matching.length - 1));
  return {
    topics,
    filter,
    groups: groups.slice(0, MAX_GROUPS),
    groupCount: groups.length,
    letters: matching.slice(from, from + PAGE_SIZE),
    matching: matching.length,
    from,
    isCut: read.isCut,
    notes: read.notes,
    problem: read.problem,
  };
}

async function readOrProblem(app: App, withHandled: boolean) {
  try {
    return { ...await readRecentLetters(app, { withHandled, mayLack: true }), problem: null };
  } catch (error) {
    const problem = describeMissingTopic(error);
    if (problem === null) throw error;
    return { letters: [], isCut: false, notes: [], problem };
  }
}

function readFrom(text: string | null): number {
  return text !== null && /^\d{1,6}$/.test(text) ? Number(text) : 0;
}

function renderDeadLetters(data: DeadLettersData, context: PageContext): Html {
  const { topics, problem, groups, filter, isCut, notes } = data;
  if (topics.length === 0) {
    return renderEmpty(
      "No topic of this App declares a dead letter queue: a job that fails for good waits in its topic.",
    );
  }
  if (problem !== null) return html`<p class="notes">${problem}</p>`;
  return html`${renderFilter(data, context)}
${notes.map((note) => html`<p class="notes">${clip(note, 300)}</p>`)}
${isCut && html`<p class="notes">Only the newest ${formatCount(MAX_LETTERS)} dead letters are shown and grouped.</p>`}
${!isOfGroup(filter) && renderGroups(groups, data, context)}
${renderLetters(data, context)}`;
}

function renderFilter({ topics, filter }: DeadLettersData, { url }: PageContext): Html {
  const { topic, jobClass, errorClass, message, withHandled } = filter;
  return html`<form class="filter" action="${url("dead_letters")}" role="search">
${
    topics.length > 1 && html`<label>Topic <select name="topic"><option value="">all</option>${
      topics.map((name) =>
        html`
          <option value="${name}" ${attributes({ selected: name === topic })}>${name}</option>
        `
      )
    }</select></label>`
  }
<label>Class <input name="class" value="${jobClass ?? ""}" size="18"></label>
<label>Error <input name="error" value="${errorClass ?? ""}" size="18"></label>
${message !== undefined && html`<input type="hidden" name="message" value="${message}">`}
<label><input type="checkbox" name="handled" value="1"${
    attributes({ checked: withHandled === true })
  }> also those that were handled</label>
<button>Filter</button></form>`;
}

const GROUP_COLUMNS = [
  { name: "Letters", isNumber: true },
  { name: "Class" },
  { name: "Error" },
  { name: "First" },
  { name: "Last" },
  { name: "From" },
];

function renderGroups(
  groups: readonly LetterGroup[],
  { groupCount, filter }: DeadLettersData,
  context: PageContext,
): Html {
  if (groups.length === 0) return html``;
  const rows = groups.map((group) => renderGroup(group, filter, context));
  const note = groupCount > groups.length ? `, the newest ${groups.length} of ${formatCount(groupCount)}` : "";
  return html`<section aria-labelledby="groups"><h2 id="groups">By error</h2>${
    renderTable(
      `Dead letters by class and error${note}`,
      [...GROUP_COLUMNS, ...context.access === "operate" ? [{ name: "Action" }] : []],
      rows,
      { isCaptionHidden: note === "" },
    )
  }</section>`;
}

function renderGroup(group: LetterGroup, filter: LetterFilter, context: PageContext): Html {
  const { jobClass, errorClass, message, total, unhandled, firstAtMs, lastAtMs, sources } = group;
  const { url, nowMs, access } = context;
  const query = letterQuery({ ...filter, ...filterOfGroup(group) });
  const confirm = (action: string) => url("dead_letters/confirm", { ...query, all: "1", do: action });
  const buttons = html`
    <a class="button" href="${confirm("requeue")}">Requeue…</a>
    <a class="button quiet" href="${confirm("dismiss")}">Dismiss…</a>
  `;
  return html`
    <tr>
      <td class="n">
        <b>${formatCount(unhandled)}</b> ${total > unhandled &&
          html`<span class="soft">of ${formatCount(total)}</span>`}
      </td>
      <th scope="row"><a href="${url("dead_letters", query)}">${renderName(jobClass, "unreadable")}</a></th>
      <td>${renderError(errorClass, message, 160)}</td>
      <td>${renderTime(firstAtMs, nowMs)}</td>
      <td>${renderTime(lastAtMs, nowMs)}</td>
      <td>${sources.map((source) => clip(source, 40)).join(", ")}</td>
      ${access === "operate" && html`<td class="actions">${unhandled > 0 && buttons}</td>`}
    </tr>
  `;
}

function renderLetters(data: DeadLettersData, context: PageContext): Html {
  const { letters, matching, from, filter } = data;
  const { url, access } = context;
  const isFiltered = isOfGroup(filter);
  const query = letterQuery(filter);
  const heading = html`<h2 id="letters">${isFiltered ? renderHeading(filter) : "Newest first"}</h2>`;
  if (letters.length === 0) {
    const showAll = html`<a href="${url("dead_letters")}">Show all</a>`;
    return html`<section aria-labelledby="letters">${heading}${
      renderEmpty(isFiltered ? html`No dead letter matches. ${showAll}` : "No dead letter waits for you.")
    }</section>`;
  }
  const pageUrl = (to: number) => `${url("dead_letters", { ...query, from: to === 0 ? null : to })}#letters`;
  const end = from + letters.length;
  const table = renderTable(
    "Dead letters, newest first",
    [
      ...access === "operate" ? [{ name: "Select" }] : [],
      { name: "When" },
      { name: "Letter" },
      { name: "Class" },
      { name: "Error" },
      { name: "From" },
      { name: "Runs", isNumber: true },
      ...filter.withHandled === true ? [{ name: "Handled" }] : [],
    ],
    letters.map((letter) => renderLetter(letter, filter, context)),
    { isCaptionHidden: true },
  );
  const pager = matching > PAGE_SIZE && renderPager("Pages of dead letters", {
    previous: from === 0 ? null : pageUrl(Math.max(0, from - PAGE_SIZE)),
    next: end >= matching ? null : pageUrl(end),
    note: `${formatCount(from + 1)}–${formatCount(end)} of ${formatCount(matching)}`,
  });
  return html`<section aria-labelledby="letters">${heading}${
    access === "operate" ? renderSelection(table, data, context) : table
  }${pager}</section>`;
}

function renderSelection(table: Html, { matching, filter }: DeadLettersData, { url }: PageContext): Html {
  const all = (action: string) => url("dead_letters/confirm", { ...letterQuery(filter), all: "1", do: action });
  return html`
    <form action="${url("dead_letters/confirm")}" data-select-all>
      <p class="buttons">
        <button name="do" value="requeue">Requeue the selected…</button>
        <button class="quiet" name="do" value="dismiss">Dismiss the selected…</button>
        <span>All ${formatCount(matching)} that match: <a href="${all("requeue")}">requeue…</a>, <a href="${all(
          "dismiss",
        )}">dismiss…</a></span>
      </p>
      ${table}
    </form>
  `;
}

function renderHeading({ jobClass, errorClass, message }: LetterFilter): Html {
  const ofClass = jobClass === undefined ? "Any class" : renderName(jobClass, "Unreadable");
  return errorClass === undefined && message === undefined
    ? html`${ofClass}`
    : html`${ofClass}: ${renderError(errorClass ?? null, message ?? null, 200)}`;
}

function renderLetter(letter: DeadLetter, filter: LetterFilter, { url, nowMs, access }: PageContext): Html {
  const { jobClass, errorClass, errorMessage, source, attempts, handled } = letter;
  const position = formatPosition(letter);
  const place = url(letterPath(letter));
  const box = access === "operate" &&
    html`<td><input type="checkbox" name="at" value="${position}" aria-label="Select ${position}"></td>`;
  const handling = filter.withHandled === true &&
    html`<td>${
      handled !== null && html`${handled.action} by ${clip(handled.by, 40)} ${renderTime(handled.at.getTime(), nowMs)}`
    }</td>`;
  return html`
    <tr id="letter-${position}" ${attributes({ class: handled !== null && "handled" })}>
      ${box}
      <td>${renderTime(letter.deadLetteredAt?.getTime() ?? null, nowMs)}</td>
      <th scope="row"><a href="${place}">${clip(position, 80)}</a></th>
      <td>${renderName(jobClass, "unreadable")}</td>
      <td>${renderError(errorClass, errorMessage, 160)}</td>
      <td>${source === null ? renderName(null) : clip(formatPosition(source), 60)}</td>
      <td class="n">${attempts}</td>
      ${handling}
    </tr>
  `;
}

/** Returns whether a filter is narrower than a topic. */
function isOfGroup({ jobClass, errorClass, message }: LetterFilter): boolean {
  return jobClass !== undefined || errorClass !== undefined || message !== undefined;
}
