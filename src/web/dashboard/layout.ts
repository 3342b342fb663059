/** The frame of every page: head, navigation, the outcome of an action, the content. */
import { attributes, type Html, html } from "./html.ts";
import type { Page, PageContext } from "./page.ts";

/** The parts of a document. */
export interface Document {
  /** The title, as plain text. */
  readonly title: string;
  /** The content of `<main>`. */
  readonly content: Html;
  /** The pages of the navigation. */
  readonly pages: readonly Page[];
  /** The surroundings. */
  readonly context: PageContext;
}

/** Renders a document, without its doctype. */
export function renderDocument({ title, content, pages, context }: Document): Html {
  const { appName, outcome, path, url, user } = context;
  const links = pages.filter(({ nav }) => nav !== null).map((page) =>
    html`<li><a href="${url(page.path)}"${
      attributes({ "aria-current": page.path === path ? "page" : isWithin(page.path, path) && "true" })
    }>${page.nav}</a></li>`
  );
  return html`
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>${title} · ${appName}</title>
        <link rel="icon" href="data:,">
        <link rel="stylesheet" href="${url("assets/style.css")}">
        <script src="${url("assets/script.js")}" defer></script>
      </head>
      <body>
        <a class="skip" href="#main">Skip to the content</a>
        <header>
          <p class="brand">${appName}<span class="soft">jobs</span></p>
          <nav aria-label="Pages">
            <ul>${links}</ul>
          </nav>
          <p class="user">${user}</p>
        </header>
        <main id="main" tabindex="-1">
    ${outcome !== null && html`<p role="status" class="outcome ${outcome.outcome}">${outcome.message}</p>`}
    <h1>${title}</h1>
    ${content}
        </main>
      </body>
    </html>
  `;
}

/** Returns whether a path lies below that of a page: those of topics belong to the first page. */
function isWithin(page: string, path: string): boolean {
  return page === "" ? path.startsWith("topics/") : path.startsWith(`${page}/`);
}
