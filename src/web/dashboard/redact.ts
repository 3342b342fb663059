/** Takes secrets out of the data of records before a page or its JSON shows them. */

/** Decides about one value. @returns the value to show instead */
export type Redact = (key: string, value: unknown) => unknown;

/** Names of values that are not shown. */
const SECRET =
  /pass(?:word|wd|phrase)?$|passw|token|secret|credential|authorization|cookie|api[-_]?key|private[-_]?key|\bpin\b|cvc|cvv|iban|ssn/i;
const REDACTED = "[redacted]";
/** Deeper data is left out. */
const MAX_DEPTH = 20;

/** The default: leaves out the values of keys such as `password`, `token` and `secret`. */
export function redactSecrets(key: string, value: unknown): unknown {
  return SECRET.test(key) ? REDACTED : value;
}

/**
 * Returns a function that copies data without its secrets.
 *
 * @param redact is called for each member of each object; the elements of an array have the key of the array
 */
export function createRedactor(redact: Redact): (data: unknown) => unknown {
  const copy = (key: string, value: unknown, depth: number): unknown => {
    if (depth > MAX_DEPTH) return "[too deep]";
    if (Array.isArray(value)) return value.map((element) => visit(key, element, depth + 1));
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value).map(([name, member]) => [name, visit(name, member, depth + 1)]);
    return Object.fromEntries(entries);
  };
  const visit = (key: string, value: unknown, depth: number) => copy(key, redact(key, value), depth);
  return (data) => copy("", data, 0);
}
