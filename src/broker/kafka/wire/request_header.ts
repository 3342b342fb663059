/** The header of a request, in version 1, or in version 2 for a request with tagged fields. */
import { Buffer } from "node:buffer";
import type { EncodedRequest } from "./request.ts";

/** Bytes before the client id: length, number, version, correlation id, length of the client id. */
const FIXED_BYTES = 14;

/** Encodes the header, with the length of the whole request before it. */
export function encodeHeader(
  { apiKey, version, isFlexible = false, body }: EncodedRequest<unknown>,
  correlationId: number,
  clientId: Buffer,
): Buffer {
  const header = Buffer.alloc(FIXED_BYTES + clientId.length + (isFlexible ? 1 : 0));
  header.writeInt32BE(header.length - 4 + body.length, 0);
  header.writeInt16BE(apiKey, 4);
  header.writeInt16BE(version, 6);
  header.writeInt32BE(correlationId, 8);
  header.writeInt16BE(clientId.length, 12);
  clientId.copy(header, FIXED_BYTES);
  // The header of version 2 ends with its tagged fields: none, which the zero of the last byte says.
  return header;
}
