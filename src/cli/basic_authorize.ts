/** HTTP Basic authentication for the dashboard of the command line: one user, one password. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Access } from "../web/dashboard/page.ts";
import type { Authorize } from "../web/dashboard/security.ts";

/** The response to a request without the right user and password: a browser asks for them. */
const CHALLENGE = { "www-authenticate": 'Basic realm="jobs", charset="UTF-8"' };

/**
 * Returns an `authorize` that lets one user in. The comparison takes the same time for every password.
 *
 * @param access what the user may do
 */
export function createBasicAuthorize(
  { user, password }: { readonly user: string; readonly password: string },
  access: Access,
): Authorize {
  const expected = hash(`${user}:${password}`);
  return (request) => {
    const given = decodeCredentials(request.headers.get("authorization"));
    // Hashes have one length, so that the length of the password does not show either.
    if (given !== null && timingSafeEqual(hash(given), expected)) return { user, access };
    return new Response("Sign in\n", { status: 401, headers: CHALLENGE });
  };
}

function hash(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}

/** Decodes `Basic dXNlcjpwYXNz` to `user:pass`. @returns `null` for anything else */
function decodeCredentials(header: string | null): string | null {
  const [, encoded] = /^basic +([a-z0-9+/=]+)$/i.exec(header ?? "") ?? [];
  if (encoded === undefined) return null;
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0)));
  } catch {
    return null;
  }
}
