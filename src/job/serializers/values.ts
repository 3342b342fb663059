/**
 * Small values for what Rails has and JavaScript lacks: symbols, durations, ranges, decimals, GlobalIDs, modules, and hashes
 * whose keys are symbols or keywords. They are immutable data, made to be passed on: none of them calculates.
 *
 * A kind is recognised by a registered symbol, never by `instanceof`: an application may load two copies of this library.
 */
import { InvalidConfigurationError } from "../../errors.ts";
import { show } from "../../support/validation.ts";
import { type HashMark, setOrigin } from "./origins.ts";

/** The key of a value's kind. */
export const KIND: unique symbol = Symbol.for("@activejob/kafka.value") as never;

/** The kinds of {@linkcode KIND}. */
export type Kind = "symbol" | "duration" | "range" | "decimal" | "globalId" | "module";

/** A Ruby symbol. Made by {@linkcode symbol}. */
export class RubySymbol {
  /** The name, without the colon. */
  readonly name: string;

  /** @internal */
  constructor(name: string) {
    this.name = checkString("symbol()", name);
  }

  /** @internal */
  get [KIND](): "symbol" {
    return "symbol";
  }

  /** Returns the name. */
  toString(): string {
    return this.name;
  }
}

/** A unit of a {@linkcode RailsDuration}. */
export type DurationUnit = "seconds" | "minutes" | "hours" | "days" | "weeks" | "months" | "years";

/** Rails' seconds of each unit: a year has 365.2425 days, a month is a twelfth of it. */
const UNIT_SECONDS: Readonly<Record<DurationUnit, number>> = {
  seconds: 1,
  minutes: 60,
  hours: 3600,
  days: 86_400,
  weeks: 604_800,
  months: 2_629_746,
  years: 31_556_952,
};

/** Returns whether a value is a unit of a duration. */
export function isDurationUnit(value: unknown): value is DurationUnit {
  return typeof value === "string" && Object.hasOwn(UNIT_SECONDS, value);
}

/** An `ActiveSupport::Duration`. Made by {@linkcode duration}. */
export class RailsDuration {
  /** Its length in seconds. */
  readonly seconds: number | bigint;
  /** Its parts in order, such as `[["hours", 1], ["minutes", 30]]`. */
  readonly parts: readonly (readonly [unit: DurationUnit, count: number | bigint])[];

  /** @internal */
  constructor(seconds: number | bigint, parts: RailsDuration["parts"]) {
    this.seconds = seconds;
    this.parts = parts;
  }

  /** @internal */
  get [KIND](): "duration" {
    return "duration";
  }
}

/** A Ruby `Range`. Made by {@linkcode range}. */
export class RubyRange<T = unknown> {
  /** The first value; `null` for a range without a beginning. */
  readonly begin: T | null;
  /** The last value; `null` for a range without an end. */
  readonly end: T | null;
  /** Whether `end` is not a part of it: `1...5` in Ruby. */
  readonly excludeEnd: boolean;

  /** @internal */
  constructor(begin: T | null, end: T | null, excludeEnd: boolean) {
    this.begin = begin;
    this.end = end;
    this.excludeEnd = excludeEnd;
  }

  /** @internal */
  get [KIND](): "range" {
    return "range";
  }
}

/** A Ruby `BigDecimal` as exact text. Made by {@linkcode decimal}. */
export class BigDecimal {
  /** The number in decimal notation, such as `"-12.50"`. */
  readonly text: string;

  /** @internal */
  constructor(text: string) {
    if (typeof text !== "string" || !DECIMAL.test(text)) {
      throw new InvalidConfigurationError(`decimal() needs a number as a string, but it is given ${show(text)}`);
    }
    this.text = text;
  }

  /** @internal */
  get [KIND](): "decimal" {
    return "decimal";
  }

  /** Returns the text. */
  toString(): string {
    return this.text;
  }
}

