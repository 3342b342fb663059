/**
 * `static schema`: a schema of the list of a job's arguments, in the form that zod, valibot, arktype and others share
 * (Standard Schema 1). Arguments are checked where a job is enqueued, and before its `perform`.
 *
 * `perform` gets the output of the schema, which may have defaults and converted values. The job keeps its input: that is
 * what travels, and what a retry enqueues again.
 */
import { InvalidConfigurationError, SchemaError, type SchemaIssue } from "../errors.ts";
import { type Check, describeType } from "../support/validation.ts";
import { isSecretFor } from "./runtime.ts";
import { originOf } from "./serializers/origins.ts";

/** A schema of the list of arguments, by any library that implements Standard Schema. It must validate synchronously. */
export interface ArgumentsSchema {
  /** The schema's side of Standard Schema. */
  readonly "~standard": {
    /** The version of the standard. */
    readonly version: 1;
    /** The name of the library. */
    readonly vendor: string;
    /** Validates a list of arguments. */
    readonly validate: (value: unknown) => SchemaResult | Promise<SchemaResult>;
  };
}

/** The result of a validation: the output, or what is wrong. */
export type SchemaResult =
  | { readonly value: unknown; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

/** One thing that is wrong, as Standard Schema has it. */
export interface StandardIssue {
  /** The message. */
  readonly message: string;
  /** The path in the list of arguments: keys, or objects with a key. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** A class that may have a schema. */
interface ClassWithSchema {
  readonly name: string;
  readonly schema?: ArgumentsSchema | undefined;
}

/** Checks the static of a class. */
export const schemaCheck: Check = (value) =>
  typeof (value as Partial<ArgumentsSchema> | null)?.["~standard"]?.validate === "function"
    ? null
    : "a Standard Schema of the list of arguments";

/** The issues that a message lists, at most. */
const MAX_SHOWN = 3;
/** The characters of an issue's message that are kept: it may show the value, of any size. */
const MAX_MESSAGE = 500;

/**
 * Validates the arguments of a job by the schema of its class.
 *
 * @param areSecret whether the arguments were encrypted, or will be; also an App that encrypts, and encloses the call or lists
 * the class, makes them secret. The error's message then has only paths, since the message of an issue may show the value,
 * and a dead letter has the error's message in clear
 * @returns the arguments for `perform`; those that are given if the class has no schema
 * @throws {SchemaError} if they do not fit
 * @throws {InvalidConfigurationError} if the schema validates asynchronously, or does not return a list
 */
export function applySchema(
  Class: ClassWithSchema,
  args: readonly unknown[],
  areSecret: boolean = false,
): readonly unknown[] {
  const { schema } = Class;
  if (schema === undefined) return args;
  const result = schema["~standard"].validate(args);
  if (result instanceof Promise) {
    result.catch(() => {});
    throw new InvalidConfigurationError(`${Class.name}.schema validates asynchronously: it must validate at once`);
  }
  if (result.issues !== undefined) {
    throw schemaError(Class, result.issues, areSecret || isSecretFor(Class as Parameters<typeof isSecretFor>[0]));
  }
  if (Array.isArray(result.value)) return result.value;
  throw new InvalidConfigurationError(
    `${Class.name}.schema must return the list of arguments, but it returned ${describeType(result.value)}`,
  );
}

/**
 * Validates the arguments of a job that is being enqueued. Those of a job that is enqueued again without having been read
 * are still JSON: they were validated before.
 *
 * @throws as {@linkcode applySchema}
 */
export function checkArguments(Class: ClassWithSchema, args: readonly unknown[], areSecret: boolean = false): void {
  if (Class.schema !== undefined && originOf(args)?.isSerialized !== true) applySchema(Class, args, areSecret);
}

function schemaError(Class: ClassWithSchema, found: readonly StandardIssue[], areSecret: boolean): SchemaError {
  // Some libraries return a subclass of Array, whose `map` makes more than an array.
  const issues = Array.from(found, toIssue);
  const shown = issues.slice(0, MAX_SHOWN).map(({ path, message }) => areSecret ? path : `${path}: ${message}`)
    .join("; ");
  const more = issues.length > MAX_SHOWN ? `; and ${issues.length - MAX_SHOWN} more` : "";
  const error = new SchemaError(`The arguments of ${Class.name} do not fit its schema: ${shown}${more}`, { issues });
  // Only for code that asks for them: a log prints the own properties of an error.
  if (areSecret) Object.defineProperty(error, "issues", { enumerable: false });
  return error;
}

function toIssue({ message, path = [] }: StandardIssue): SchemaIssue {
  const keys = path.map((part) => typeof part === "object" ? part.key : part);
  const formatted = keys.map((key) => typeof key === "number" ? `[${key}]` : `.${String(key)}`).join("");
  return { path: `arguments${formatted}`, message: String(message).slice(0, MAX_MESSAGE) };
}
