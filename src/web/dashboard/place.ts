/** A place of a log in a path: `0@41`. It is untrusted. */
import { parsePosition } from "../../support/position.ts";
import { PageError } from "./page.ts";

/**
 * Reads a place.
 *
 * @throws {PageError} 404 for any other string
 */
export function readPlace(text: string): { readonly partition: number; readonly offset: number } {
  const position = parsePosition(`place/${text}`);
  if (position === null || position.topic !== "place") {
    throw new PageError(404, "A place looks like 0@41: partition and offset");
  }
  return { partition: position.partition, offset: position.offset };
}
