/**
 * The confirmation of an action on dead letters: it says what will happen before it does. It counts the jobs that go to each topic
 * and the letters that stay, with the reasons. Letters that were handled before are part of it only if a box is ticked.
 */
import type { App } from "../../../app/app.ts";
import type { DeadLetterAction } from "../../../dead_letters/marker.ts";
import type { DeadLetter } from "../../../dead_letters/letter.ts";
import { formatPosition, type Position } from "../../../support/position.ts";
import { clip, countOf, formatCount } from "../format.ts";
import { createFormId, FORM_ID } from "../form_ids.ts";
import { attributes, type Html, html } from "../html.ts";
import { letterQuery, readLetterFilter } from "../letter_filter.ts";
import type { LetterFilter } from "../letter_groups.ts";
import { boundsOf, readSelection } from "../letter_selection.ts";
import { type Action, type ActionRequest, type Page, type PageContext, PageError, type PageRequest } from "../page.ts";
import { renderError, renderName, renderTable, renderTime } from "../parts.ts";

/** The data of the page. */
export interface ConfirmLettersData {
  /** The action to confirm. */
  readonly action: DeadLetterAction;
  /** The filter that selects; `null` where positions do. */
  readonly filter: LetterFilter | null;
  /** The number of letters that are requeued, or dismissed. */
  readonly count: number;
  /** The number of jobs by the topic that they go to. Empty for dismissing. */
  readonly targets: Readonly<Record<string, number>>;
  /** The number of letters that were handled before. */
  readonly handledBefore: number;
  /** The reasons why others stay, each with the number of letters: at most 10. */
  readonly refusals: readonly { readonly reason: string; readonly count: number }[];
  /** The number of positions without a dead letter. */
  readonly missing: number;
  /** The first selected letters: at most 10. */
  readonly examples: readonly DeadLetter[];
  /** The fields of the form. */
  readonly fields: readonly (readonly [name: string, value: string])[];
}

const MAX_EXAMPLES = 10;
const MAX_REASONS = 10;

/** The page. */
export const confirmLetters: Page<ConfirmLettersData> = {
  path: "dead_letters/confirm",
  nav: null,
  title: ({ action, count }) => `${VERBS[action].verb} ${countOf(count, "dead letter")}?`,
  load: loadConfirmation,
  render: renderConfirmation,
  actions: [createAction("requeue", "requeued"), createAction("dismiss", "dismissed")],
};

const VERBS: Readonly<Record<DeadLetterAction, { readonly verb: string; readonly name: string }>> = {
  requeued: { verb: "Requeue", name: "requeue" },
  dismissed: { verb: "Dismiss", name: "dismiss" },
};

async function loadConfirmation(app: App, { query, access, signal }: PageRequest): Promise<ConfirmLettersData> {
  if (access !== "operate") throw new PageError(403, "Only a user with the access to operate changes dead letters");
  const action = query.get("do") === "dismiss" ? "dismissed" : "requeued";
  const { letters, missing } = await readSelection(app, query, signal);
  const isAll = query.get("all") === "1";
  const fresh = letters.filter(({ handled }) => handled === null);
  const reasons = new Map<string, number>();
  const refused = new Set<string>();
  if (fresh.length > 0) {
    const options = {
      dryRun: true,
      signal,
      onRefused(position: Position, reason: string) {
        refused.add(formatPosition(position));
        reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      },
    };
    if (action === "requeued") await app.deadLetters().requeue({ at: fresh }, options);
    else await app.deadLetters().dismiss({ at: fresh }, options);
  }
  const going = fresh.filter((letter) => !refused.has(formatPosition(letter)));
  const targets = Map.groupBy(action === "requeued" ? going : [], ({ source }) => source?.topic ?? "");
  return {
    action,
    filter: isAll ? readLetterFilter(query) : null,
    count: going.length,
    targets: Object.fromEntries(Array.from(targets, ([topic, some]) => [topic, some.length])),
    handledBefore: letters.length - fresh.length,
    refusals: Array.from(reasons, ([reason, count]) => ({ reason, count })).slice(0, MAX_REASONS),
    missing,
    examples: letters.slice(0, MAX_EXAMPLES),
    fields: [
      [FORM_ID, createFormId()],
      ["handledUpTo", String(lastHandledMs(letters))],
      ...isAll ? boundsOf(letters) : letters.map((letter) => ["at", formatPosition(letter)] as const),
    ],
  };
}

