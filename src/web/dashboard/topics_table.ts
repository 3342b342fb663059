/** The table of topics of the first page: sorted by the oldest record that waits, in parts of 100, with a filter. Pure. */
import type { AppStatus, TopicStatus } from "../../status/status.ts";
import { drawSparkline, type Hour, sum } from "./charts.ts";
import { clip, formatCount } from "./format.ts";
import { attributes, type Html, html } from "./html.ts";
import { topicPath } from "./links.ts";
import type { PageContext } from "./page.ts";
import { pageOf } from "./paging.ts";
import { NONE, renderAge, renderCount, renderDelayed, renderEmpty, renderState, renderTable } from "./parts.ts";

/** Topics on one page. */
const PAGE_SIZE = 100;
/** So few are seen at once, without a filter. */
const FEW = 10;

const COLUMNS = [
  { name: "Topic" },
  { name: "State" },
  { name: "Oldest waiting", isNumber: true },
  { name: "Waiting", isNumber: true },
  { name: "Running", isNumber: true },
  { name: "Done in the last hour", isNumber: true },
  { name: "Delayed", isNumber: true },
  { name: "Dead letters", isNumber: true },
  { name: "Workers", isNumber: true },
];

/**
 * Renders the table of topics.
 *
 * @param hours the last hour of each topic, by its full name
 */
export function renderTopics(
  { topics, isDelayedComplete }: AppStatus,
  hours: Readonly<Record<string, Hour>>,
  context: PageContext,
): Html {
  const { query, url } = context;
  const search = (query.get("search") ?? "").slice(0, 100);
  const onlyWrong = query.get("only") === "wrong";
  const found = topics.filter(({ queue, state }) => queue.includes(search) && (!onlyWrong || state !== "ok"))
    .sort((a, b) => (b.oldestWaitingMs ?? -1) - (a.oldestWaitingMs ?? -1) || (a.queue < b.queue ? -1 : 1));
  const filter = { search: search === "" ? null : search, only: onlyWrong ? "wrong" : null };
  const { items, pager } = pageOf(
    "Pages of topics",
    found,
    PAGE_SIZE,
    query,
    (page) => `${url("", { ...filter, page })}#topics`,
  );
  const isSearchable = topics.length > FEW || search !== "" || onlyWrong;
  const table = items.length === 0
    ? renderEmpty(topics.length === 0 ? "The App declares no topics." : "No topic matches.")
    : renderTable(
      "Topics, the longest waiting first",
      COLUMNS,
      items.map((topic) => renderTopic({ ...topic, isDelayedComplete }, hours[topic.topic], context)),
      { isCaptionHidden: true },
    );
  return html`
    <section aria-labelledby="topics">
      <h2 id="topics">Topics</h2>
      ${isSearchable && renderSearch(search, onlyWrong, `${url("")}#topics`)} ${table} ${pager}
    </section>
  `;
}

function renderSearch(search: string, onlyWrong: boolean, action: string): Html {
  const isChecked = attributes({ checked: onlyWrong });
  return html`
    <form class="filter" action="${action}" role="search">
      <label>Name contains <input type="search" name="search" value="${search}"></label>
      <label><input type="checkbox" name="only" value="wrong"${isChecked}> only those that are not OK</label>
      <button>Filter</button>
    </form>
  `;
}

function renderTopic(
  topic: TopicStatus & Pick<AppStatus, "isDelayedComplete">,
  hour: Hour | undefined,
  { url }: PageContext,
): Html {
  const { queue, state, oldestWaitingMs, lag, running, delayed, isDelayedComplete, deadLetters, workers } = topic;
  const total = hour === undefined ? null : sum(hour.done);
  const unhandled = deadLetters?.unhandled ?? null;
  const letters = deadLetters !== null && unhandled !== null && unhandled > 0
    ? html`<a href="${url("dead_letters", { topic: deadLetters.topic })}">${formatCount(unhandled)}</a>`
    : renderCount(unhandled);
  return html`
    <tr id="topic-${queue}">
      <th scope="row"><a href="${url(topicPath(queue))}">${clip(queue, 80)}</a></th>
      <td>${renderState(state)}</td>
      <td class="n">${renderAge(oldestWaitingMs)}</td>
      <td class="n">${renderCount(lag)}</td>
      <td class="n">${renderCount(running)}</td>
      <td class="n">${hour === undefined ? NONE : drawSparkline(hour.done)} ${total !== null && renderCount(total)}</td>
      <td class="n">${renderDelayed(delayed, isDelayedComplete)}</td>
      <td class="n">${letters}</td>
      <td class="n">${renderCount(workers)}</td>
    </tr>
  `;
}
