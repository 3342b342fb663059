/** The table of the partitions of a topic, worst first, in parts of 100; a form pauses or resumes one of them. Pure. */
import type { PartitionSummary } from "../../status/status.ts";
import { compareStates } from "../../status/topic_state.ts";
import { clip, formatCount } from "./format.ts";
import { type Html, html, type HtmlValue } from "./html.ts";
import { recordsPath, topicPath, workerPath } from "./links.ts";
import type { PageContext } from "./page.ts";
import { pageOf } from "./paging.ts";
import { NONE, renderAge, renderCount, renderEmpty, renderState, renderTable } from "./parts.ts";
import { renderPartitionForm, type TopicPauses } from "./pause_form.ts";

const PAGE_SIZE = 100;

const COLUMNS = [
  { name: "Partition", isNumber: true },
  { name: "State" },
  { name: "Oldest waiting", isNumber: true },
  { name: "Waiting", isNumber: true },
  { name: "Committed", isNumber: true },
  { name: "End", isNumber: true },
  { name: "Owner" },
];

/** Renders the table. While the whole topic is paused, no partition has a form. */
export function renderPartitions({ topic, pausedPartitions, canPause }: TopicPauses, context: PageContext): Html {
  const { queue, partitions, pausedBy } = topic;
  const { query, url, access } = context;
  const sorted = partitions.toSorted((a, b) => compareStates(a, b) || a.partition - b.partition);
  const { items, pager } = pageOf(
    "Pages of partitions",
    sorted,
    PAGE_SIZE,
    query,
    (page) => `${url(topicPath(queue), { page })}#partitions`,
  );
  const paused = new Set(pausedPartitions.map(({ partition }) => partition));
  const hasForms = access === "operate" && canPause && pausedBy === null;
  const formOf = (partition: number) =>
    hasForms &&
    html`<td class="actions">${renderPartitionForm(queue, partition, paused.has(partition), context)}</td>`;
  const table = items.length === 0 ? renderEmpty("None is known: the topic may not exist.") : renderTable(
    "Partitions, worst first",
    hasForms ? [...COLUMNS, { name: "Action" }] : COLUMNS,
    items.map((partition) => renderPartition(queue, partition, formOf(partition.partition), context)),
    { isCaptionHidden: true },
  );
  return html`
    <section aria-labelledby="partitions">
      <h2 id="partitions">Partitions</h2>
      ${table} ${pager}
    </section>
  `;
}

function renderPartition(
  queue: string,
  { partition, state, oldestWaitingMs, lag, committed, high, owner }: PartitionSummary,
  form: Html | false,
  { url }: PageContext,
): Html {
  const link = (content: HtmlValue, from: number | null) =>
    html`<a href="${url(recordsPath(queue), { partition, from })}">${content}</a>`;
  return html`
    <tr id="partition-${partition}">
      <th scope="row" class="n">${link(partition, null)}</th>
      <td>${renderState(state)}</td>
      <td class="n">${renderAge(oldestWaitingMs)}</td>
      <td class="n">${renderCount(lag)}</td>
      <td class="n">${committed === null ? NONE : link(formatCount(committed), committed)}</td>
      <td class="n">${high === null ? NONE : formatCount(high)}</td>
      <td>${owner === null ? NONE : html`<a href="${url(workerPath(owner))}">${clip(owner, 50)}</a>`}</td>
      ${form}
    </tr>
  `;
}
