/**
 * Types of the arguments that can be enqueued. A value that no serializer takes at run time should not compile, as far as
 * types can express that: a class without methods and private members looks like an interface, so it compiles.
 */
import type { BigDecimal, GlobalId, RailsDuration, RubyModule, RubyRange, RubySymbol } from "./serializers/values.ts";

declare const CUSTOM: unique symbol;

/**
 * Marks a type of yours that a serializer of your App takes. The property exists in types only. Extend a class by it once,
 * or write {@linkcode Serializable} at each parameter.
 *
 * @example
 * ```ts
 * import { type CustomArgument, Job } from "@activejob/kafka";
 *
 * class Money {
 *   #cents = 5n;
 *   format(): string {
 *     return String(this.#cents);
 *   }
 * }
 * interface Money extends CustomArgument {}
 *
 * class PayJob extends Job {
 *   perform(_amount: Money) {}
 * }
 * PayJob.of(new Money()); // compiles
 * ```
 */
export interface CustomArgument {
  /** @internal */
  readonly [CUSTOM]?: never;
}

/**
 * The type of a parameter that a serializer of your App takes, such as `perform(amount: Serializable<Money>)`. A value of
 * `T` fits. It is for types that are not yours to extend by {@linkcode CustomArgument}.
 */
export type Serializable<T> = T & CustomArgument;

/**
 * A value of Temporal. It does not name its types: a compiler without them, as TypeScript is up to version 5.9, would take each
 * for `any`, and every argument would compile.
 */
export interface TemporalArgument {
  /** The name of its class. */
  readonly [Symbol.toStringTag]: `Temporal.${
    | "Instant"
    | "ZonedDateTime"
    | "PlainDate"
    | "PlainTime"
    | "PlainDateTime"
    | "PlainYearMonth"
    | "PlainMonthDay"
    | "Duration"}`;
}

/** Types that built-in serializers take as a whole; `Map`, `Set` and ranges depend on their elements. */
export type BuiltInArgument =
  | Date
  | URL
  | RegExp
  | Uint8Array
  | TemporalArgument
  | RubySymbol
  | RailsDuration
  | BigDecimal
  | GlobalId
  | RubyModule;

/**
 * A type that `T` extends exactly if each value of `T` can be an argument. It is checked by assignability, and not by
 * recursive conditions, since the compiler detects circles only there: `type Json = Json[] | …` must end.
 */
export type ArgumentData<T> = unknown extends T ? T
  : T extends string | number | boolean | bigint | null | undefined | BuiltInArgument ? T
  : keyof CustomArgument extends keyof T ? T
  : T extends symbol | ((...args: never) => unknown) | (abstract new (...args: never) => unknown) ? never
  : T extends ReadonlyMap<infer Key, infer Value> ? ReadonlyMap<ArgumentData<Key>, ArgumentData<Value>>
  : T extends ReadonlySet<infer Value> ? ReadonlySet<ArgumentData<Value>>
  : T extends RubyRange<infer Value> ? RubyRange<ArgumentData<Value>>
  : T extends readonly unknown[] ? (HasOnlyElements<T> extends true ? readonly ArgumentData<T[number]>[] : never)
  : { [K in keyof T]: T[K] } extends T ? { [K in keyof T]: K extends symbol ? never : ArgumentData<T[K]> }
  : never;

/** An array without further properties; the result of `RegExp.exec` has some. */
export type HasOnlyElements<T> = [Exclude<keyof T, keyof unknown[] | `${number}`>] extends [never] ? true : false;

/** The members of a union that can be arguments. */
export type ArgumentDataMembers<T> = unknown extends T ? T : T extends ArgumentData<T> ? T : never;

/** The type of one argument: the members of its union that can be enqueued. If there are none, a message for the compiler. */
export type EnqueueableArgument<T, Index> = [T] extends [never] ? T
  : [Exclude<ArgumentDataMembers<T>, null | undefined>] extends [never]
    ? [Exclude<T, null | undefined>] extends [never] ? T
    : `arguments[${Index & string}] cannot be enqueued: no serializer takes its type`
  : ArgumentDataMembers<T>;

/** The parameters of a `perform`; unlike the built-in `Parameters`, also those that end with a `readonly` rest parameter. */
// `any`: a narrower type of the elements would refuse every function that has parameters.
// deno-lint-ignore no-explicit-any
export type PerformParameters<Perform> = Perform extends (...args: infer P extends readonly any[]) => unknown ? P
  : never;

/** The parameters of a `perform` as `performLater` accepts them. */
export type EnqueueableArguments<Parameters extends readonly unknown[]> = {
  [Index in keyof Parameters]: EnqueueableArgument<Parameters[Index], Index>;
};
