/**
 * The job classes of an App by their names on the wire: class names and aliases. The `job_class` of a record is only looked up
 * here: it is never imported, and never read from an object.
 */
import { InvalidConfigurationError } from "../errors.ts";
import { type Duration, durationToMs } from "../support/duration.ts";
import {
  boolean,
  type Check,
  checkOptions,
  type Checks,
  integerFrom,
  show,
  timeLimit,
  topicName,
} from "../support/validation.ts";
import type { JobPriority, JobQueue } from "./job_state.ts";
import { priorityCheck } from "./placement.ts";
import type { JobClass } from "./job.ts";
import { isJobClass } from "./job_checks.ts";
import { CLASS_NAME_RULE, isClassName, jobNameOf } from "./class_name.ts";
import { kafkaOptionsOf } from "./kafka_options.ts";
import { type ArgumentsSchema, schemaCheck } from "./schema.ts";

/** The classes of an App. */
export class JobRegistry {
  /** The classes. */
  readonly classes: ReadonlySet<JobClass>;
  readonly #byName = new Map<string, JobClass>();

  /**
   * @throws {InvalidConfigurationError} if an element is not a job class with a `perform`, or is listed twice; if two classes
   * have the same name; or if a class has a wrong option
   */
  constructor(classes: readonly JobClass[]) {
    this.classes = new Set(classes);
    for (const Class of this.classes) checkClass(Class);
    if (this.classes.size < classes.length) {
      const twice = classes.find((Class, at) => classes.indexOf(Class) !== at);
      throw new InvalidConfigurationError(`${show(twice)} is listed twice in "jobs"`);
    }
    for (const Class of this.classes) {
      kafkaOptionsOf(Class);
      checkOptions(Class.name, staticsOf(Class), STATIC_CHECKS);
      this.#add(jobNameOf(Class), Class);
      for (const alias of ownStatic(Class, "jobAliases") ?? []) this.#add(alias, Class);
    }
  }

  /** Returns the class of this name, if there is one. */
  find(name: string): JobClass | undefined {
    return this.#byName.get(name);
  }

  /** Returns all names, aliases included. */
  names(): string[] {
    return [...this.#byName.keys()];
  }

  #add(name: string, Class: JobClass): void {
    if (!isClassName(name)) {
      throw new InvalidConfigurationError(
        `${show(name)} cannot be the name of a job class on the wire: give ${show(Class)} a "static jobName", ` +
          CLASS_NAME_RULE,
      );
    }
    const other = this.#byName.get(name);
    if (other !== undefined && other !== Class) {
      throw new InvalidConfigurationError(
        `Two job classes are called "${name}": give one of them a "static jobName" of its own`,
      );
    }
    this.#byName.set(name, Class);
  }
}

/** The statics of a class that the registry checks; `kafkaOptions` are checked along the prototype chain. */
interface Statics {
  readonly resumeWait: Duration;
  readonly maxResumptions: number | undefined;
  readonly resumeErrorsAfterAdvancing: boolean;
  readonly queue: JobQueue | undefined;
  readonly priority: JobPriority;
  readonly timeoutMs: number | undefined;
  readonly expiresAfterMs: number | undefined;
  readonly schema: ArgumentsSchema | undefined;
  readonly jobName: string | undefined;
  readonly jobAliases: readonly string[] | undefined;
}

const className: Check = (value) => isClassName(value) ? null : CLASS_NAME_RULE;

const STATIC_CHECKS: Checks<Statics> = {
  queue: (value) => typeof value === "function" ? null : topicName(value),
  priority: (value) => typeof value === "function" ? null : priorityCheck(value),
  timeoutMs: timeLimit,
  expiresAfterMs: integerFrom(0),
  schema: schemaCheck,
  resumeWait: (value) => (durationToMs(`"static resumeWait"`, value), null),
  maxResumptions: integerFrom(0),
  resumeErrorsAfterAdvancing: boolean,
  jobName: className,
  jobAliases: (value) =>
    Array.isArray(value) && value.every((name) => isClassName(name))
      ? null
      : `an array of names, each ${CLASS_NAME_RULE}`,
};

function staticsOf(Class: JobClass): Statics {
  return {
    // An `undefined` hides the default of `Job`: `static queue = Deno.env.get("QUEUE")!`.
    queue: Class.queue ?? null!,
    priority: Class.priority ?? null,
    timeoutMs: Class.timeoutMs,
    expiresAfterMs: Class.expiresAfterMs,
    schema: Class.schema,
    resumeWait: Class.resumeWait,
    maxResumptions: Class.maxResumptions,
    resumeErrorsAfterAdvancing: Class.resumeErrorsAfterAdvancing,
    jobName: ownStatic(Class, "jobName"),
    jobAliases: ownStatic(Class, "jobAliases"),
  };
}

/** A static that is not inherited. */
function ownStatic<Name extends "jobName" | "jobAliases">(Class: JobClass, name: Name): JobClass[Name] | undefined {
  return Object.hasOwn(Class, name) ? Class[name] : undefined;
}

/** Refuses a class that can never be performed. */
function checkClass(Class: JobClass): void {
  if (!isJobClass(Class)) {
    throw new InvalidConfigurationError(`${show(Class)} in "jobs" is not a job class: it must extend Job`);
  }
  if (Class.name === "" && ownStatic(Class, "jobName") === undefined) {
    throw new InvalidConfigurationError(
      `An anonymous class in "jobs" has no name on the wire: give it a static jobName`,
    );
  }
  if (!performs(Class)) {
    throw new InvalidConfigurationError(
      `${show(Class)} in "jobs" has no "perform": list the classes that extend it and have one`,
    );
  }
}

/** `perform` may also be a field, which only an instance has. A class that cannot be constructed now fails when it is performed. */
function performs(Class: JobClass): boolean {
  try {
    return typeof (Class.prototype.perform ?? new Class().perform) === "function";
  } catch {
    return true;
  }
}
