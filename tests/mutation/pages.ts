/** The guards of the pages of the dashboard. */
import type { Mutant } from "../../tasks/mutation/mutant.ts";

const CONFIRM = "src/web/dashboard/pages/confirm_letters.ts";
const LETTERS = ["tests/web/dashboard/pages/dead_letters_test.ts"];
const BALANCER = ["tests/web/dashboard/balancer_test.ts"];
const TOPIC = ["tests/web/dashboard/pages/topic_test.ts"];

/** See the module. */
export const PAGES_MUTANTS: readonly Mutant[] = [
  {
    what: "pages: a reader has no form to cancel a job",
    file: "src/web/dashboard/pages/record.ts",
    find: 'cancelId !== null && access === "operate" &&',
    replace: "cancelId !== null &&",
    tests: ["tests/web/dashboard/pages/cancel_test.ts"],
    only: "a reader",
  },
  {
    what: "pages: a reader has no form to pause a partition",
    file: "src/web/dashboard/partitions_table.ts",
    find: 'access === "operate" && canPause',
    replace: "canPause",
    tests: TOPIC,
    only: "a reader",
  },
  {
    what: "pages: the form of a partition does not pause the topic",
    file: "src/web/dashboard/pause_form.ts",
    find: "return { partition: Number(text) };",
    replace: "return {};",
    tests: TOPIC,
    only: "one partition",
  },
  {
    what: "pages: a form requeues once",
    file: "src/web/dashboard/dashboard.ts",
    find: "if (!this.#usedForms.add(form.get(FORM_ID))) {",
    replace: "if (form === null) {",
    tests: LETTERS,
    only: "a group is requeued",
  },
  {
    what: "pages: a form that is sent to two dashboards requeues once",
    file: CONFIRM,
    find: "handled.at.getTime() <= upToMs",
    replace: "handled.at.getTime() <= Infinity",
    tests: BALANCER,
    only: "sent to two dashboards",
  },
  {
    what: "pages: an outcome is shown to its user only",
    file: "src/web/dashboard/outcomes.ts",
    find: " || found[1] !== user",
    replace: "",
    tests: ["tests/web/dashboard/outcomes_test.ts"],
    only: "another user",
  },
  {
    what: "pages: an outcome is shown by its own page only",
    file: "src/web/dashboard/outcomes.ts",
    find: " || found[0] !== id",
    replace: "",
    tests: ["tests/web/dashboard/outcomes_test.ts"],
    only: "another user",
  },
  {
    what: "pages: an outcome is shown once",
    file: "src/web/dashboard/dashboard.ts",
    find: '{ "set-cookie": REMOVE_OUTCOME }',
    replace: "{}",
    tests: ["tests/web/dashboard/dashboard_test.ts"],
    only: "shown once",
  },
  {
    what: "pages: a letter that was handled is requeued again only if the box is ticked",
    file: CONFIRM,
    find: 'force: form.get("force") === "1"',
    replace: "force: true",
    tests: LETTERS,
    only: "only if the box is ticked",
  },
  {
    what: "pages: a user who may only look gets no confirmation",
    file: CONFIRM,
    find: 'if (access !== "operate") throw',
    replace: "if (access === undefined) throw",
    tests: LETTERS,
    only: "arguments are shown by click",
  },
  {
    what: "pages: letters that arrive after the confirmation stay",
    file: "src/web/dashboard/letter_selection.ts",
    find: "(ends === null || letter.offset",
    replace: "(true || letter.offset",
    tests: LETTERS,
    only: "letters that arrive after",
  },
  {
    what: "pages: a form handles no letter that is older than those that it was made of",
    file: "src/web/dashboard/letter_selection.ts",
    find: "(starts === null || letter.offset",
    replace: "(true || letter.offset",
    tests: LETTERS,
    only: "once the newest",
  },
  {
    what: "pages: a letter of a confirmation has no arguments",
    file: "src/web/dashboard/letter_selection.ts",
    find: "    return letter;",
    replace: "    return { ..._envelope, ...letter };",
    tests: LETTERS,
    only: "a letter beyond the newest",
  },
  {
    what: "pages: arguments of a dead letter are for a user who may operate",
    file: "src/web/dashboard/pages/dead_letter.ts",
    find: 'query.get("payload") === "1" && access === "operate"',
    replace: 'query.get("payload") === "1"',
    tests: LETTERS,
    only: "arguments are shown by click",
  },
  {
    what: "pages: arguments of a record are for a user who may operate",
    file: "src/web/dashboard/pages/record.ts",
    find: 'query.get("payload") === "1" && access === "operate"',
    replace: 'query.get("payload") === "1"',
    tests: ["tests/web/dashboard/pages/records_test.ts"],
    only: "with its arguments by click",
  },
  {
    what: "pages: a page that is not ready names the partitions that cannot be read",
    file: "src/web/dashboard/slow_page.ts",
    find: "new TimeLimitError(limitMs, await asked)",
    replace: "error",
    tests: ["tests/web/dashboard/slow_page_test.ts"],
    only: "names it",
  },
];
