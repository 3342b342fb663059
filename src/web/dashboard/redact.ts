/** Takes secrets out of the data of records before a page or its JSON shows them. */

/** Decides about one value. @returns the value to show instead */
export type Redact = (key: string, value: unknown) => unknown;

/** Names of values that are not shown, as words in lower case: `accessKeyId` and `ACCESS_KEY_ID` are `access key id`. */
const SECRET = new RegExp(
  [
    "passw|pass(?:phrase|code)|pass\\b|token|secret|credential|authorization|cookie|signature|cvc|cvv|iban|ssn",
    "\\b(?:pwd|pins?|otp|jwt|bearer|salt)\\b",
    "(?:api|access|auth|private|encryption|signing|master|shared|ssh) ?key|session ?(?:id|key)|card ?(?:number|no)\\b",
    "credit ?card",
  ].join("|"),
);
const REDACTED = "[redacted]";
/** Deeper data is left out. */
const MAX_DEPTH = 20;
/** The part of a name that is looked at, in characters. */
const MAX_NAME = 200;

/** The default: leaves out the values of keys such as `password`, `token` and `secret`. */
export function redactSecrets(key: string, value: unknown): unknown {
  return SECRET.test(wordsOf(key)) ? REDACTED : value;
}

function wordsOf(key: string): string {
  return key.slice(0, MAX_NAME).replace(/([a-z0-9])([A-Z])/g, "$1 $2").replace(/[\W_]+/g, " ").toLowerCase();
}

/**
 * Returns a function that copies data without its secrets.
 *
 * @param redact is called for each member of each object, and each entry of a map; the elements of an array have the key of
 * the array
 */
export function createRedactor(redact: Redact): (data: unknown) => unknown {
  const copy = (key: string, value: unknown, depth: number): unknown => {
    if (depth > MAX_DEPTH) return "[too deep]";
    if (Array.isArray(value)) return value.map((element) => visit(key, element, depth + 1));
    if (typeof value !== "object" || value === null) return value;
    const isSerialized = Object.hasOwn(value, SERIALIZER);
    const entries = Object.entries(value).map(([name, member]) => {
      const shown = redact(name, member);
      return [
        name,
        isSerialized && Array.isArray(shown)
          ? shown.map((element) => copyElement(name, element, depth + 2))
          : copy(name, shown, depth + 1),
      ];
    });
    return Object.fromEntries(entries);
  };
  /** An element of a serialized collection: a map has pairs, whose first element is the key of the second one. */
  const copyElement = (name: string, element: unknown, depth: number): unknown => {
    if (!Array.isArray(element) || element.length !== 2) return visit(name, element, depth);
    return [visit(name, element[0], depth + 1), visit(textOf(element[0]) ?? name, element[1], depth + 1)];
  };
  const visit = (key: string, value: unknown, depth: number) => copy(key, redact(key, value), depth);
  return (data) => copy("", data, 0);
}

/** The member that names the serializer of a value which JSON does not have, such as a `Map`. */
const SERIALIZER = "_aj_serialized";

/** Returns a key of a map as a string: it may be a symbol of Ruby, which is serialized itself. */
function textOf(key: unknown): string | null {
  const text = typeof key === "object" && key !== null ? (key as { readonly value?: unknown }).value : key;
  return typeof text === "string" ? text : null;
}
