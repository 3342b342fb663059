/**
 * HTML by one tagged template that escapes every value. Strings come from records, which any client may have written:
 * a class name, an error, an argument. No other code of the dashboard writes a tag, so none can forget to escape.
 *
 * - A string or a number is escaped, also within a quoted attribute. Only {@linkcode Html} is inserted as it is.
 * - `null`, `undefined`, `true` and `false` add nothing, an array adds its parts: `${isPaused && html`…`}`.
 * - Control characters, and invisible ones that change the direction of writing, are shown as `\u202e`.
 * - In a tag, outside of quotes, only {@linkcode attributes} may be a value; anything else throws.
 */
import { escapeText } from "../../support/escape_text.ts";

/** A value of the template. */
export type HtmlValue = Html | string | number | boolean | null | undefined | readonly HtmlValue[];

/** A piece of HTML that is safe to send. Only {@linkcode html} makes one. */
export class Html {
  /** The markup. */
  readonly text: string;

  /** @internal */
  constructor(text: string) {
    this.text = text;
  }
}

/** Attributes of a tag. Only {@linkcode attributes} makes them. */
export class Attributes {
  /** The markup, with a space at its start. */
  readonly text: string;

  /** @internal */
  constructor(text: string) {
    this.text = text;
  }
}

/**
 * Makes HTML of a template, and escapes its values.
 *
 * A string is a value of content (`<b>${name}</b>`) or of an attribute between double quotes (`title="${name}"`).
 *
 * @throws {TypeError} if a value is in a tag outside of double quotes and not made by `attributes`, or in a script
 */
export function html(strings: TemplateStringsArray, ...values: readonly (HtmlValue | Attributes)[]): Html {
  let inTags = checked.get(strings);
  if (inTags === undefined) checked.set(strings, inTags = findValuesInTags(strings));
  let text = strings[0]!;
  for (let at = 0; at < values.length; at++) {
    const value = values[at];
    const isInTag = inTags !== null && inTags.has(at);
    if (isInTag !== value instanceof Attributes) {
      throw new TypeError(
        `A value in a tag must be made by attributes(), or be between double quotes: ${strings[at]}\${…}`,
      );
    }
    text += (value instanceof Attributes ? value.text : format(value)) + strings[at + 1]!;
  }
  return new Html(text);
}

/**
 * Makes attributes of a tag.
 *
 * @param given names, which must be constants, and values: `true` for the name alone; `false`, `null` and `undefined` for none
 */
export function attributes(given: Readonly<Record<string, string | number | boolean | null | undefined>>): Attributes {
  let text = "";
  for (const [name, value] of Object.entries(given)) {
    if (!/^[a-z][a-z0-9-]*$/.test(name)) throw new TypeError(`Not the name of an attribute: ${name}`);
    if (value === true) text += ` ${name}`;
    else if (value !== false && value !== null && value !== undefined) text += ` ${name}="${format(value)}"`;
  }
  return new Attributes(text);
}

/** The values of a template that are in tags, `null` for none: the array of a template is the same at each call. */
const checked = new WeakMap<TemplateStringsArray, ReadonlySet<number> | null>();

/** Finds the values that are in a tag, outside of the quotes of an attribute. */
function findValuesInTags(strings: TemplateStringsArray): ReadonlySet<number> | null {
  const found = new Set<number>();
  let place: "content" | "tag" | "attribute" = "content";
  let text = "";
  for (const [at, part] of strings.slice(0, -1).entries()) {
    for (const character of part) {
      if (place === "attribute") {
        if (character === '"') place = "tag";
      } else if (place === "tag") {
        if (character === ">") place = "content";
        else if (character === '"') place = "attribute";
      } else if (character === "<") place = "tag";
    }
    text += part;
    if (/<(script|style)\b(?![^]*<\/\1>)[^>]*>/i.test(text)) {
      throw new TypeError("A value must not be in a script or a style");
    }
    if (place === "tag") found.add(at);
  }
  return found.size === 0 ? null : found;
}

function format(value: HtmlValue): string {
  if (typeof value === "string") return escapeHtml(value);
  if (value instanceof Html) return value.text;
  if (typeof value === "number") return String(value);
  if (value === null || value === undefined || typeof value === "boolean") return "";
  let text = "";
  for (const part of value) text += format(part);
  return text;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Characters that need no look: most strings have nothing else. */
const PLAIN = /^[\w .,:;/@()+=#%*!?[\]{}|$~^-]*$/;

/** Escapes a string, for the content of an element and for an attribute between quotes. Line breaks and tabs stay. */
function escapeHtml(text: string): string {
  if (PLAIN.test(text)) return text;
  return escapeText(text, /[\n\t]/).replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}