const DECIMAL = /^(?:[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|NaN|-?Infinity)$/;

/** A Ruby class or module, by its name. Made by {@linkcode rubyModule}. */
export class RubyModule {
  /** Its full name, such as `"Admin::User"`. */
  readonly name: string;

  /** @internal */
  constructor(name: string) {
    this.name = checkString("rubyModule()", name);
  }

  /** @internal */
  get [KIND](): "module" {
    return "module";
  }

  /** Returns the name. */
  toString(): string {
    return this.name;
  }
}

/** A GlobalID: the name of a record of an application. Made by {@linkcode globalId}. */
export class GlobalId {
  /** The whole id, such as `"gid://shop/Person/7"`. */
  readonly uri: string;

  /** @internal */
  constructor(uri: string) {
    if (typeof uri !== "string" || !GLOBAL_ID.test(uri)) {
      throw new InvalidConfigurationError(
        `globalId() needs an id such as "gid://shop/Person/7", but it is given ${show(uri)}`,
      );
    }
    this.uri = uri;
  }

  /** @internal */
  get [KIND](): "globalId" {
    return "globalId";
  }

  /** The application, such as `"shop"`. */
  get app(): string {
    return GLOBAL_ID.exec(this.uri)![1]!;
  }

  /** The class of the record, such as `"Admin::Person"`. */
  get modelName(): string {
    return GLOBAL_ID.exec(this.uri)![2]!;
  }

  /** The id of the record, always a string. The parts of a composite id are joined by a slash. */
  get modelId(): string {
    return decodeURIComponent(GLOBAL_ID.exec(this.uri)![3]!.replaceAll("+", " "));
  }

  /** Returns the whole id. */
  toString(): string {
    return this.uri;
  }
}

const GLOBAL_ID = /^gid:\/\/([\w.-]+)\/([A-Za-z][\w:]*)\/((?:[^?#%\s]|%[\dA-Fa-f]{2})+)(?:\?[^\s#]*)?$/;

/**
 * Makes a Ruby symbol.
 *
 * @param name the name, without the colon
 */
export function symbol(name: string): RubySymbol {
  return new RubySymbol(name);
}

/**
 * Makes an `ActiveSupport::Duration`.
 *
 * @param parts the number of each unit, in the order in which Rails gets them: `{ hours: 1, minutes: 30 }`
 * @throws {InvalidConfigurationError} for a unit that Rails does not have, or a count that is not a finite number
 */
export function duration(parts: Readonly<Partial<Record<DurationUnit, number>>>): RailsDuration {
  const list = Object.entries(parts) as [DurationUnit, number][];
  let seconds = 0;
  for (const [unit, count] of list) {
    if (!isDurationUnit(unit) || !Number.isFinite(count)) {
      throw new InvalidConfigurationError(
        `duration() needs numbers of ${Object.keys(UNIT_SECONDS).join(", ")}, but it is given ${show(count)} ${unit}`,
      );
    }
    seconds += count * UNIT_SECONDS[unit];
  }
  return new RailsDuration(seconds, list);
}

/**
 * Makes a Ruby range.
 *
 * @param begin the first value, of a type that can be an argument; `null` for none
 * @param end the last value; `null` for none
 * @param options `excludeEnd`: whether `end` is not a part of it. @default false
 */
export function range<T>(
  begin: T | null,
  end: T | null,
  options: { readonly excludeEnd?: boolean } = {},
): RubyRange<T> {
  return new RubyRange(begin, end, options.excludeEnd ?? false);
}

/**
 * Makes a Ruby `BigDecimal`.
 *
 * @param text the number in decimal notation, kept as it is
 * @throws {InvalidConfigurationError} if it is not a number
 */
export function decimal(text: string): BigDecimal {
  return new BigDecimal(text);
}

/**
 * Makes a GlobalID.
 *
 * @param uri the whole id, such as `"gid://shop/Person/7"`
 * @throws {InvalidConfigurationError} if it is not a GlobalID
 */
export function globalId(uri: string): GlobalId {
  return new GlobalId(uri);
}

/**
 * Names a Ruby class or module.
 *
 * @param name the full name, such as `"Admin::User"`
 */
export function rubyModule(name: string): RubyModule {
  return new RubyModule(name);
}

/**
 * Makes the keyword arguments of a Ruby `perform`. They are the last argument.
 *
 * @param values the keywords; here they are a plain object
 * @returns a copy, which Rails reads as keywords
 */
export function keywords<Values extends object>(values: Values): Values {
  return marked(values, "_aj_ruby2_keywords", Object.keys(values));
}

/**
 * Makes a Ruby hash whose keys are symbols. Without it the keys of a plain object are strings in Ruby.
 *
 * @param values the hash; here it is a plain object
 * @param names the keys that are symbols. @default all
 * @returns a copy, which Rails reads with these symbols as keys
 */
export function symbolKeys<Values extends object>(
  values: Values,
  names: readonly (keyof Values & string)[] = Object.keys(values) as (keyof Values & string)[],
): Values {
  return marked(values, "_aj_symbol_keys", names);
}

function marked<Values extends object>(values: Values, marker: HashMark["marker"], names: readonly string[]): Values {
  const copy = { ...values };
  setOrigin(copy, { hash: { marker, names } });
  return copy;
}

function checkString(what: string, value: unknown): string {
  if (typeof value === "string") return value;
  throw new InvalidConfigurationError(`${what} needs a string, but it is given ${show(value)}`);
}
