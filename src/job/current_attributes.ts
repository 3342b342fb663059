/**
 * Current attributes: what belongs to the request, such as the user, at hand everywhere below it and in the jobs that it
 * enqueues.
 *
 * Values live in a scope of `AsyncLocalStorage` and nowhere else: `Current.run(values, fn)` opens one, and so does the
 * worker around each job. A scope is a map from attribute class to values; what is set inside is gone with the scope, and
 * two requests side by side never see each other's. `enterWith` is not used: it would leak into a server's next request.
 */
import { InvalidConfigurationError } from "../errors.ts";
import { show } from "../support/validation.ts";
import { attributesScope } from "./scope.ts";

type Values = Record<string, unknown>;

/** A scope: the values of each attribute class that has any, by the class's declaration. Most jobs have none at all. */
class Scope {
  #values: Map<Declaration, Values> | undefined;

  get(declaration: Declaration): Values | undefined {
    return this.#values?.get(declaration);
  }

  set(declaration: Declaration, values: Values): void {
    (this.#values ??= new Map()).set(declaration, values);
  }

  *[Symbol.iterator](): IterableIterator<[Declaration, Values]> {
    if (this.#values !== undefined) yield* this.#values;
  }
}

const scopes = attributesScope<Scope>();

/** What {@linkcode currentAttributes} was called with: what the subclasses of one call share. */
interface Declaration {
  readonly names: ReadonlySet<string>;
}

const DECLARATION: unique symbol = Symbol.for("@activejob/kafka.currentAttributes") as never;

/** The static side of a class of current attributes. */
export type CurrentAttributesClass<Attributes extends object> =
  & { -readonly [Name in keyof Attributes]: Attributes[Name] | undefined }
  & {
    new (): object;
    /**
     * Runs a function in a scope of its own. Attributes that are not given keep the enclosing scope's values.
     *
     * @param values what is set inside
     * @returns what the function returns
     * @throws {InvalidConfigurationError} for a name that was not declared
     */
    run<T>(values: Partial<Attributes>, fn: () => T): T;
  };

/** Any class of current attributes. */
export type AnyCurrentAttributes = (new () => object) & { run<T>(values: object, fn: () => T): T };

/** Current attributes as they travel in an envelope: by class name. */
export type AttributesOnWire = Record<string, Values>;

/** Names that a class has already. */
const RESERVED_NAMES = new Set([
  "run",
  "name",
  "length",
  "prototype",
  "__proto__",
  "constructor",
  "caller",
  "arguments",
]);

/**
 * Declares current attributes. Extend what it answers, and name the class in the App's `currentAttributes` so that jobs
 * carry its values.
 *
 * Reading an attribute outside of a scope answers `undefined`; setting one there throws.
 *
 * @typeParam Attributes names and types of the attributes
 * @param names the names once more, since types are not there at run time
 * @throws {InvalidConfigurationError} for a name that a class has already
 *
 * @example
 * ```ts
 * import { currentAttributes } from "@activejob/kafka";
 * import { assertEquals } from "@std/assert";
 *
 * class Current extends currentAttributes<{ userId: number }>("userId") {}
 *
 * Current.run({ userId: 42 }, () => {
 *   assertEquals(Current.userId, 42);
 * });
 * assertEquals(Current.userId, undefined);
 * ```
 */
export function currentAttributes<Attributes extends object>(
  ...names: readonly (keyof Attributes & string)[]
): CurrentAttributesClass<Attributes> {
  const declaration: Declaration = { names: new Set(names) };
  class CurrentAttributes {
    static readonly [DECLARATION] = declaration;

    static run<T>(values: Partial<Attributes>, fn: () => T): T {
      const scope = new Scope();
      // Copies: what is set inside must not be seen outside.
      for (const [other, set] of scopes.get() ?? []) scope.set(other, Object.assign(emptyValues(), set));
      const own = scope.get(declaration) ?? emptyValues();
      for (const [name, value] of Object.entries(values)) {
        if (!declaration.names.has(name)) {
          throw new InvalidConfigurationError(`Cannot set "${name}": ${this.name} does not declare it`);
        }
        own[name] = value;
      }
      scope.set(declaration, own);
      return scopes.run(scope, fn);
    }
  }
  for (const name of declaration.names) {
    if (typeof name !== "string" || name === "" || RESERVED_NAMES.has(name)) {
      throw new InvalidConfigurationError(`${show(name)} cannot be the name of a current attribute`);
    }
    Object.defineProperty(CurrentAttributes, name, {
      get(): unknown {
        return scopes.get()?.get(declaration)?.[name];
      },
      set(this: { name: string }, value: unknown) {
        const scope = scopes.get();
        if (scope === undefined) {
          throw new InvalidConfigurationError(
            `Cannot set ${this.name}.${name} outside of a scope: use ${this.name}.run({ ${name}: … }, () => …)`,
          );
        }
        const values = scope.get(declaration) ?? emptyValues();
        values[name] = value;
        scope.set(declaration, values);
      },
    });
  }
  return CurrentAttributes as unknown as CurrentAttributesClass<Attributes>;
}

/** Whether a value is a class of current attributes. */
export function isCurrentAttributes(value: unknown): value is AnyCurrentAttributes {
  return typeof value === "function" && DECLARATION in value;
}

/** What the enclosing scope has set of these classes; `undefined` where it is nothing. */
export function captureAttributes(classes: readonly AnyCurrentAttributes[]): AttributesOnWire | undefined {
  const scope = scopes.get();
  if (scope === undefined) return undefined;
  let captured: AttributesOnWire | undefined;
  for (const Class of classes) {
    const values = Object.entries(scope.get(declarationOf(Class)) ?? {}).filter(([, value]) => value !== undefined);
    if (values.length > 0) (captured ??= {})[Class.name] = Object.fromEntries(values);
  }
  return captured;
}

/**
 * Runs a function in a new scope that holds what came in an envelope, and nothing of the scope around it. Only classes
 * that are given, and names that they declare, are set; anything else in the envelope is ignored.
 */
export function runWithAttributes<T>(classes: readonly AnyCurrentAttributes[], onWire: unknown, fn: () => T): T {
  const scope = new Scope();
  for (const Class of classes) {
    const declaration = declarationOf(Class);
    const values = ownProperty(onWire, Class.name);
    if (values === undefined) continue;
    const own = emptyValues();
    for (const name of declaration.names) {
      const value = ownProperty(values, name);
      if (value !== undefined) own[name] = value;
    }
    scope.set(declaration, own);
  }
  return scopes.run(scope, fn);
}

/** Without a prototype: an attribute may be called like a member of every object. */
function emptyValues(): Values {
  return Object.create(null);
}

/** A property of data that came from outside: never an inherited one. */
function ownProperty(data: unknown, name: string): unknown {
  return typeof data === "object" && data !== null && Object.hasOwn(data, name) ? (data as Values)[name] : undefined;
}

function declarationOf(Class: AnyCurrentAttributes): Declaration {
  return (Class as unknown as { [DECLARATION]: Declaration })[DECLARATION];
}
