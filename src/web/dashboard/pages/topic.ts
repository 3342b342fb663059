/**
 * One topic: its state in words, the records that fail, what runs, its partitions; pause and resume. It needs no worker: what
 * only workers report is missing then.
 */
import type { App } from "../../../app/app.ts";
import { InvalidConfigurationError, isErrorOf } from "../../../errors.ts";
import type { PausedTopic } from "../../../control/control.ts";
import type { TopicStatus } from "../../../status/status.ts";
import { CANCEL_ACTION } from "../cancel_form.ts";
import { type Hour, renderHour } from "../charts.ts";
import { addUpHours, type FailingRecord, listFailing, listRunning, type RunningOnWorker } from "../fleet.ts";
import { clip, countOf, formatCount } from "../format.ts";
import { type Html, html } from "../html.ts";
import { recordPath, recordsPath } from "../links.ts";
import { loadStatus, type StatusWithWorkers } from "../load_status.ts";
import { type Page, type PageContext, PageError, type PageRequest } from "../page.ts";
import {
  NONE,
  renderAge,
  renderCommand,
  renderCount,
  renderDelayed,
  renderEmpty,
  renderError,
  renderNotes,
  renderNumber,
  renderState,
  renderTime,
  toneOf,
} from "../parts.ts";
import { PART_LIMIT_MS, PartLoader } from "../part_loader.ts";
import { renderPartitions } from "../partitions_table.ts";
import { PAUSE_ACTIONS, renderPauses } from "../pause_form.ts";
import { renderRunningTable } from "../running_table.ts";
import { runWithin } from "../time_limit.ts";
import { adviceOf, splitCommand } from "../verdict.ts";

/** The data of the page. */
export interface TopicData {
  /** The topic, as `app.status()` returns it. */
  readonly topic: TopicStatus;
  /** The records that fail on live workers, those that wait for an operator first: at most 20. */
  readonly failing: readonly FailingRecord[];
  /** The jobs that run, the longest first: at most 50. */
  readonly running: readonly RunningOnWorker[];
  /** The last hour by minute, oldest first; `null` if no worker reports it. */
  readonly hour: Hour | null;
  /** The partitions that an operator has paused by themselves; none if they are not known. */
  readonly pausedPartitions: readonly PausedTopic[];
  /** Whether all delayed jobs were counted: there may be more otherwise. */
  readonly isDelayedComplete: boolean;
  /** Whether an operator can pause topics of this App, and cancel jobs. */
  readonly canPause: boolean;
  /** The time of the data, in ms since 1970. */
  readonly atMs: number;
  /** Sentences about what is not known, and why. */
  readonly notes: readonly string[];
}

const MAX_FAILING = 20;
const MAX_RUNNING = 50;

/** The page. */
export const topic: Page<TopicData> = {
  path: "topics/:queue",
  nav: null,
  title: ({ topic }) => `Topic ${clip(topic.queue, 100)}`,
  load: loadTopic,
  render: renderTopic,
  actions: [...PAUSE_ACTIONS, CANCEL_ACTION],
};

async function loadTopic(app: App, { params, command }: PageRequest): Promise<TopicData> {
  const parts = new PartLoader();
  const [{ status, workers: reported }, paused] = await Promise.all([
    readTopic(app, parts, { topics: [params.queue!], ...command === undefined ? {} : { command } }),
    // The status has a note if they cannot be read.
    app.canControl ? runWithin(PART_LIMIT_MS, () => app.paused()).catch(() => []) : [],
  ]);
  const [topic] = status.topics as [TopicStatus];
  const workers = reported ?? [];
  const isHere = (each: { readonly topic: string }) => each.topic === topic.topic;
  return {
    topic,
    failing: listFailing(workers, command).filter(isHere).slice(0, MAX_FAILING),
    running: listRunning(workers).filter(isHere).slice(0, MAX_RUNNING),
    hour: addUpHours(workers, status.atMs).get(topic.topic) ?? null,
    pausedPartitions: paused.filter((each) => each.topic === topic.topic && each.partition !== null),
    isDelayedComplete: status.isDelayedComplete,
    canPause: app.canControl,
    atMs: status.atMs,
    notes: [...status.notes, ...parts.notes],
  };
}

