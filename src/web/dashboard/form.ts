/** Reads the form of a POST, within a limit. */
import { PageError } from "./page.ts";

/** The longest form, in bytes: thousands of selected positions. */
const MAX_BYTES = 256 * 1024;

/**
 * Reads a form as a browser sends it without files.
 *
 * @throws {PageError} 415 for another type, 413 for one that is too long
 */
export async function readForm(request: Request): Promise<URLSearchParams> {
  const type = (request.headers.get("content-type") ?? "").split(";")[0]!.trim().toLowerCase();
  if (type !== "application/x-www-form-urlencoded") throw new PageError(415, "The request does not carry a form");
  if (Number(request.headers.get("content-length") ?? 0) > MAX_BYTES) throw createTooLongError();
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  // A break out of the loop cancels the rest.
  for await (const chunk of request.body ?? []) {
    length += chunk.length;
    if (length > MAX_BYTES) throw createTooLongError();
    text += decoder.decode(chunk, { stream: true });
  }
  return new URLSearchParams(text + decoder.decode());
}

function createTooLongError(): PageError {
  return new PageError(413, `The form is longer than ${MAX_BYTES / 1024} KiB: select fewer`);
}
