/** The guards of the dashboard: access, origins, hosts, escaping. */
import type { Mutant } from "../../tasks/mutation/mutant.ts";

const HTML = ["tests/web/dashboard/html_test.ts"];
const REQUESTS = ["tests/web/dashboard/dashboard_test.ts"];

/** All guards. */
export const DASHBOARD_MUTANTS: readonly Mutant[] = [
  {
    what: "dashboard: a secret in a map is left out",
    file: "src/web/dashboard/redact.ts",
    find: "isSerialized && Array.isArray(shown)",
    replace: "false",
    tests: ["tests/web/dashboard/redact_test.ts"],
  },
  {
    what: "dashboard: a request without a user is refused",
    file: "src/web/dashboard/dashboard.ts",
    find: "if (found === null && !publicRead)",
    replace: "if (false)",
    tests: REQUESTS,
    only: "without a user gets 403",
  },
  {
    what: "dashboard: a user who may only look cannot change things",
    file: "src/web/dashboard/dashboard.ts",
    find: 'if (method === "POST" && visit.access !== "operate") this.#refuseChange(visit);',
    replace: "",
    tests: REQUESTS,
    only: "may only read",
  },
  {
    what: "dashboard: a form of another site is refused",
    file: "src/web/dashboard/security.ts",
    find: 'site === "same-origin" || site === "none"',
    replace: "true",
    tests: REQUESTS,
    only: "the same origin only",
  },
  {
    what: "dashboard: without Sec-Fetch-Site the origin must be that of the Host",
    file: "src/web/dashboard/security.ts",
    find: "host !== undefined && URL.parse(origin)?.host === host",
    replace: "host !== undefined",
    tests: REQUESTS,
    only: "the same origin only",
  },
  {
    what: "dashboard: a Host that is not a host is of no origin",
    file: "src/web/dashboard/security.ts",
    find: "host !== undefined && URL.parse(origin)?.host === host",
    replace: "URL.parse(origin)?.host === host",
    tests: REQUESTS,
    only: "Origin is compared",
  },
  {
    what: "dashboard: a client on this machine must use a name of this machine",
    file: "src/web/dashboard/security.ts",
    find: "|| isLoopbackName(name)",
    replace: "|| true",
    tests: REQUESTS,
    only: "a client on this machine",
  },
  {
    what: "dashboard: strings are escaped",
    file: "src/web/dashboard/html.ts",
    find: "return escapeText(text, /[\\n\\t]/)",
    replace: "if (text) return text;\n  return escapeText(text, /[\\n\\t]/)",
    tests: HTML,
    only: "escapes a string",
  },
  {
    what: "dashboard: a string in a tag outside of quotes is refused",
    file: "src/web/dashboard/html.ts",
    find: "if (isInTag !== value instanceof Attributes)",
    replace: "if (false)",
    tests: HTML,
    only: "refuses a value in a tag",
  },
  {
    what: "dashboard: a form must arrive within a time limit",
    file: "src/web/dashboard/form.ts",
    find: "await runWithin(limitMs, () => readText(reader))",
    replace: "await readText(reader)",
    tests: ["tests/web/dashboard/form_test.ts"],
    only: "does not end",
  },
  {
    what: "web: the number of connections is bounded",
    file: "src/cli/http.ts",
    find: "first!.destroy();",
    replace: "",
    tests: ["tests/cli/http_test.ts"],
    only: "too many connections",
  },
  {
    what: "web: a wrong password is refused",
    file: "src/cli/basic_authorize.ts",
    find: "timingSafeEqual(hash(given), expected)",
    replace: "timingSafeEqual(expected, expected)",
    tests: ["tests/cli/web_test.ts"],
    only: "asks for the user",
  },
];
