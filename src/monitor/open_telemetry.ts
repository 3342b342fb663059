/**
 * The part of OpenTelemetry's API that is used here. The API is a global under a registered symbol, where Deno puts it at
 * its start (`OTEL_DENO=true`) and an SDK when it is registered. Nothing is imported, and the global is read at each use: an
 * SDK may be registered after this library is loaded.
 */
const API = Symbol.for("opentelemetry.js.api.1");

/** The key of a context's span. The API creates its keys with `Symbol.for`. */
export const SPAN: unique symbol = Symbol.for("OpenTelemetry Context Key SPAN") as never;

/** The kinds of spans at both ends of a log. */
export const SpanKind = { producer: 3, consumer: 4 } as const;

/** The status of a span whose operation failed. */
export const STATUS_ERROR = 2;

/** Attributes of a span. */
export type Attributes = Readonly<Record<string, string | number>>;

/** An operation that is traced. */
export interface Span {
  /** Returns its ids, for a link to it. */
  spanContext(): object;
  setAttributes(attributes: Attributes): unknown;
  setStatus(status: { readonly code: number; readonly message: string }): unknown;
  recordException(exception: { readonly name: string; readonly message: string; readonly stack?: string }): unknown;
  end(): void;
}

/** The values that are active in a piece of code. It is immutable: a change returns a new context. */
export interface Context {
  getValue(key: symbol): unknown;
  setValue(key: symbol, value: unknown): Context;
}

/** Options of a span's start. */
export interface SpanOptions {
  readonly kind: number;
  readonly attributes: Attributes;
  readonly links?: readonly { readonly context: object }[];
}

/** Starts spans. */
export interface Tracer {
  startSpan(name: string, options: SpanOptions, context: Context): Span;
}

/** The API of OpenTelemetry, backed by an SDK. */
export interface OpenTelemetry {
  readonly trace: { getTracer(name: string): Tracer };
  readonly context: {
    active(): Context;
    with<T>(context: Context, fn: () => T): T;
  };
  /** Passes a context from process to process, in the formats that `OTEL_PROPAGATORS` or the SDK sets. */
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

/** Returns the API if OpenTelemetry is on; `undefined` if it is off, or the global has another shape. */
export function findOpenTelemetry(): OpenTelemetry | undefined {
  const api = (globalThis as { [API]?: Partial<OpenTelemetry> })[API];
  // The only cost of a job where nothing is traced.
  if (api === undefined) return undefined;
  return isComplete(api) ? api : undefined;
}

function isComplete(api: Partial<OpenTelemetry> | null): api is OpenTelemetry {
  const { trace, context, propagation } = api ?? {};
  return isFunction(trace?.getTracer) && isFunction(context?.active) && isFunction(context?.with) &&
    isFunction(propagation?.inject) && isFunction(propagation?.extract);
}

function isFunction(value: unknown): boolean {
  return typeof value === "function";
}
