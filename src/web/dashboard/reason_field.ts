/** The reason of an operator's order: a field of its form, which other operators see afterwards. Pure. */
import { type Html, html } from "./html.ts";

/** Longest reason, in characters. */
const MAX_REASON = 200;

/** Renders the field. */
export function renderReasonField(): Html {
  return html`<label>Reason, for other operators <input name="why" maxlength="${MAX_REASON}"></label>`;
}

/** Reads the field. @returns the option of the order; none for an empty field */
export function readReason(form: URLSearchParams): { readonly why?: string } {
  const why = (form.get("why") ?? "").trim().slice(0, MAX_REASON);
  return why === "" ? {} : { why };
}