function renderConfirmation(data: ConfirmLettersData, context: PageContext): Html {
  const { action, count, fields, filter, handledBefore, examples, missing } = data;
  const { verb, name } = VERBS[action];
  const query = filter === null ? {} : letterQuery(filter);
  const back = context.url("dead_letters", query);
  // The filter is in the URL: in a field, a character that is not seen would change.
  const target = context.url("dead_letters/confirm", filter === null ? {} : { ...query, all: "1" });
  const canAct = count > 0 || handledBefore > 0;
  return html`${renderConsequences(data)}
${
    missing > 0 &&
    html`<p class="notes">${countOf(missing, "position")} of the selection ${
      missing === 1 ? "has" : "have"
    } no dead letter any more.</p>`
  }
${
    canAct
      ? html`<form method="post" action="${target}" data-once>
${fields.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
${
        handledBefore > 0 &&
        html`<p class="notes"><label><input type="checkbox" name="force" value="1"${
          attributes({ required: count === 0 })
        }> ${
          action === "requeued"
            ? html`Requeue ${handledAgain(handledBefore)} as well: <strong>${
              handledBefore === 1 ? "its job runs" : "their jobs run"
            } a second time</strong>`
            : html`Dismiss ${handledAgain(handledBefore)} as well`
        }</label></p>`
      }
<p class="buttons"><button name="action" value="${name}">${verb} ${
        count === 0 ? "again" : countOf(count, "dead letter")
      }</button> <a href="${back}">Cancel</a></p></form>`
      : html`<p><a href="${back}">Back to the dead letters</a></p>`
  }
${examples.length > 0 && renderExamples(examples, context)}`;
}

function handledAgain(count: number): string {
  return count === 1 ? "the one that was handled before" : `the ${formatCount(count)} that were handled before`;
}

function renderConsequences({ action, count, targets, refusals, handledBefore }: ConfirmLettersData): Html {
  const stay = refusals.map(({ reason, count }) =>
    html`<li>${countOf(count, "letter")} ${count === 1 ? "stays" : "stay"}: ${clip(reason, 300)}</li>`
  );
  const before = handledBefore > 0 &&
    html`<li>${countOf(handledBefore, "letter")} ${handledBefore === 1 ? "was" : "were"} handled before and ${
      handledBefore === 1 ? "stays" : "stay"
    }, unless you tick the box</li>`;
  const happens = action === "dismissed"
    ? [
      html`<li><b>${countOf(count, "dead letter")}</b> ${
        count === 1 ? "is" : "are"
      } marked as dismissed. No job runs.</li>`,
    ]
    : Object.entries(targets).map(([topic, jobs]) =>
      html`<li><b>${countOf(jobs, "job")}</b> ${jobs === 1 ? "goes" : "go"} back to topic <b>${
        clip(topic, 80)
      }</b> with the same arguments; attempts start at 1</li>`
    );
  return html`<ul class="consequences">${happens}${before}${stay}</ul>`;
}

function renderExamples(examples: readonly DeadLetter[], { nowMs }: PageContext): Html {
  return renderTable(
    "The first of them",
    [{ name: "Letter" }, { name: "Class" }, { name: "Error" }, { name: "When" }, { name: "Handled" }],
    examples.map((letter) =>
      html`
        <tr>
          <th scope="row">${clip(formatPosition(letter), 80)}</th>
          <td>${renderName(letter.jobClass, "unreadable")}</td>
          <td>${renderError(letter.errorClass, letter.errorMessage, 160)}</td>
          <td>${renderTime(letter.deadLetteredAt?.getTime() ?? null, nowMs)}</td>
          <td>${letter.handled === null ? "" : html`${letter.handled.action} by ${clip(letter.handled.by, 40)}`}</td>
        </tr>
      `
    ),
  );
}

function createAction(name: string, action: DeadLetterAction): Action {
  // The page itself shows nothing without a selection.
  return {
    name,
    failedRedirectTo: "dead_letters",
    perform: (app, request) => handleLetters(app, request, action),
  };
}

/** Returns the time at which the last of some letters was handled, in ms since 1970; 0 for none. */
function lastHandledMs(letters: readonly DeadLetter[]): number {
  return letters.reduce((lastMs, { handled }) => Math.max(lastMs, handled?.at.getTime() ?? 0), 0);
}

/**
 * Returns the letters that a form handles. The box of the form is about letters that were handled before its page was made. One
 * that was handled since is not handled again: the form may have been sent twice, to two processes.
 */
function withoutHandledSince(letters: readonly DeadLetter[], handledUpTo: string | null): readonly DeadLetter[] {
  const upToMs = Number(handledUpTo ?? Infinity);
  return letters.filter(({ handled }) => handled === null || handled.at.getTime() <= upToMs);
}

async function handleLetters(app: App, { form, query, user, signal }: ActionRequest, action: DeadLetterAction) {
  const { letters } = await readSelection(app, new URLSearchParams([...query, ...form]), signal);
  const selected = letters.length === 1 ? formatPosition(letters[0]!) : countOf(letters.length, "dead letter");
  const isAll = query.get("all") === "1";
  const redirectTo = "dead_letters";
  const target = isAll ? `${selected} by a filter` : selected;
  if (letters.length === 0) {
    return {
      outcome: "refused" as const,
      target,
      message: "No dead letter matches any more: nothing was done",
      redirectTo,
    };
  }
  const reasons = new Set<string>();
  const options = {
    by: user,
    signal,
    force: form.get("force") === "1",
    onRefused: (_: unknown, reason: string) => void (reasons.size < 3 && reasons.add(reason)),
  };
  const at = options.force ? withoutHandledSince(letters, form.get("handledUpTo")) : letters;
  const handledSince = letters.length - at.length;
  if (handledSince > 0) reasons.add("handled after the form was made");
  const dead = app.deadLetters();
  const { done, refused: refusedNow } = action === "requeued"
    ? await dead.requeue({ at }, options).then(({ requeued, refused }) => ({ done: requeued, refused }))
    : await dead.dismiss({ at }, options).then(({ dismissed, refused }) => ({ done: dismissed, refused }));
  const refused = refusedNow + handledSince;
  const left = letters.length - done - refused;
  const parts = [
    `${action === "requeued" ? "Requeued" : "Dismissed"} ${countOf(done, "dead letter")}`,
    ...refused === 0 ? [] : [`${formatCount(refused)} refused: ${[...reasons].join("; ")}`],
    ...left === 0 ? [] : [`${formatCount(left)} not reached in time: do it again for the rest`],
  ];
  const outcome = done > 0 ? "done" as const : "refused" as const;
  return { outcome, target, message: parts.join(". "), redirectTo };
}
