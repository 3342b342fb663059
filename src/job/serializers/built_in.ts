/**
 * The serializers of built-in types: JavaScript's own, and Rails' by the values of `values.ts`.
 *
 * Values that Rails knows are written exactly as Rails writes them. The names of all others begin with `JavaScript::`. A
 * value is recognised by its kind and the name of its class, so that a value of another realm is accepted, and an instance
 * of a subclass, which would lose its class, is not.
 */
import { decodeBase64, encodeBase64 } from "../../support/base64.ts";
import { originOf, setOrigin } from "./origins.ts";
import type { AnyCodec, Fields } from "./serializer.ts";
import {
  BigDecimal,
  isDurationUnit,
  KIND,
  type Kind,
  RailsDuration,
  RubyModule,
  RubyRange,
  RubySymbol,
} from "./values.ts";

/** A number that is written as a float, although it may be an integer. */
export class Float {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/** Makes the serializer of values that are one string on the wire. */
function ofString(name: string, format: (value: never) => string, parse: (text: string) => unknown): AnyCodec {
  return {
    name,
    serialize: (value) => ({ value: format(value as never) }),
    deserialize: ({ value }) => parse(stringOf(value)),
  };
}

const rails = (name: string) => `ActiveJob::Serializers::${name}Serializer`;
const own = (name: string) => `JavaScript::${name}Serializer`;

const time: AnyCodec = {
  name: rails("Time"),
  serialize(date: Date): Fields {
    const ms = date.getTime();
    if (Number.isNaN(ms)) throw new TypeError("it is an invalid Date");
    const exact = originOf(date)?.time;
    return exact?.ms === ms ? exact.wire : { value: toRailsYear(date.toISOString()).replace("Z", "000000Z") };
  },
  deserialize({ value, type }): unknown {
    const iso = readTime(value);
    if (type === INSTANT) return temporal().Instant.from(iso);
    const date = new Date(iso);
    if (Number.isNaN(date.getTime())) throw notA("time", value);
    setOrigin(date, { time: { ms: date.getTime(), wire: { value } } });
    return date;
  },
};

const INSTANT = "Temporal.Instant";

const instant: AnyCodec = {
  // Rails reads a Time, and ignores the type.
  name: time.name,
  serialize: (value: Temporal.Instant) => ({
    value: toRailsYear(value.toString({ fractionalSecondDigits: 9 })),
    type: INSTANT,
  }),
  deserialize: time.deserialize,
};

const dateTime: AnyCodec = {
  name: rails("DateTime"),
  serialize: (value: Temporal.ZonedDateTime) => ({ value: formatZoned(value) }),
  deserialize({ value }): unknown {
    const iso = readTime(value);
    return temporal().Instant.from(iso).toZonedDateTimeISO(offsetOf(iso));
  },
};

const timeWithZone: AnyCodec = {
  name: rails("TimeWithZone"),
  serialize: (value: Temporal.ZonedDateTime) =>
    originOf(value)?.time?.wire ?? { value: formatZoned(value), time_zone: value.timeZoneId },
  deserialize({ value, time_zone: zone }): unknown {
    const iso = readTime(value);
    if (zone !== undefined) return temporal().Instant.from(iso).toZonedDateTimeISO(stringOf(zone));
    // Rails 6 writes no zone: it takes the one of the application.
    const zoned = temporal().Instant.from(iso).toZonedDateTimeISO(offsetOf(iso));
    setOrigin(zoned, { time: { ms: zoned.epochMilliseconds, wire: { value } } });
    return zoned;
  },
};

const date: AnyCodec = ofString(
  rails("Date"),
  (value: Temporal.PlainDate) => toRailsYear(value.toString()),
  (text) => temporal().PlainDate.from(fromRailsYear(DATE, text, "date")),
);

const duration: AnyCodec = {
  name: rails("Duration"),
  serialize({ seconds, parts }: RailsDuration): Fields {
    // In Ruby one fraction among the parts makes the sum a float.
    const isFloat = typeof seconds === "number" && parts.some(([, count]) => !Number.isInteger(Number(count)));
    return {
      value: isFloat ? new Float(seconds) : seconds,
      parts: parts.map(([unit, count]) => [new RubySymbol(unit), count]),
    };
  },
  deserialize({ value, parts }): unknown {
    if (!isNumeric(value) || !Array.isArray(parts)) {
      throw new TypeError("its value or its parts are not those of a duration");
    }
    return new RailsDuration(
      value,
      parts.map((part) => {
        const unit = kindOf(part?.[0]) === "symbol" ? part[0].name : undefined;
        if (!isDurationUnit(unit) || !isNumeric(part[1])) throw new TypeError("a part is not that of a duration");
        return [unit, part[1]] as const;
      }),
    );
  },
};

const range: AnyCodec = {
  name: rails("Range"),
  serialize: ({ begin, end, excludeEnd }: RubyRange) => ({ begin, end, exclude_end: excludeEnd }),
  deserialize: ({ begin = null, end = null, exclude_end }) => new RubyRange(begin, end, exclude_end === true),
};

const map: AnyCodec = {
  name: own("Map"),
  serialize: (value: Map<unknown, unknown>) => ({ entries: [...value] }),
  deserialize: ({ entries }) => new Map(listOf(entries) as [unknown, unknown][]),
};

const set: AnyCodec = {
  name: own("Set"),
  serialize: (value: Set<unknown>) => ({ values: [...value] }),
  deserialize: ({ values }) => new Set(listOf(values)),
};

const regExp: AnyCodec = {
  name: own("RegExp"),
  serialize: ({ source, flags, lastIndex }: RegExp) => ({
    source,
    flags,
    ...(lastIndex === 0 ? {} : { last_index: lastIndex }),
  }),
  deserialize({ source, flags, last_index: lastIndex = 0 }): unknown {
    if (!Number.isSafeInteger(lastIndex)) throw notA("last_index", lastIndex);
    return Object.assign(new RegExp(stringOf(source), stringOf(flags)), { lastIndex });
  },
};

const bytes = ofString(
  own("Uint8Array"),
  encodeBase64,
  decodeBase64,
);
const url = ofString(own("URL"), (value: URL) => value.href, (text) => new URL(text));
const railsSymbol = ofString(rails("Symbol"), (value: RubySymbol) => value.name, (text) => new RubySymbol(text));
const decimal = ofString(rails("BigDecimal"), (value: BigDecimal) => value.text, (text) => new BigDecimal(text));
const module = ofString(rails("Module"), (value: RubyModule) => value.name, (text) => new RubyModule(text));

/** The types of Temporal that Rails does not have: their own text. */
const temporalText = (
  ["ZonedDateTime", "PlainDate", "PlainTime", "PlainDateTime", "PlainYearMonth", "PlainMonthDay", "Duration"] as const
).map((type) =>
  ofString(own(`Temporal${type}`), (value: object) => String(value), (text) => temporal()[type].from(text))
);
const [ownZoned, ownDate, plainTime, plainDateTime, plainYearMonth, plainMonthDay, temporalDuration] = temporalText;

/** By the class of a value, as `Object.prototype.toString` names it. */
const BY_CLASS: ReadonlyMap<string, (value: never) => AnyCodec> = new Map<string, (value: never) => AnyCodec>([
  ["Date", () => time],
  ["Map", () => map],
  ["Set", () => set],
  ["URL", () => url],
  ["RegExp", () => regExp],
  ["Uint8Array", () => bytes],
  [INSTANT, () => instant],
  ["Temporal.ZonedDateTime", chooseZoned],
  ["Temporal.PlainDate", ({ calendarId }: Temporal.PlainDate) => calendarId === "iso8601" ? date : ownDate!],
  ["Temporal.PlainTime", () => plainTime!],
  ["Temporal.PlainDateTime", () => plainDateTime!],
  ["Temporal.PlainYearMonth", () => plainYearMonth!],
  ["Temporal.PlainMonthDay", () => plainMonthDay!],
  ["Temporal.Duration", () => temporalDuration!],
]);

const BY_KIND: Readonly<Record<Exclude<Kind, "globalId">, AnyCodec>> = {
  symbol: railsSymbol,
  duration,
  range,
  decimal,
  module,
};

/** The built-in serializers by their names on the wire. */
export const BUILT_IN: ReadonlyMap<string, AnyCodec> = new Map(
  [
    ...[time, dateTime, timeWithZone, date, map, set, url, regExp, bytes, ...temporalText],
    ...Object.values(BY_KIND),
  ].map((codec) => [codec.name, codec]),
);

/** Returns the kind of a small value. */
export function kindOf(value: unknown): Kind | undefined {
  return typeof value === "object" && value !== null ? (value as { [KIND]?: Kind })[KIND] : undefined;
}

/** Returns the built-in serializer of a value that is neither an array nor plain data. */
export function findBuiltIn(value: object): AnyCodec | undefined {
  const kind = kindOf(value);
  if (kind !== undefined && kind !== "globalId") return BY_KIND[kind];
  const name = Object.prototype.toString.call(value).slice(8, -1);
  const choose = BY_CLASS.get(name);
  // A subclass has a name of its own, and a property would be lost.
  if (choose === undefined || Object.getPrototypeOf(value).constructor?.name !== name.split(".").at(-1)) {
    return undefined;
  }
  if (name !== "Uint8Array" && Object.keys(value).length > 0) return undefined;
  return choose(value as never);
}

function chooseZoned(value: Temporal.ZonedDateTime): AnyCodec {
  if (value.calendarId !== "iso8601") return ownZoned!;
  return /^[+-]/.test(value.timeZoneId) && originOf(value) === undefined ? dateTime : timeWithZone;
}

/** A time as Rails writes it: years of any length, up to nine digits of a second that count, and `Z` or an offset. */
const TIME = /^(-?)(\d{4,6})(-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?)\d*(Z|[+-]\d\d:\d\d)$/;
const DATE = /^(-?)(\d{4,6})(-\d\d-\d\d)$/;

function readTime(value: unknown): string {
  return fromRailsYear(TIME, stringOf(value), "time");
}

/** JavaScript has years of four digits, or of six with a sign. */
function fromRailsYear(pattern: RegExp, text: string, what: string): string {
  const match = pattern.exec(text);
  if (match === null) throw notA(what, text);
  const [, sign, year, ...rest] = match;
  const isShort = sign === "" && year!.length === 4;
  return `${isShort ? year : `${sign || "+"}${year!.padStart(6, "0")}`}${rest.join("")}`;
}

/** Ruby has no plus sign, and years of four digits or more. */
function toRailsYear(iso: string): string {
  return iso.replace(/^\+?(-?)0*(\d{4})/, "$1$2");
}

/** The zones whose times Rails writes with `Z`. */
const UTC_ZONE = /^(?:Etc\/)?(?:UTC|UCT|Universal|Zulu)$/i;

function formatZoned(value: Temporal.ZonedDateTime): string {
  // An offset with seconds, as before 1900, has no place in the text.
  const isUtc = UTC_ZONE.test(value.timeZoneId) || value.offsetNanoseconds % 60e9 !== 0;
  return toRailsYear(
    isUtc
      ? value.toInstant().toString({ fractionalSecondDigits: 9 })
      : value.toString({ fractionalSecondDigits: 9, timeZoneName: "never" }),
  );
}

function offsetOf(iso: string): string {
  return iso.endsWith("Z") ? "+00:00" : iso.slice(-6);
}

function temporal(): typeof Temporal {
  const found = (globalThis as { Temporal?: typeof Temporal }).Temporal;
  if (found === undefined) throw new TypeError("it needs Temporal, which this runtime does not have");
  return found;
}

function isNumeric(value: unknown): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

function stringOf(value: unknown): string {
  if (typeof value !== "string") throw notA("string", value);
  return value;
}

function listOf(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw notA("list", value);
  return value;
}

function notA(what: string, value: unknown): TypeError {
  return new TypeError(
    `${typeof value === "string" ? JSON.stringify(value.slice(0, 100)) : typeof value} is not a ${what}`,
  );
}
