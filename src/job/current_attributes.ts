/**
 * Current attributes: values of a request, such as its user, that all code of the request can read, and that the jobs which
 * it enqueues carry.
 *
 * The values live only in a scope of `AsyncLocalStorage`: `Current.run(values, fn)` opens one, and a worker opens one around
 * each job. A scope maps each attribute class to its values. A value that is set inside ends with the scope, and concurrent
 * requests never see the values of each other. `enterWith` is not used: it would leak into the next request of a server.
 */
import { InvalidConfigurationError } from "../errors.ts";
import { show } from "../support/validation.ts";
import { attributesScope } from "./scope.ts";

type Values = Record<string, unknown>;

/** A scope: values by the declaration of their class. The map is made at first use, since most jobs have no attributes. */
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

/** The arguments of one call of {@linkcode currentAttributes}. All subclasses of its result have the same declaration. */
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
     * Runs a function in a new scope. Attributes that are not given keep the values of the enclosing scope.
     *
     * @param values the values to set in the new scope
     * @param fn the function, which may be async
     * @returns the result of the function
     * @throws {InvalidConfigurationError} for a name that was not declared
     */
    run<T>(values: Partial<Attributes>, fn: () => T): T;
  };

/** Any class of current attributes. */
export type AnyCurrentAttributes = (new () => object) & { run<T>(values: object, fn: () => T): T };

/** Current attributes in an envelope, by class name. */
export type AttributesOnWire = Record<string, Values>;

/** Names that cannot be attributes, since each class has them already. */
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
 * Declares current attributes. Extend the returned class, and list the subclass in the App's `currentAttributes`, so that jobs
 * carry its values.
 *
 * Outside of a scope an attribute is `undefined`, and setting it throws an `InvalidConfigurationError`.
 *
 * @typeParam Attributes names and types of the attributes
 * @param names the names again, since types do not exist at run time
 * @returns a class to extend
 * @throws {InvalidConfigurationError} for a name that every class has already, such as `name`
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
      // Copies, so that a value that is set inside is not seen outside.
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

/** Returns whether a value is a class of current attributes. */
export function isCurrentAttributes(value: unknown): value is AnyCurrentAttributes {
  return typeof value === "function" && DECLARATION in value;
}

/** Returns the values of these classes in the enclosing scope; `undefined` if there are none. */
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
 * Runs a function in a new scope with the attributes of an envelope, and without those of the enclosing scope.
 *
 * @param classes the classes whose attributes are set
 * @param onWire the attributes in the envelope. Untrusted: only names that a class declares are set
 * @returns the result of the function
 */
export function runWithAttributes<T>(classes: readonly AnyCurrentAttributes[], onWire: unknown, fn: () => T): T {
  const scope = new Scope();
  for (const Class of classes) {
    const declaration = declarationOf(Class);
    const values = ownProperty(onWire, Class.name);
    if (typeof values !== "object" || values === null) continue;
    const own = emptyValues();
    // In the order of the envelope, and own properties only.
    for (const [name, value] of Object.entries(values)) if (declaration.names.has(name)) own[name] = value;
    scope.set(declaration, own);
  }
  return scopes.run(scope, fn);
}

/** Returns an object without a prototype: an attribute may have the name of a member of every object. */
function emptyValues(): Values {
  return Object.create(null);
}

/** Returns an own property of untrusted data, never an inherited one. */
function ownProperty(data: unknown, name: string): unknown {
  return typeof data === "object" && data !== null && Object.hasOwn(data, name) ? (data as Values)[name] : undefined;
}

function declarationOf(Class: AnyCurrentAttributes): Declaration {
  return (Class as unknown as { [DECLARATION]: Declaration })[DECLARATION];
}
