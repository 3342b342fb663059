/**
 * The first page: is anything broken, where, since when, with which error, and what can an operator do. It needs no worker:
 * what only workers report is missing then.
 */
import type { App } from "../../../app/app.ts";
import type { AppStatus, TopicStatus } from "../../../status/status.ts";
import { type Hour, renderHour, sum } from "../charts.ts";
import { addUpHours, addUpTopics, type FleetSummary, listFailing, summarizeFleet } from "../fleet.ts";
import { clip, countOf, formatCount, formatPercent } from "../format.ts";
import { type Html, html } from "../html.ts";
import { groupLetters, type LetterGroup } from "../letter_groups.ts";
import { filterOfGroup, letterQuery } from "../letter_filter.ts";
import { recordPath, topicPath } from "../links.ts";
import { loadStatus } from "../load_status.ts";
import type { Page, PageContext, PageRequest } from "../page.ts";
import { PartLoader } from "../part_loader.ts";
import {
  NONE,
  renderAge,
  renderCommand,
  renderEmpty,
  renderError,
  renderLength,
  renderName,
  renderNotes,
  renderNumber,
  renderState,
  renderTime,
  toneOf,
} from "../parts.ts";
import { readRecentLetters } from "../recent_letters.ts";
import { renderTopics } from "../topics_table.ts";
import { adviceOf, listProblems, type Problem, splitCommand, verdictOf } from "../verdict.ts";

/** The data of the first page. */
export interface OverviewData {
  /** The sentence of the verdict. */
  readonly verdict: string;
  /** The status of all topics, as `app.status()` returns it. */
  readonly status: AppStatus;
  /** The topics that are not OK, worst first: at most 12. */
  readonly problems: readonly Problem[];
  /** The workers in numbers; `null` if it is not known. */
  readonly workers: FleetSummary | null;
  /** The last hour by minute, oldest first: of all topics, and of each by its full name. */
  readonly hour: { readonly total: Hour; readonly topics: Readonly<Record<string, Hour>> };
  /** The groups of the newest dead letters that were not handled: at most 5. */
  readonly errors: readonly LetterGroup[];
  /** Whether there are more than those that were grouped: the numbers of the groups are higher then. */
  readonly areErrorsCut: boolean;
  /** Sentences about what is not known, and why. */
  readonly notes: readonly string[];
}

/** Dead letters that are read for the latest errors. */
const RECENT_LETTERS = 300;
const MAX_ERRORS = 5;

/** The page. */
export const overview: Page<OverviewData> = {
  path: "",
  nav: "Overview",
  title: ({ verdict }) => verdict,
  load: loadOverview,
  render: renderOverview,
};

async function loadOverview(app: App, { command }: PageRequest): Promise<OverviewData> {
  const parts = new PartLoader();
  const [{ status, workers }, read] = await Promise.all([
    loadStatus(app, parts, command === undefined ? {} : { command }),
    parts.load(
      "The dead letters are not known",
      () => readRecentLetters(app, { withHandled: false, limit: RECENT_LETTERS, mayLack: true }),
    ),
  ]);
  // A report, which any client may have written, may name thousands of topics.
  const declared = new Set(status.topics.map(({ topic }) => topic));
  const hours = new Map([...addUpHours(workers ?? [], status.atMs)].filter(([topic]) => declared.has(topic)));
  return {
    verdict: verdictOf(status),
    status,
    problems: listProblems(status, listFailing(workers ?? [], command)),
    workers: workers && summarizeFleet(workers),
    hour: { total: addUpTopics(hours.values()), topics: Object.fromEntries(hours) },
    errors: groupLetters(read?.letters ?? []).slice(0, MAX_ERRORS),
    areErrorsCut: read?.isCut ?? false,
    // The list of letters has the same note on a topic as its count.
    notes: [...status.notes, ...parts.notes, ...read?.notes.filter((note) => !status.notes.includes(`${note}.`)) ?? []],
  };
}

function renderOverview(data: OverviewData, context: PageContext): Html {
  const { status, hour, notes } = data;
  return html`<div data-refresh="5">
${renderVerdict(data, context)}
${renderNotes(notes)}
${renderNumbers(data, context)}
${renderHour(hour.total)}
${renderTopics(status, hour.topics, context)}
${renderErrors(data, context)}
</div>`;
}

function renderVerdict({ status, problems, workers }: OverviewData, context: PageContext): Html {
  const wrong = status.topics.filter(({ state }) => state !== "ok").length;
  if (problems.length === 0) {
    return renderRest(countUnhandled(status.topics), workers?.gone ?? 0, context);
  }
  const more = wrong - problems.length;
  return html`<section class="problems" aria-label="Problems, worst first"><ol>${
    problems.map((problem) => renderProblem(problem, context))
  }</ol>${
    more > 0 &&
    html`<p class="soft">and ${countOf(more, "more topic", "more topics")}: <a href="${
      context.url("", { only: "wrong" })
    }#topics">list all ${formatCount(wrong)}</a></p>`
  }</section>`;
}

/** The topics are fine: dead letters, and a worker that was killed, are no state of a topic. */
function renderRest(letters: number | null, gone: number, { url }: PageContext): Html {
  if (letters === 0 && gone === 0) {
    return html`<p class="verdict ok"><span aria-hidden="true">●</span> Nothing waits for an operator.</p>`;
  }
  return html`<p class="verdict warn"><span aria-hidden="true">▲</span>${
    letters === null && " The number of dead letters is not known."
  }${
    letters !== null && letters > 0 &&
    html`
      <a href="${url("dead_letters")}">${countOf(letters, "dead letter")}</a> ${letters === 1
        ? "waits"
        : "wait"} for an operator.
    `
  }${
    gone > 0 && html`
      <a href="${url("workers")}">${countOf(gone, "worker")}</a> ended without saying so.
    `
  }</p>`;
}

function renderProblem(
  { queue, topic, state, reason, sinceMs, failing, stuckAt }: Problem,
  { url, nowMs }: PageContext,
): Html {
  const advice = adviceOf(state);
  const { words, command } = splitCommand({ state, reason });
  const error = failing !== null &&
    html`<p>${renderError(failing.error.errorClass, failing.error.message)} <span class="soft">${
      countOf(failing.attempts, "run")
    } failed</span></p>`;
  const record = failing ?? stuckAt;
  return html`<li class="problem ${toneOf(state)}" id="problem-${topic}">
