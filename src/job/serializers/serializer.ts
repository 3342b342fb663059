/** Serializers: each turns values of one type into plain fields, and back. */
import type { GlobalId } from "./values.ts";

/**
 * A serializer of values of one type, for the `serializers` of an App.
 *
 * On the wire such a value is an object with the fields, and with the serializer's name as `_aj_serialized`. A Rails
 * application needs a serializer class of that name, and the other way round.
 *
 * @typeParam T the type of the values
 * @typeParam Fields the fields on the wire. Their values may be of any type that can be an argument
 *
 * @example
 * ```ts
 * import { activeJobTopic, App, Job, type Serializable, type Serializer } from "@activejob/kafka";
 * import { assertEquals } from "@std/assert";
 *
 * class Money {
 *   readonly cents: bigint;
 *   readonly currency: string;
 *   constructor(cents: bigint, currency: string) {
 *     this.cents = cents;
 *     this.currency = currency;
 *   }
 * }
 * const money: Serializer<Money, { cents: bigint; currency: string }> = {
 *   name: "MoneySerializer",
 *   handles: (value) => value instanceof Money,
 *   serialize: ({ cents, currency }) => ({ cents, currency }),
 *   deserialize: ({ cents, currency }) => new Money(BigInt(cents), currency),
 * };
 *
 * const paid: Money[] = [];
 * class PayJob extends Job {
 *   perform(amount: Serializable<Money>) {
 *     paid.push(amount);
 *   }
 * }
 * await using app = new App({
 *   name: "shop",
 *   broker: "memory:",
 *   jobs: [PayJob],
 *   topics: [activeJobTopic("default")],
 *   serializers: [money],
 *   logger: false,
 * });
 * await PayJob.performLater(new Money(1250n, "EUR"));
 * await app.worker().run(undefined, { once: true });
 * assertEquals(paid, [new Money(1250n, "EUR")]);
 * ```
 */
export interface Serializer<T = unknown, Fields extends object = Record<string, unknown>> {
  /** Its name on the wire, such as `"MoneySerializer"`. It must not change while jobs wait. */
  readonly name: string;
  /** Returns whether a value is one of its type. It is asked for each value that is not plain data. */
  handles(value: unknown): boolean;
  /** Returns the fields of a value, or a GlobalID that names it and that the App's `locateGlobalId` finds. */
  serialize(value: T): Fields | GlobalId;
  /** Makes a value of the fields that were read. They may come from anywhere: it throws if they are wrong. */
  deserialize(fields: Fields): T;
}

/** A serializer of any type. */
// A serializer of `Money` is not one of `unknown`: it takes `Money` only, and it is asked with `handles` before.
// deno-lint-ignore no-explicit-any
export type AnySerializer = Serializer<any, any>;

/** The fields of a value on the wire. */
export type Fields = Readonly<Record<string, unknown>>;

/** A serializer as this library uses it. Tables take the place of `handles` for the built-in ones. */
export interface AnyCodec {
  readonly name: string;
  // deno-lint-ignore no-explicit-any
  serialize(value: any): Fields;
  // deno-lint-ignore no-explicit-any
  deserialize(fields: any): unknown;
}
