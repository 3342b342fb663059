/**
 * The interface of a page. A page loads plain data and renders it, so that the same data is served as JSON at
 * `/api/<path>`; its actions change things, by POST only.
 *
 * The life of a request: the dashboard authorizes it, finds the page, calls `load` with a time limit, then `render`.
 * A POST calls an action and redirects to a page, which shows the outcome once.
 */
import type { App } from "../../app/app.ts";
import type { Html } from "./html.ts";
import type { UrlOf } from "./links.ts";

/** The rights of a user: to look, or also to change things. */
export type Access = "read" | "operate";

/** A request for a page, as its `load` gets it. */
export interface PageRequest {
  /** The parts of the path that the pattern names with a colon, decoded. They are untrusted. */
  readonly params: Readonly<Record<string, string>>;
  /** The query. It is untrusted. */
  readonly query: URLSearchParams;
  /** The user's access. */
  readonly access: Access;
  /** The command that skips a record, without its position; absent for that of the App. */
  readonly command?: string;
  /** Aborts when the time limit is over. */
  readonly signal: AbortSignal;
  /** Returns a copy of arguments, headers or other data of a record without its secrets. */
  readonly redact: (data: unknown) => unknown;
}

/** The surroundings of a page while it is rendered. */
export interface PageContext {
  /** The user's access: render the buttons of an action only for `"operate"`. */
  readonly access: Access;
  /** The user's name; `null` for a reader that is not signed in. */
  readonly user: string | null;
  /** The App's name. */
  readonly appName: string;
  /** The path of the request without a slash at its start: `""` for the first page. */
  readonly path: string;
  /** The query of the request. */
  readonly query: URLSearchParams;
  /** The time of the request, in milliseconds since 1970. */
  readonly nowMs: number;
  /** The outcome of the action that redirected here; `null` for none. The layout shows it. */
  readonly outcome: ShownOutcome | null;
  /**
   * Returns the URL of a page of the dashboard, wherever it is mounted.
   *
   * @param path such as `"topics/default"`: `links.ts` makes those with untrusted parts
   * @param query parameters to add; those that are `undefined` or `null` are left out
   */
  readonly url: UrlOf;
}

/** A request for an action. */
export interface ActionRequest extends PageRequest {
  /** The fields of the form. They are untrusted. */
  readonly form: URLSearchParams;
  /** The user's name, for markers. */
  readonly user: string;
}

/** The outcome of an action. */
export interface ActionOutcome {
  /** Whether it was done, failed, or was refused since it is not allowed or makes no sense. */
  readonly outcome: "done" | "failed" | "refused";
  /** The thing that it was about, in one line: `"dead_jobs/0@41"`, `"3 dead letters of MailJob"`. */
  readonly target: string;
  /** A sentence for the user: `"Requeued 3 dead letters"`. */
  readonly message: string;
}

/** The outcome of an action, as the next page shows it. */
export type ShownOutcome = Pick<ActionOutcome, "outcome" | "message">;

/**
 * An action of a page, for users who may operate. Its form has `method="post"`, the page's own URL, and a button
 * `name="action" value="<name>"`. A field {@linkcode FORM_ID} makes it a form that is accepted once.
 */
export interface Action {
  /** The value of the field `action`. */
  readonly name: string;
  /** The path to redirect to if it throws, or takes too long. @default the page itself */
  readonly failedRedirectTo?: string;
  /**
   * Performs it. An error that it throws counts as failed, with the error's message.
   *
   * @returns the outcome, which the page shows next, and the path to redirect to. @default the page itself
   */
  perform(app: App, request: ActionRequest): Promise<ActionOutcome & { readonly redirectTo?: string }>;
}

/** A page. */
export interface Page<Data = unknown> {
  /** The pattern of its path without a slash at its start: `""`, `"topics"`, `"topics/:topic"`. */
  readonly path: string;
  /** Its name in the navigation; `null` to leave it out there. */
  readonly nav: string | null;
  /** Loads its data: plain data that JSON can hold, without secrets. */
  load(app: App, request: PageRequest): Promise<Data>;
  /** Returns its title, as plain text. */
  title(data: Data): string;
  /** Renders the content of `<main>`. It must be fast and must not throw for any data. */
  render(data: Data, context: PageContext): Html;
  /** Its actions. @default none */
  readonly actions?: readonly Action[];
}

/** An error with a page of its own, such as for a topic that is not declared. Its message is shown to the user. */
export class PageError extends Error {
  /** `"PageError"`. */
  override name = "PageError";
  /** The status of the response. */
  readonly status: number;

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}
