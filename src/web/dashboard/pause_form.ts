/** Pausing and resuming a topic from its page: a form without a script, whose reason other operators see. */
import type { TopicStatus } from "../../status/status.ts";
import { clip } from "./format.ts";
import { type Html, html } from "./html.ts";
import type { Action, PageContext } from "./page.ts";
import { renderTime } from "./parts.ts";
import { readReason, renderReasonField } from "./reason_field.ts";

/** The actions of a topic. */
export const PAUSE_ACTIONS: readonly Action[] = [
  {
    name: "pause",
    async perform(app, { params, form, user }) {
      const queue = params.queue!;
      await app.pause(queue, { by: user, ...readReason(form) });
      return {
        outcome: "done",
        target: queue,
        message: `Paused topic ${queue}: no job of it starts. Jobs that run go on to their end`,
      };
    },
  },
  {
    name: "resume",
    async perform(app, { params, user }) {
      const queue = params.queue!;
      const ended = await app.resume(queue, { by: user });
      return ended.length === 0
        ? { outcome: "refused", target: queue, message: `Topic ${queue} is not paused` }
        : { outcome: "done", target: queue, message: `Resumed topic ${queue}` };
    },
  },
];

/** Renders the pause of a topic, and the form that changes it. */
export function renderPause(
  { topic, canPause }: { readonly topic: TopicStatus; readonly canPause: boolean },
  context: PageContext,
): Html | null {
  const { queue, pausedBy, partitions } = topic;
  const isAllowed = context.access === "operate" && canPause;
  const action = context.url(`topics/${encodeURIComponent(queue)}`);
  const isPaused = pausedBy !== null || partitions.some(({ state }) => state === "paused");
  if (!isPaused) return isAllowed ? renderPauseForm(queue, action) : null;
  const { by = null, why = null } = pausedBy ?? {};
  const since = pausedBy !== null && renderTime(pausedBy.atMs, context.nowMs);
  return html`
    <p class="notes">
      ${pausedBy === null ? "Some partitions are paused" : `Paused by ${clip(by ?? "an unknown operator", 80)}`}
      ${since}${why !== null && `: ${clip(why, 300)}`}
    </p>
    ${isAllowed && renderResumeForm(queue, action)}
  `;
}

function renderResumeForm(queue: string, action: string): Html {
  return html`
    <form method="post" action="${action}" class="buttons" data-once>
      <button name="action" value="resume">Resume ${clip(queue, 60)}</button>
    </form>
  `;
}

function renderPauseForm(queue: string, action: string): Html {
  return html`
    <details class="ask" id="pause">
      <summary>Pause this topic…</summary>
      <form method="post" action="${action}" data-once>
        <p>
          No job of it starts until it is resumed. Jobs that run go on to their end; jobs are still enqueued.
        </p>
        ${renderReasonField()}
        <button name="action" value="pause">Pause ${clip(queue, 60)}</button>
      </form>
    </details>
  `;
}
