/** Errors of decompressing. */

/** Returns the error of a result over its limit. */
export function tooLarge(maxBytes: number): RangeError {
  return new RangeError(`it unpacks to more than ${maxBytes} bytes`);
}

/** Returns the error of data that does not decompress. */
export function damaged(): RangeError {
  return new RangeError("it is damaged");
}
