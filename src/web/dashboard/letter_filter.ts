/** The filter of dead letters in the URL of a page, and back. The query is untrusted: unknown values match nothing. */
import type { LetterFilter, LetterGroup } from "./letter_groups.ts";

const MAX_LENGTH = 1000;

/** The name of a class in the query, and the name of the field that says that a letter has none. */
const CLASSES = { jobClass: ["class", "noclass"], errorClass: ["error", "noerror"] } as const;

/** Reads the filter of a query. An empty field of a form matches everything. */
export function readLetterFilter(query: URLSearchParams): LetterFilter {
  const read = (name: string) => query.get(name)?.slice(0, MAX_LENGTH);
  const readClass = ([name, none]: readonly [string, string]) => query.has(none) ? null : read(name) || undefined;
  const [topic, message] = [read("topic"), read("message")];
  const [jobClass, errorClass] = [readClass(CLASSES.jobClass), readClass(CLASSES.errorClass)];
  return {
    ...(topic ? { topic } : {}),
    ...(jobClass === undefined ? {} : { jobClass }),
    ...(errorClass === undefined ? {} : { errorClass }),
    ...(message === undefined ? {} : { message }),
    withHandled: query.get("handled") === "1",
  };
}

/** Returns the query of a filter, for the link to a page. */
export function letterQuery({ topic, jobClass, errorClass, message, withHandled }: LetterFilter) {
  return {
    topic: topic ?? null,
    class: jobClass ?? null,
    noclass: jobClass === null ? "1" : null,
    error: errorClass ?? null,
    noerror: errorClass === null ? "1" : null,
    message: message ?? null,
    handled: withHandled === true ? "1" : null,
  };
}

/** Returns the filter of one group. */
export function filterOfGroup({ jobClass, errorClass, message }: LetterGroup): LetterFilter {
  return { jobClass, errorClass, message };
}
