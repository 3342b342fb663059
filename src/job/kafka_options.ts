/**
 * `static kafkaOptions`: options for sending the jobs of a class. Each class of the prototype chain may set some of them; for
 * each option the nearest class wins.
 *
 * Nothing is merged in advance: an option is looked up along the chain when it is needed. A change of a parent is therefore
 * seen by its children at once, and a child can never change its parent.
 */
import { checkOptions, type Checks, oneOf } from "../support/validation.ts";

/** A class of the prototype chain. */
type ClassWithOptions = (abstract new () => object) & { readonly kafkaOptions: KafkaOptions };

/**
 * The moment at which `performLater` resolves: once the job is buffered (`"produceAsync"`), or once the broker has
 * acknowledged it (`"produceSync"`). Scripts should use `"produceSync"`: a job that is lost makes them fail.
 */
export type DispatchMethod = "produceAsync" | "produceSync";

/** The moment at which `performAllLater` resolves: once all jobs are buffered, or once all are acknowledged or failed. */
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
  /** When `performLater` resolves: once buffered, or once acknowledged. Use `"produceSync"` in scripts. @default "produceAsync" */
  readonly dispatchMethod?: DispatchMethod;
  /** When `performAllLater` resolves: once all are buffered, or acknowledged. @default "produceManyAsync" */
  readonly dispatchManyMethod?: DispatchManyMethod;
  /** Returns the key of a job's record: jobs with the same key go to one partition, in order. `null` for no key. @default none */
  readonly key?: (job: J) => string | null;
}

const CHECKS: Checks<KafkaOptions> = {
  dispatchMethod: oneOf("produceAsync", "produceSync"),
  dispatchManyMethod: oneOf("produceManyAsync", "produceManySync"),
  key: (value) => typeof value === "function" ? null : "a function of the job",
};

/** Options objects that were checked. A later change inside of one is not checked: replace the object. */
const checked = new WeakSet<object>();

/**
 * Returns the options of a class, merged along its prototype chain.
 *
 * @param Class the job class
 * @returns a frozen copy; later changes of the classes are not in it
 * @throws {InvalidConfigurationError} if a class of the chain has an unknown option or a wrong value
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

/** Returns one option of a class: that of the nearest class of the chain that sets it. */
export function kafkaOption<Name extends keyof KafkaOptions>(
  Class: ClassWithOptions,
  name: Name,
): KafkaOptions[Name] | undefined {
  for (const options of ownOptions(Class)) {
    if (options[name] !== undefined) return options[name];
  }
  return undefined;
}

/** Yields the options of each class of the chain, nearest first, checked. */
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
