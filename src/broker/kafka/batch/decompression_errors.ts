/** Errors of decompressing. */

/** The result would be larger than its limit. */
export class TooLargeError extends RangeError {
  override name = "TooLargeError";

  constructor(maxBytes: number) {
    super(`it unpacks to more than ${maxBytes} bytes`);
  }
}

/** Returns the error of a result over its limit. */
export function tooLarge(maxBytes: number): TooLargeError {
  return new TooLargeError(maxBytes);
}

/** Returns the error of data that does not decompress. */
export function damaged(): RangeError {
  return new RangeError("it is damaged");
}
