/** The options of an App that concern envelopes. */
import type { AnyCurrentAttributes } from "./current_attributes.ts";
import type { Encryption } from "./encryption.ts";
import type { GlobalIdLocator } from "./serializers/read.ts";
import type { AnySerializer } from "./serializers/serializer.ts";

/** See the module. */
export interface CodecOptions {
  /** Serializers of the user's types. The first one that handles a value takes it. */
  readonly serializers: readonly AnySerializer[];
  /** Finds the objects of GlobalIDs; without it a job gets the `GlobalId`. */
  readonly locateGlobalId?: GlobalIdLocator | undefined;
  /** Classes of current attributes that jobs carry. */
  readonly currentAttributes: readonly AnyCurrentAttributes[];
  /** Classes of current attributes that Rails has, too, in Rails' order. */
  readonly railsCurrentAttributes: readonly AnyCurrentAttributes[];
  /** Encrypts arguments, current attributes and the cursors of jobs in steps. */
  readonly encryption?: Encryption | undefined;
}
