/** Codecs for tests without an App. */
import type { CodecOptions } from "../../src/job/codec_options.ts";
import { EnvelopeCodec } from "../../src/job/envelope.ts";

/** Makes the codec of an App with these options. */
export function codecOf(options: Partial<CodecOptions> = {}): EnvelopeCodec {
  return new EnvelopeCodec({ serializers: [], currentAttributes: [], railsCurrentAttributes: [], ...options });
}

/** The codec of an App without options. */
export const codec = codecOf();
