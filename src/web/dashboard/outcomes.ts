/**
 * Outcomes of actions on their way to the page that shows them, once. The browser carries them, so that any process behind a
 * balancer can show them:
 *
 * 1. The response to an action sets a cookie with the outcome and an id, for a minute, and redirects to a page with the id.
 * 2. The page shows the outcome if it has the same id, and removes the cookie.
 *
 * A link alone shows nothing: another site can make one, but it cannot set the cookie.
 */
import { decodeBase64, encodeBase64 } from "../../support/base64.ts";
import { clip } from "./format.ts";
import type { ActionOutcome, ShownOutcome } from "./page.ts";

const COOKIE = "activejob_outcome";
/** A dashboard does not always know the path at which it is mounted. */
const ATTRIBUTES = "Path=/; HttpOnly; SameSite=Strict";
/** A browser follows a redirect at once. An outcome that is older, in seconds, would be taken for that of a later action. */
const MAX_AGE = 60;
/** The longest message, in characters: it may quote an error. */
const MAX_MESSAGE = 2000;
/** The longest value, in characters: browsers drop a cookie of more than 4,096 bytes. */
const MAX_VALUE = 3800;

/** The value of `Set-Cookie` that removes an outcome. */
export const REMOVE_OUTCOME = `${COOKIE}=; Max-Age=0; ${ATTRIBUTES}`;

/**
 * Packs an outcome for the browser of its user.
 *
 * @returns the id, for the redirect, and the value of `Set-Cookie`
 */
export function packOutcome(user: string, { outcome, message }: ActionOutcome): { id: string; setCookie: string } {
  const id = crypto.randomUUID();
  let value: string;
  let maxLength = MAX_MESSAGE;
  do {
    value = encode([id, user, outcome, clip(message, maxLength)]);
    maxLength >>= 1;
  } while (value.length > MAX_VALUE);
  return { id, setCookie: `${COOKIE}=${value}; Max-Age=${MAX_AGE}; ${ATTRIBUTES}` };
}

/**
 * Unpacks the outcome that a request carries.
 *
 * @param cookies the header `Cookie`; untrusted, as all else
 * @param id the id that the redirect has
 * @returns `null` if there is none of this id for this user
 */
export function unpackOutcome(cookies: string | null, id: string | null, user: string | null): ShownOutcome | null {
  for (const cookie of cookies?.split(";") ?? []) {
    const [name, value = ""] = cookie.trim().split(/=(.*)/s);
    const found = name === COOKIE ? decode(value) : null;
    if (found === null || found[0] !== id || found[1] !== user) continue;
    const [, , outcome, message] = found;
    if (isWord(outcome) && typeof message === "string") return { outcome, message };
  }
  return null;
}

function encode(values: readonly string[]): string {
  return encodeBase64(new TextEncoder().encode(JSON.stringify(values)));
}

function decode(value: string): unknown[] | null {
  try {
    const values: unknown = JSON.parse(new TextDecoder().decode(decodeBase64(value)));
    return Array.isArray(values) ? values : null;
  } catch {
    return null;
  }
}

const WORDS: ReadonlySet<unknown> = new Set<ActionOutcome["outcome"]>(["done", "failed", "refused"]);

function isWord(value: unknown): value is ActionOutcome["outcome"] {
  return WORDS.has(value);
}
