/**
 * `static kafkaOptions`: how a class's jobs are sent. Each class of the prototype chain may state a few of them; the
 * nearest statement of each option wins.
 *
 * Nothing is merged ahead of time: an option is looked for along the chain when it is needed, so that a parent's change
 * shows in its children at once, and a child can never change its parent.
 */
import { type Check, checkOptions, type Checks, oneOf } from "../support/validation.ts";

/** A class of the chain, as far as its options go. */
type ClassWithOptions = (abstract new () => object) & { readonly kafkaOptions: KafkaOptions };

/** How `performLater` sends: resolve once buffered (`"produceAsync"`), or once acknowledged (`"produceSync"`). */
export type DispatchMethod = "produceAsync" | "produceSync";

/** The same for `performAllLater`. */
export type DispatchManyMethod = "produceManyAsync" | "produceManySync";

/**
 * The options of a job class.
 *
 * @typeParam J the class itself, so that `key` knows its arguments
 *
 * @example Jobs of one order in one partition, acknowledged
 * ```ts
 * import { Job, type KafkaOptions } from "@activejob/kafka";
 *
 * class ShipOrderJob extends Job {
 *   static override kafkaOptions: KafkaOptions<ShipOrderJob> = {
 *     dispatchMethod: "produceSync",
 *     key: (job) => job.args[0].id,
 *   };
 *   perform(order: { id: string }) {
 *     console.log(order.id);
 *   }
 * }
 * ```
 */
// `any`, since a class's options must be assignable to its parent's.
// deno-lint-ignore no-explicit-any
export interface KafkaOptions<J = any> {
  /** How `performLater` sends. @default "produceAsync" */
  readonly dispatchMethod?: DispatchMethod;
  /** How `performAllLater` sends. @default "produceManyAsync" */
  readonly dispatchManyMethod?: DispatchManyMethod;
  /** The record's key: jobs of one key go to one partition, in order. `null` for none. @default none */
  readonly key?: (job: J) => string | null;
}

const isFunction: Check = (value) => typeof value === "function" ? null : "a function of the job";

const CHECKS: Checks<KafkaOptions> = {
  dispatchMethod: oneOf("produceAsync", "produceSync"),
  dispatchManyMethod: oneOf("produceManyAsync", "produceManySync"),
  key: isFunction,
};

/** Options objects that were found good. What is put into one of them afterwards is not seen: replace the object. */
const checked = new WeakSet<object>();

/**
 * The options of a class, merged down its prototype chain.
 *
 * @param Class the job class
 * @returns a frozen view of this moment
 * @throws {InvalidConfigurationError} if a class of the chain states an option that cannot be
 *
 * @example
 * ```ts
 * import { Job, type KafkaOptions, kafkaOptionsOf } from "@activejob/kafka";
 * import { assertEquals } from "@std/assert";
 *
 * abstract class ApplicationJob extends Job {
 *   static override kafkaOptions: KafkaOptions = { dispatchMethod: "produceSync" };
 * }
 * class WelcomeJob extends ApplicationJob {
 *   static override kafkaOptions: KafkaOptions = { dispatchManyMethod: "produceManySync" };
 *   perform() {}
 * }
 * assertEquals(kafkaOptionsOf(WelcomeJob).dispatchMethod, "produceSync");
 * ```
 */
export function kafkaOptionsOf(
  Class: (abstract new () => object) & { readonly kafkaOptions: KafkaOptions },
): Readonly<KafkaOptions> {
  const merged: Record<string, unknown> = {};
  for (const options of [...ownOptions(Class)].reverse()) {
    for (const [name, value] of Object.entries(options)) if (value !== undefined) merged[name] = value;
  }
  return Object.freeze(merged);
}

/** One option of a class: the nearest statement along its chain. */
export function kafkaOption<Name extends keyof KafkaOptions>(
  Class: ClassWithOptions,
  name: Name,
): KafkaOptions[Name] | undefined {
  for (const options of ownOptions(Class)) {
    if (options[name] !== undefined) return options[name];
  }
  return undefined;
}

/** What the classes of the chain state, nearest first, each checked. */
function* ownOptions(Class: ClassWithOptions): Generator<KafkaOptions> {
  for (let at: ClassWithOptions | null = Class; typeof at === "function"; at = Object.getPrototypeOf(at)) {
    const options: KafkaOptions | undefined = Object.hasOwn(at, "kafkaOptions") ? at.kafkaOptions : undefined;
    if (options === undefined) continue;
    if (!checked.has(options)) {
      checkOptions(`${at.name}.kafkaOptions`, options, CHECKS);
      checked.add(options);
    }
    yield options;
  }
}
