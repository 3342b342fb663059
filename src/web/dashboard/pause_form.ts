/** Pausing and resuming a topic from its page: a form without a script, whose reason other operators see. */
import type { TopicStatus } from "../../status/status.ts";
import { clip } from "./format.ts";
import { type Html, html } from "./html.ts";
import type { Action, PageContext } from "./page.ts";
import { renderTime } from "./parts.ts";

const MAX_REASON = 200;

/** The actions of a topic. */
export const PAUSE_ACTIONS: readonly Action[] = [
  {
    name: "pause",
    async perform(app, { params, form, user }) {
      const queue = params.queue!;
      const why = (form.get("why") ?? "").trim().slice(0, MAX_REASON);
      await app.pause(queue, { by: user, ...(why === "" ? {} : { why }) });
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
  { topic: { queue, pausedBy }, canPause }: { readonly topic: TopicStatus; readonly canPause: boolean },
  { url, access, nowMs }: PageContext,
): Html | null {
  const action = url(`topics/${encodeURIComponent(queue)}`);
  const isAllowed = access === "operate" && canPause;
  if (pausedBy !== null) {
    return html`<p class="notes">Paused by ${clip(pausedBy.by ?? "an unknown operator", 80)} ${
      renderTime(pausedBy.atMs, nowMs)
    }${pausedBy.why !== null && html`: ${clip(pausedBy.why, 300)}`}</p>${
      isAllowed &&
      html`
        <form method="post" action="${action}" class="buttons"
          data-once><button name="action" value="resume">Resume ${clip(queue, 60)}</button></form>
      `
    }`;
  }
  if (!isAllowed) return null;
  return html`
    <details class="ask" id="pause">
      <summary>Pause this topic…</summary>
      <form method="post" action="${action}"
        data-once><p>No job of it starts until it is resumed. Jobs that run go on to their end; jobs are still enqueued.</p><label>Reason, for other operators <input name="why" maxlength="${MAX_REASON}"></label> <button name="action" value="pause">Pause ${clip(
          queue,
          60,
        )}</button></form>
    </details>
  `;
}