async function readTopic(
  app: App,
  parts: PartLoader,
  options: { readonly topics: readonly [string]; readonly command?: string },
): Promise<StatusWithWorkers> {
  try {
    return await loadStatus(app, parts, options);
  } catch (error) {
    if (!isErrorOf(error, InvalidConfigurationError)) throw error;
    throw new PageError(404, `The App declares no topic "${clip(options.topics[0], 200)}"`);
  }
}

function renderTopic(data: TopicData, context: PageContext): Html {
  const { topic, hour, failing, notes } = data;
  const { words, command } = splitCommand(topic);
  // A worker that reports the record has the command beside its error.
  const isShown = failing.some(({ isStuck }) => isStuck);
  return html`<div data-refresh="5">
<p class="verdict ${toneOf(topic.state)}">${renderState(topic.state)} ${clip(words, 400)}</p>
${topic.state !== "ok" && html`<p class="do">${adviceOf(topic.state)}</p>`}
${command !== null && !isShown && renderCommand(command)}
${renderNotes(notes)}
${renderNumbers(data, context)}
${failing.length > 0 && renderFailing(failing, topic, context)}
${renderPauses(data, context)}
${hour !== null && renderHour(hour)}
${renderPartitions(data, context)}
${renderRunning(data, context)}
</div>`;
}

function renderNumbers({ topic, isDelayedComplete }: TopicData, { url }: PageContext): Html {
  const { queue, oldestWaitingMs, lag, delayed, deadLetters, workers, state } = topic;
  return html`<dl class="numbers">
${
    renderNumber(
      "Oldest waiting",
      renderAge(oldestWaitingMs),
      oldestWaitingMs === null ? "nothing waits" : "",
      toneOf(state),
    )
  }
${
    renderNumber(
      "Waiting",
      lag === null ? NONE : formatCount(lag),
      html`<a href="${url(recordsPath(queue))}">Look at the records</a>`,
    )
  }
${renderNumber("Running", renderCount(topic.running), "")}
${renderNumber("Delayed", renderDelayed(delayed, isDelayedComplete), html`<a href="${url("delayed")}">for later</a>`)}
${
    deadLetters !== null && renderNumber(
      "Dead letters",
      deadLetters.unhandled === null
        ? NONE
        : html`<a href="${url("dead_letters", { topic: deadLetters.topic })}">${
          formatCount(deadLetters.unhandled)
        }</a>`,
      html`in ${clip(deadLetters.topic, 40)}`,
      deadLetters.unhandled ? "warn" : "ok",
    )
  }
${renderNumber("Workers", renderCount(workers), "", workers === 0 && (lag ?? 0) > 0 ? "bad" : "ok")}
</dl>`;
}

function renderFailing(failing: readonly FailingRecord[], { queue }: TopicStatus, context: PageContext): Html {
  return html`
    <section aria-labelledby="failing">
      <h2 id="failing">Records that fail</h2>
      <ol class="problems-list">${failing.map((record) => renderFailingRecord(record, queue, context))}</ol>
    </section>
  `;
}

function renderFailingRecord(record: FailingRecord, queue: string, { url, nowMs }: PageContext): Html {
  const { partition, offset, isStuck, attempts, nextTryAtMs, error, remedy, worker } = record;
  const place = url(recordPath(queue, record));
  const next = nextTryAtMs <= nowMs ? "being tried now" : html`next try ${renderTime(nextTryAtMs, nowMs)}`;
  return html`
    <li class="problem ${isStuck ? "bad" : "warn"}" id="failing-${partition}-${offset}">
      <p>
        ${renderState(isStuck ? "stuck" : "retrying")}
        <a href="${place}">partition ${partition}, offset ${formatCount(offset)}</a>
        <span class="soft">${countOf(attempts, "run")} failed; ${next}; on ${clip(worker, 60)}</span>
      </p>
      <p>${renderError(error.errorClass, error.message, 600)}</p>
      ${remedy !== null && html`<p class="do">To skip it:</p>${renderCommand(remedy)}`}
    </li>
  `;
}

function renderRunning({ running, topic, canPause }: TopicData, context: PageContext): Html {
  const more = (topic.running ?? 0) - running.length;
  return html`<section aria-labelledby="running"><h2 id="running">Running</h2>${
    running.length === 0
      ? renderEmpty(topic.running === null ? "No worker reports what runs." : "No job runs.")
      : renderRunningTable(running, canPause, context)
  }${more > 0 && html`<p class="soft">and ${formatCount(more)} more</p>`}</section>`;
}
