/** Typed arrays of slots: a slot is a number, and each array has one fact of it. */

/** Returns a new array with the slots that are kept. @param numbers the new number of each slot, or -1 if it is not kept */
export function moveSlots<Numbers extends Float64Array | Uint32Array | Uint8Array>(
  from: Numbers,
  numbers: Int32Array,
  to: Numbers,
): Numbers {
  for (let slot = 0; slot < numbers.length; slot++) {
    const number = numbers[slot]!;
    if (number >= 0) to[number] = from[slot]!;
  }
  return to;
}