<p><a class="name" href="${url(topicPath(queue))}">${queue}</a> ${renderState(state)} ${
    sinceMs !== null && html`<span class="soft">${renderLength(sinceMs, nowMs)}</span>`
  }</p>
<p>${clip(words, 300)}</p>
${error}
<p class="do">${advice} ${
    record !== null &&
    html`<a href="${url(recordPath(queue, record))}">Look at the record</a>`
  }</p>
${command !== null && renderCommand(command)}
</li>`;
}

function renderNumbers({ status: { topics }, workers, hour }: OverviewData, { url }: PageContext): Html {
  const oldest = topics.reduce<TopicStatus | null>(
    (most, topic) => (topic.oldestWaitingMs ?? -1) > (most?.oldestWaitingMs ?? -1) ? topic : most,
    null,
  );
  const lag = topics.reduce((sum, topic) => sum + (topic.lag ?? 0), 0);
  const unknown = topics.filter((topic) => topic.lag === null).length;
  const running = topics.reduce((sum, topic) => sum + (topic.running ?? 0), 0);
  const lastMinute = hour.total.done.at(-2) ?? 0;
  const [done, failed] = [sum(hour.total.done), sum(hour.total.failed)];
  const unhandled = countUnhandled(topics);
  const isAlone = workers !== null && workers.alive === 0;
  return html`<dl class="numbers">
${
    renderNumber(
      "Oldest waiting",
      oldest?.oldestWaitingMs == null ? NONE : renderAge(oldest.oldestWaitingMs),
      oldest?.oldestWaitingMs == null
        ? "nothing waits"
        : html`in <a href="${url(topicPath(oldest.queue))}">${clip(oldest.queue, 40)}</a>`,
      oldest === null ? "ok" : toneOf(oldest.state),
    )
  }
${
    renderNumber(
      "Waiting",
      formatCount(lag),
      unknown === 0 ? `and ${formatCount(running)} running` : `${countOf(unknown, "topic")} not known`,
    )
  }
${renderNumber("Done a minute", formatCount(lastMinute), `${formatCount(done)} in the last hour`)}
${
    renderNumber(
      "Failed",
      formatPercent(failed, done + failed) ?? NONE,
      `${countOf(failed, "run")} in the last hour`,
      failed > done ? "warn" : "ok",
    )
  }
${
    renderNumber(
      "New dead letters",
      unhandled === null ? NONE : html`<a href="${url("dead_letters")}">${formatCount(unhandled)}</a>`,
      "neither requeued nor dismissed",
      unhandled !== null && unhandled > 0 ? "warn" : "ok",
    )
  }
${
    renderNumber(
      "Workers",
      workers === null ? NONE : html`<a href="${url("workers")}">${formatCount(workers.alive)}</a>`,
      workers === null
        ? "not known"
        : `${formatCount(workers.running)} of ${countOf(workers.slots, "slot")} busy${
          workers.gone === 0 ? "" : `, ${formatCount(workers.gone)} gone`
        }`,
      isAlone ? "bad" : workers !== null && workers.gone > 0 ? "warn" : "ok",
    )
  }
</dl>`;
}

/** Topics may share a dead letter topic: each is counted once. */
function countUnhandled(topics: readonly TopicStatus[]): number | null {
  const counts = new Map(
    topics.flatMap(({ deadLetters }) =>
      deadLetters === null ? [] : [[deadLetters.topic, deadLetters.unhandled] as const]
    ),
  );
  const known = [...counts.values()].filter((count) => count !== null);
  return known.length < counts.size ? null : known.reduce((sum, count) => sum + count, 0);
}

function renderErrors({ status, errors, areErrorsCut }: OverviewData, context: PageContext): Html {
  const isKnown = countUnhandled(status.topics) !== null;
  return html`
    <section aria-labelledby="errors">
      <h2 id="errors">Latest dead letters by error</h2>
      ${errors.length === 0
        ? renderEmpty(isKnown ? "No dead letter waits for you." : "No dead letter could be read.")
        : html`<ul class="errors">${errors.map((group) => renderGroup(group, context))}</ul>`}
      ${areErrorsCut && html`<p class="soft">Counted among the newest ${RECENT_LETTERS}: there are more.</p>`}
    </section>
  `;
}

function renderGroup(group: LetterGroup, { url, nowMs }: PageContext): Html {
  const { jobClass, errorClass, message, unhandled, lastAtMs } = group;
  const link = url("dead_letters", letterQuery(filterOfGroup(group)));
  return html`
    <li>
      <a href="${link}"><b>${formatCount(unhandled)} ×</b> ${renderName(jobClass, "unreadable")}</a>
      ${renderError(errorClass, message, 160)}
      <span class="soft">last ${renderTime(lastAtMs, nowMs)}</span>
    </li>
  `;
}
