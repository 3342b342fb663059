/** Reads the form of a POST, within limits of size and time, whatever server the dashboard is in. */
import { PageError } from "./page.ts";
import { runWithin, TimeLimitError } from "./time_limit.ts";

/** The longest form, in bytes: thousands of selected positions. */
const MAX_BYTES = 256 * 1024;
/** The longest time until a form has arrived, in milliseconds. */
const MAX_MS = 10_000;

/**
 * Reads a form as a browser sends it without files.
 *
 * @param limitMs the longest time until it has arrived, in milliseconds. @default 10000
 * @throws {PageError} 415 for another type, 413 for one that is too long, 408 for one that takes too long, 400 for one that
 * does not arrive
 */
export async function readForm(request: Request, limitMs: number = MAX_MS): Promise<URLSearchParams> {
  const type = (request.headers.get("content-type") ?? "").split(";")[0]!.trim().toLowerCase();
  if (type !== "application/x-www-form-urlencoded") throw new PageError(415, "The request does not carry a form");
  if (Number(request.headers.get("content-length") ?? 0) > MAX_BYTES) throw createTooLongError();
  if (request.body === null) return new URLSearchParams();
  const reader = request.body.getReader();
  try {
    return new URLSearchParams(await runWithin(limitMs, () => readText(reader)));
  } catch (error) {
    if (error instanceof PageError) throw error;
    if (error instanceof TimeLimitError) throw new PageError(408, `The form did not arrive within ${limitMs} ms`);
    throw new PageError(400, "The form did not arrive as a whole", { cause: error });
  } finally {
    // The rest, if there is one.
    reader.cancel().catch(() => {});
  }
}

async function readText(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    length += value.length;
    if (length > MAX_BYTES) throw createTooLongError();
    text += decoder.decode(value, { stream: true });
  }
}

function createTooLongError(): PageError {
  return new PageError(413, `The form is longer than ${MAX_BYTES / 1024} KiB: select fewer`);
}
