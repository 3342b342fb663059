/** The page of a request that fails: it says what happened and what to do, and leaves out what only the log should have. */
import { BrokerError, describeError, InvalidConfigurationError, isErrorOf, UnknownTopicError } from "../../errors.ts";
import { html } from "./html.ts";
import { renderDocument } from "./layout.ts";
import { type Page, type PageContext, PageError } from "./page.ts";
import { respondHtml, respondJson } from "./responses.ts";
import { TimeLimitError } from "./time_limit.ts";

/** The request that failed. */
export interface FailedRequest {
  readonly isApi: boolean;
  readonly pages: readonly Page[];
  readonly context: PageContext;
  readonly brokerName: string;
  /** Logs an error whose message is not shown. */
  readonly report: (error: unknown) => void;
}

/** Responds with the page of an error, or with its JSON. */
export function respondError(error: unknown, { isApi, pages, context, brokerName, report }: FailedRequest): Response {
  const { status, title, message } = explain(error, brokerName, report);
  if (isApi) return respondJson(status, { error: message });
  const content = html`<p class="error">${message}</p>`;
  return respondHtml(status, renderDocument({ title, content, pages, context }));
}

interface Explanation {
  readonly status: number;
  readonly title: string;
  readonly message: string;
}

function explain(error: unknown, brokerName: string, report: (error: unknown) => void): Explanation {
  if (error instanceof PageError) {
    return { status: error.status, title: error.status === 404 ? "Not found" : "Not possible", message: error.message };
  }
  if (error instanceof TimeLimitError) {
    const { limitMs, reasons } = error;
    const reason = reasons.length === 0
      ? `: the broker ${brokerName} does not respond, or there is too much to read`
      : `. ${reasons.join(". ")}`;
    const message = `The page was not ready within ${limitMs} ms${reason}. Load the page again; if it stays so, look ` +
      "at the broker, and at the network between it and this server.";
    return { status: 503, title: "The page is not ready", message };
  }
  const { message } = describeError(error);
  if (isErrorOf(error, UnknownTopicError) || isErrorOf(error, InvalidConfigurationError)) {
    return { status: 404, title: "Not found", message };
  }
  report(error);
  if (isErrorOf(error, BrokerError)) return { status: 503, title: "The broker cannot be asked", message };
  return { status: 500, title: "This page failed", message: "The page could not be made: the log has the error." };
}
