/**
 * Pausing and resuming a topic, or one partition of it, from the page of the topic: forms without a script, whose reason other
 * operators see.
 */
import type { PausedTopic } from "../../control/control.ts";
import type { TopicStatus } from "../../status/status.ts";
import { clip } from "./format.ts";
import { type Html, html } from "./html.ts";
import { topicPath } from "./links.ts";
import { type Action, type PageContext, PageError } from "./page.ts";
import { renderTime } from "./parts.ts";
import { readReason, renderReasonField } from "./reason_field.ts";

/** The actions of a topic: those of a form with the field `partition` are about that partition only. */
export const PAUSE_ACTIONS: readonly Action[] = [
  {
    name: "pause",
    async perform(app, { params, form, user }) {
      const queue = params.queue!;
      const partition = readPartition(form);
      await app.pause(queue, { by: user, ...partition, ...readReason(form) });
      return {
        outcome: "done",
        target: formatTarget(queue, partition),
        message: `Paused ${describePlace(queue, partition)}: no job of it starts. Jobs that run go on to their end`,
      };
    },
  },
  {
    name: "resume",
    async perform(app, { params, form, user }) {
      const queue = params.queue!;
      const partition = readPartition(form);
      const [target, place] = [formatTarget(queue, partition), describePlace(queue, partition)];
      const ended = await app.resume(queue, { by: user, ...partition });
      if (ended.length === 0) return { outcome: "refused", target, message: `${capitalize(place)} is not paused` };
      const isTopicPaused = (await app.paused()).some((each) => each.queue === queue && each.partition === null);
      const message = `Resumed ${place}${isTopicPaused ? ", but the whole topic is still paused" : ""}`;
      return { outcome: "done", target, message };
    },
  },
];

/** One partition, or the whole topic. */
interface Place {
  readonly partition?: number;
}

/** @throws {PageError} 400 for a partition that is not a number */
function readPartition(form: URLSearchParams): Place {
  const text = form.get("partition");
  if (text === null) return {};
  if (!/^\d{1,9}$/.test(text)) throw new PageError(400, "The partition of the form is not a number");
  return { partition: Number(text) };
}

function formatTarget(queue: string, { partition }: Place): string {
  return partition === undefined ? queue : `${queue}/${partition}`;
}

function describePlace(queue: string, { partition }: Place): string {
  return partition === undefined ? `topic ${queue}` : `partition ${partition} of topic ${queue}`;
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The pauses of a topic, and whether they can be changed. */
export interface TopicPauses {
  readonly topic: TopicStatus;
  /** The partitions that are paused by themselves, each once. */
  readonly pausedPartitions: readonly PausedTopic[];
  /** Whether an operator can pause topics of this App. */
  readonly canPause: boolean;
}

/** Renders the pauses of a topic, and the forms that change them. */
export function renderPauses({ topic, pausedPartitions, canPause }: TopicPauses, context: PageContext): Html {
  const { queue, pausedBy } = topic;
  const isAllowed = context.access === "operate" && canPause;
  const action = context.url(topicPath(queue));
  return html`
    ${pausedBy !== null && html`<p class="notes">Paused ${describePause(pausedBy, context)}</p>`}
    ${pausedPartitions.length > 0 &&
      html`<ul class="notes">${
        pausedPartitions.slice(0, MAX_LISTED).map((each) =>
          html`<li>Partition ${each.partition} is paused ${describePause(each, context)}</li>`
        )
      }${pausedPartitions.length > MAX_LISTED && html`<li>and ${pausedPartitions.length - MAX_LISTED} more</li>`}</ul>`}
    ${isAllowed && (pausedBy !== null || pausedPartitions.length > 0) && html`
      <form method="post" action="${action}" class="buttons" data-once>
        <button name="action" value="resume">Resume ${clip(queue, 60)}</button>
      </form>
    `}
    ${isAllowed && pausedBy === null && html`
      <details class="ask" id="pause">
        <summary>Pause this topic…</summary>
        <form method="post" action="${action}" data-once>
          <p>${CONSEQUENCE}</p>
          ${renderReasonField()}
          <button name="action" value="pause">Pause ${clip(queue, 60)}</button>
        </form>
      </details>
    `}
  `;
}

/** Renders the form that pauses one partition, or resumes one that is paused by itself. */
export function renderPartitionForm(queue: string, partition: number, isPaused: boolean, context: PageContext): Html {
  const action = context.url(topicPath(queue));
  const field = html`<input type="hidden" name="partition" value="${partition}">`;
  if (isPaused) {
    return html`
      <form method="post" action="${action}" data-once>
        ${field}<button name="action" value="resume">Resume partition ${partition}</button>
      </form>
    `;
  }
  return html`
    <details class="ask" id="pause-${partition}">
      <summary>Pause…</summary>
      <form method="post" action="${action}" data-once>
        <p>${CONSEQUENCE}</p>
        ${field} ${renderReasonField()}
        <button name="action" value="pause">Pause partition ${partition}</button>
      </form>
    </details>
  `;
}

const CONSEQUENCE =
  "No job of it starts until it is resumed. Jobs that run go on to their end; jobs are still enqueued.";
/** Paused partitions that are listed, at most: the table has all of them. */
const MAX_LISTED = 10;

function describePause({ by, why, atMs }: Pick<PausedTopic, "by" | "why" | "atMs">, { nowMs }: PageContext): Html {
  return html`by ${clip(by, 80)} ${renderTime(atMs, nowMs)}${why !== null && `: ${clip(why, 300)}`}`;
}
