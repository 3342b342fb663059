/** A user of a dashboard who has no script: asks for pages, follows links, fills in forms and sends them. */
import { activeJobTopic, App } from "@activejob/kafka";
import { type Dashboard, dashboard } from "@activejob/kafka/web";
import { assert, assertEquals } from "@std/assert";

const SITE = "http://jobs.test/";

/** A page as a browser shows it. */
export interface ShownPage {
  /** The status of the response. */
  readonly status: number;
  /** The path and the query. */
  readonly path: string;
  /** The markup. */
  readonly html: string;
  /** The text, without tags, with one space between words. */
  readonly text: string;
}

/** Returns an App with one topic, `default`, and nothing else. */
export function createPlainApp(): App {
  return new App({ name: "shop", broker: "memory:", jobs: [], topics: [activeJobTopic("default")], logger: false });
}

/** Serves the dashboard of an App to one user, `"ada"`. */
export function serveDashboard(app: App, access: "read" | "operate" = "operate"): Dashboard {
  return dashboard(app, { authorize: () => ({ user: "ada", access }) });
}

/**
 * Opens the dashboard of an App.
 *
 * @param fetch handles the requests. @default a dashboard of its own
 */
export function openDashboard(
  app: App,
  access: "read" | "operate" = "operate",
  fetch: Dashboard["fetch"] = serveDashboard(app, access).fetch,
) {
  const cookies = new Map<string, string>();

  async function open(path: string, init?: RequestInit): Promise<ShownPage> {
    const request = new Request(new URL(path, SITE), init);
    const sent = Array.from(cookies, (pair) => pair.join("=")).join("; ");
    if (sent !== "" && !request.headers.has("cookie")) request.headers.set("cookie", sent);
    const response = await fetch(request);
    for (const text of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(text)!;
      if (text.includes("Max-Age=0;")) cookies.delete(name!);
      else cookies.set(name!, value!);
    }
    if (response.status === 303) {
      return await open(new URL(response.headers.get("location")!, new URL(path, SITE)).href);
    }
    const html = await response.text();
    const url = new URL(path, SITE);
    return { status: response.status, path: `${url.pathname}${url.search}`, html, text: textOf(html) };
  }

  return {
    open,
    /** Returns the data of a page. */
    async api(path: string) {
      const response = await fetch(new Request(new URL(`api/${path}`, SITE)));
      assertEquals(response.status, 200);
      return await response.json();
    },
    /** Follows the first link with a text. */
    async follow(page: ShownPage, text: string): Promise<ShownPage> {
      const links = [...page.html.matchAll(/<a\b[^>]*href="([^"]*)"[^>]*>([\s\S]*?)<\/a>/g)];
      const link = links.find(([, , inner]) => textOf(inner!).includes(text));
      assert(link !== undefined, `no link "${text}" on ${page.path}`);
      return await open(new URL(unescape(link[1]!), new URL(page.path, SITE)).href);
    },
    /**
     * Sends the form that has a button.
     *
     * @param button the text of the button
     * @param ticked the boxes and fields that the user fills in
     */
    async press(
      page: ShownPage,
      button: string,
      ticked: readonly (readonly [string, string])[] = [],
    ): Promise<ShownPage> {
      const forms = [...page.html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)];
      const form = forms.find(([, , inner]) =>
        [...inner!.matchAll(BUTTON)].some(([, , label]) => textOf(label!).includes(button))
      );
      assert(form !== undefined, `no button "${button}" on ${page.path}`);
      const [, attributes, inner] = form;
      const [, pressed] = [...inner!.matchAll(BUTTON)].find(([, , label]) => textOf(label!).includes(button))!;
      const fields = [...inner!.matchAll(/<input\b([^>]*)>/g)].map(([, input]) => input!)
        .filter((input) => attribute(input, "type") === "hidden")
        .map((input) => [attribute(input, "name")!, attribute(input, "value") ?? ""] as const);
      const sent = new URLSearchParams([
        ...fields,
        ...ticked,
        ...attribute(pressed!, "name") === null
          ? []
          : [[attribute(pressed!, "name")!, attribute(pressed!, "value") ?? ""]],
      ] as [string, string][]);
      const target = new URL(attribute(attributes!, "action") ?? "", new URL(page.path, SITE));
      if (attribute(attributes!, "method") !== "post") return await open(`${target.pathname}?${sent}`);
      return await open(target.href, { method: "POST", body: sent, headers: { "sec-fetch-site": "same-origin" } });
    },
  };
}

const BUTTON = /<button\b([^>]*)>([\s\S]*?)<\/button>/g;

function attribute(tag: string, name: string): string | null {
  const found = new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(tag);
  return found === null ? null : unescape(found[1]!);
}

function textOf(html: string): string {
  return unescape(html.replace(/<(?:script|style)[\s\S]*?<\/(?:script|style)>/g, "").replace(/<[^>]*>/g, " "))
    .replace(/\s+/g, " ").trim();
}

function unescape(text: string): string {
  return text.replace(/&(lt|gt|quot|#39|amp);/g, (_, name: string) => ENTITIES[name]!);
}

const ENTITIES: Readonly<Record<string, string>> = { "lt": "<", "gt": ">", "quot": '"', "#39": "'", "amp": "&" };
