/**
 * Splits the byte stream of a connection into frames: four bytes with the length, then the payload. A payload is copied at
 * most once, into a buffer of its size; one that arrives within a single chunk is a window on it.
 */
import { Buffer } from "node:buffer";

const LENGTH_BYTES = 4;

/** The length of a frame is impossible: the other side does not speak Kafka's protocol. */
export class FrameError extends Error {
  override name = "FrameError";
  /** The four bytes that were read as a length. */
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array, length: number) {
    super(`A frame of ${length} bytes was announced`);
    this.bytes = bytes;
  }
}

/** Reads the frames of one connection. */
export class FrameReader {
  readonly #maxBytes: number;
  readonly #length = Buffer.alloc(LENGTH_BYTES);
  #lengthFilled = 0;
  #payload: Buffer | null = null;
  #payloadFilled = 0;

  /** @param maxBytes longest payload that is accepted, in bytes */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether a frame has begun and is not complete. */
  get isInFrame(): boolean {
    return this.#payload !== null || this.#lengthFilled > 0;
  }

  /**
   * Takes the next chunk.
   *
   * @param onPayload called with each complete payload, in order; returns whether to go on
   * @throws {FrameError} if a length is impossible
   */
  push(chunk: Buffer, onPayload: (payload: Buffer) => boolean): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#payload === null) {
        while (this.#lengthFilled < LENGTH_BYTES && at < chunk.length) {
          this.#length[this.#lengthFilled++] = chunk[at++]!;
        }
        if (this.#lengthFilled < LENGTH_BYTES) return;
        this.#lengthFilled = 0;
        const length = this.#length.readInt32BE(0);
        if (length < LENGTH_BYTES || length > this.#maxBytes) {
          throw new FrameError(Uint8Array.from(this.#length), length);
        }
        if (chunk.length - at >= length) {
          const payload = chunk.subarray(at, at + length);
          at += length;
          if (!onPayload(payload)) return;
          continue;
        }
        // Not from the pool: a payload may be kept as long as its records wait.
        this.#payload = Buffer.allocUnsafeSlow(length);
        this.#payloadFilled = 0;
      }
      const part = Math.min(this.#payload.length - this.#payloadFilled, chunk.length - at);
      chunk.copy(this.#payload, this.#payloadFilled, at, at + part);
      this.#payloadFilled += part;
      at += part;
      if (this.#payloadFilled < this.#payload.length) return;
      const payload = this.#payload;
      this.#payload = null;
      if (!onPayload(payload)) return;
    }
  }
}
