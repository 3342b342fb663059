/**
 * The job classes of an App by their names on the wire: class names and aliases. A record's `job_class` is only ever
 * looked up here; nothing that a record says is imported or read off an object.
 */
import { InvalidConfigurationError } from "../errors.ts";
import { checkOptions, show, timeLimit, topicName } from "../support/validation.ts";
import { isJobClass, type JobClass } from "./job.ts";
import { jobNameOf } from "./job_name.ts";
import { kafkaOptionsOf } from "./kafka_options.ts";

/** The classes of an App. */
export class JobRegistry {
  /** The classes themselves. */
  readonly classes: ReadonlySet<JobClass>;
  readonly #byName = new Map<string, JobClass>();

  /**
   * @throws {InvalidConfigurationError} if something is no job class that can be performed, one stands there twice, two have
   * one name, or a class states an option that cannot be
   */
  constructor(classes: readonly JobClass[]) {
    this.classes = new Set(classes);
    for (const Class of this.classes) checkClass(Class);
    if (this.classes.size < classes.length) {
      const twice = classes.find((Class, at) => classes.indexOf(Class) !== at);
      throw new InvalidConfigurationError(`${show(twice)} stands in "jobs" twice`);
    }
    for (const Class of this.classes) {
      kafkaOptionsOf(Class);
      checkOptions(`${Class.name}`, { queue: Class.queue, timeoutMs: Class.timeoutMs }, {
        queue: topicName,
        timeoutMs: timeLimit,
      });
      this.#name(jobNameOf(Class), Class);
      for (const alias of Object.hasOwn(Class, "jobAliases") ? Class.jobAliases ?? [] : []) this.#name(alias, Class);
    }
  }

  /** Whether there is a class of this name. */
  readonly isKnown = (name: string): boolean => this.#byName.has(name);

  /** The class of this name, if there is one. */
  find(name: string): JobClass | undefined {
    return this.#byName.get(name);
  }

  /** The names that are known, aliases included. */
  names(): string[] {
    return [...this.#byName.keys()];
  }

  #name(name: string, Class: JobClass): void {
    if (typeof name !== "string" || name === "" || name.length > 255) {
      throw new InvalidConfigurationError(`${show(name)} cannot be the name of a job class`);
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

/** Refuses what could never be performed. */
function checkClass(Class: JobClass): void {
  if (!isJobClass(Class)) {
    throw new InvalidConfigurationError(`${show(Class)} in "jobs" is no job class: it must extend Job`);
  }
  if (jobNameOf(Class) === "" && !Object.hasOwn(Class, "jobName")) {
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

/** A `perform` may also be a field, which only an instance has. What cannot be made now fails when it is performed. */
function performs(Class: JobClass): boolean {
  try {
    return "perform" in Class.prototype || "perform" in new Class();
  } catch {
    return true;
  }
}
