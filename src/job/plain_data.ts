/**
 * Types of the arguments that can be enqueued. A value that `serialize` refuses at run time should not compile, as far as
 * types can express that: a class without methods and private members looks like an interface, so it compiles.
 */

/**
 * A type that `T` extends exactly if each value of `T` is plain JSON data. It is checked by assignability, and not by
 * recursive conditions, since the compiler detects circles only there: `type Json = Json[] | …` must end.
 */
export type PlainData<T> = unknown extends T ? T
  : T extends string | number | boolean | bigint | null | undefined ? T
  : T extends symbol | ((...args: never) => unknown) | (abstract new (...args: never) => unknown) ? never
  : T extends readonly unknown[] ? (HasOnlyElements<T> extends true ? readonly PlainData<T[number]>[] : never)
  : { [K in keyof T]: T[K] } extends T ? { [K in keyof T]: K extends symbol ? never : PlainData<T[K]> }
  : never;

/** An array without further properties; the result of `RegExp.exec` has some. */
export type HasOnlyElements<T> = [Exclude<keyof T, keyof unknown[] | `${number}`>] extends [never] ? true : false;

/** The members of a union that are plain JSON data. */
export type PlainDataMembers<T> = unknown extends T ? T : T extends PlainData<T> ? T : never;

/** The type of one argument: the members of its union that can be enqueued. If there are none, a message for the compiler. */
export type EnqueueableArgument<T, Index> = [T] extends [never] ? T
  : [Exclude<PlainDataMembers<T>, null | undefined>] extends [never]
    ? [Exclude<T, null | undefined>] extends [never] ? T
    : `arguments[${Index & string}] cannot be enqueued: its type is not plain JSON data`
  : PlainDataMembers<T>;

/** The parameters of a `perform`; unlike the built-in `Parameters`, also those that end with a `readonly` rest parameter. */
// `any`: a narrower type of the elements would refuse every function that has parameters.
// deno-lint-ignore no-explicit-any
export type PerformParameters<Perform> = Perform extends (...args: infer P extends readonly any[]) => unknown ? P
  : never;

/** The parameters of a `perform` as `performLater` accepts them. */
export type EnqueueableArguments<Parameters extends readonly unknown[]> = {
  [Index in keyof Parameters]: EnqueueableArgument<Parameters[Index], Index>;
};
