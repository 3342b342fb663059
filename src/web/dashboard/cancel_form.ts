/** Cancelling a job that waits or runs: a form without a script, whose reason other operators see. */
import { clip } from "./format.ts";
import { type Html, html } from "./html.ts";
import { type Action, PageError } from "./page.ts";
import { readReason, renderReasonField } from "./reason_field.ts";

/** The action of a page whose query names the job: in a field, a character that is not seen would change. */
export const CANCEL_ACTION: Action = {
  name: "cancel",
  async perform(app, { query, form, user }) {
    const jobId = query.get("job") ?? "";
    if (jobId === "") throw new PageError(400, "The form names no job");
    await app.cancel(jobId, { by: user, ...readReason(form) });
    return {
      outcome: "done",
      target: clip(jobId, 100),
      message: `Cancelled job ${clip(jobId, 100)}: it is not performed, and is asked to end if it runs`,
    };
  },
};

/** A job, and the place of the form in its page. */
export interface CancelTarget {
  readonly jobId: string;
  /** Letters, digits and dashes: a part of the form's id. */
  readonly place: string;
  /** The URL of the page, with the job in its query. */
  readonly action: string;
}

/** Renders the form. */
export function renderCancelForm({ jobId, place, action }: CancelTarget): Html {
  return html`
    <details class="ask" id="cancel-${place}">
      <summary>Cancel…</summary>
      <form method="post" action="${action}" data-once>
        <p>It is not performed again. If it runs, its signal aborts. This cannot be undone.</p>
        ${renderReasonField()}
        <button name="action" value="cancel">Cancel job ${clip(jobId, 40)}</button>
      </form>
    </details>
  `;
}
