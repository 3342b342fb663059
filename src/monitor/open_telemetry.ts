/**
 * OpenTelemetry, as far as it is used here: what stands under the global symbol by which all copies of its API find each
 * other. Deno puts it there at its start (`OTEL_DENO=true`), on Node an SDK does when it is registered. So nothing is
 * imported, and it is looked up whenever it is used: an SDK may come later than this library.
 */
const API = Symbol.for("opentelemetry.js.api.1");

/** Where a context keeps its span. The API makes its keys with `Symbol.for`, and this one is its own. */
export const SPAN: unique symbol = Symbol.for("OpenTelemetry Context Key SPAN") as never;

/** The kinds of span that stand on the two sides of a log. */
export const SpanKind = { producer: 3, consumer: 4 } as const;

/** The status of a span whose operation failed. */
export const STATUS_ERROR = 2;

/** What a span says of its operation. */
export type Attributes = Readonly<Record<string, string | number>>;

/** An operation that is traced. */
export interface Span {
  /** Its ids: what a link to it has. */
  spanContext(): object;
  setAttributes(attributes: Attributes): unknown;
  setStatus(status: { readonly code: number; readonly message: string }): unknown;
  recordException(exception: { readonly name: string; readonly message: string; readonly stack?: string }): unknown;
  end(): void;
}

/** What is active in a piece of code: immutable, each change is a new one. */
export interface Context {
  getValue(key: symbol): unknown;
  setValue(key: symbol, value: unknown): Context;
  deleteValue(key: symbol): Context;
}

/** How a span begins. */
export interface SpanOptions {
  readonly kind: number;
  readonly attributes: Attributes;
  readonly links?: readonly { readonly context: object }[];
}

/** Begins spans. */
export interface Tracer {
  startSpan(name: string, options: SpanOptions, context: Context): Span;
}

/** The API, as a tracing SDK has filled it. */
export interface OpenTelemetry {
  readonly trace: { getTracer(name: string): Tracer };
  readonly context: {
    active(): Context;
    with<T>(context: Context, fn: () => T): T;
  };
  /** Carries a context from process to process, in the formats that `OTEL_PROPAGATORS` or the SDK names. */
  readonly propagation: {
    inject<Carrier>(
      context: Context,
      carrier: Carrier,
      setter: { set(carrier: Carrier, name: string, value: string): void },
    ): void;
    extract<Carrier>(
      context: Context,
      carrier: Carrier,
      getter: { get(carrier: Carrier, name: string): string | undefined; keys(carrier: Carrier): string[] },
    ): Context;
  };
}

/** OpenTelemetry, if it is on: `undefined` without it, and where what stands there has another shape. */
export function openTelemetry(): OpenTelemetry | undefined {
  const api = (globalThis as { [API]?: Partial<OpenTelemetry> })[API];
  // The one look that a job costs where nothing is traced.
  if (api === undefined) return undefined;
  return isWhole(api) ? api : undefined;
}

function isWhole(api: Partial<OpenTelemetry> | null): api is OpenTelemetry {
  const { trace, context, propagation } = api ?? {};
  return isFunction(trace?.getTracer) && isFunction(context?.active) && isFunction(context?.with) &&
    isFunction(propagation?.inject) && isFunction(propagation?.extract);
}

function isFunction(value: unknown): boolean {
  return typeof value === "function";
}
