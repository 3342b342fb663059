/**
 * A small OpenTelemetry under the real global symbol: contexts over `AsyncLocalStorage`, W3C's `traceparent`, and spans
 * that are recorded. It does what the API promises and no more.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import {
  type Attributes,
  type Context,
  type OpenTelemetry,
  SPAN,
  type Span,
  type SpanOptions,
  type Tracer,
} from "../../src/monitor/open_telemetry.ts";

const API = Symbol.for("opentelemetry.js.api.1");

/** A span, with the calls that it got. */
export class FakeSpan implements Span {
  readonly name: string;
  readonly kind: number | undefined;
  readonly traceId: string;
  readonly spanId = hex(8);
  readonly parentId: string | null;
  readonly links: readonly unknown[];
  readonly attributes: Record<string, unknown>;
  status: unknown = null;
  exceptions: unknown[] = [];
  ended = 0;

  constructor(name: string, options: Partial<SpanOptions>, parent: FakeSpan | undefined) {
    this.name = name;
    this.kind = options.kind;
    this.links = options.links?.map(({ context }) => context) ?? [];
    this.attributes = { ...options.attributes };
    this.traceId = parent?.spanContext().traceId ?? hex(16);
    this.parentId = parent?.spanContext().spanId ?? null;
  }

  spanContext() {
    return { traceId: this.traceId, spanId: this.spanId, traceFlags: 1 };
  }

  setAttributes(attributes: Attributes) {
    if (this.ended === 0) Object.assign(this.attributes, attributes);
  }

  setStatus(status: unknown) {
    this.status = status;
  }

  recordException(exception: unknown) {
    this.exceptions.push(exception);
  }

  end() {
    this.ended++;
  }
}

class FakeContext implements Context {
  readonly #values: ReadonlyMap<symbol, unknown>;

  constructor(values: ReadonlyMap<symbol, unknown> = new Map()) {
    this.#values = values;
  }

  getValue(key: symbol) {
    return this.#values.get(key);
  }

  setValue(key: symbol, value: unknown) {
    return new FakeContext(new Map([...this.#values, [key, value]]));
  }
}

/** OpenTelemetry while it is not disposed of. */
export class FakeOpenTelemetry implements Disposable {
  /** All spans, in the order in which they began. */
  readonly spans: FakeSpan[] = [];
  readonly api: OpenTelemetry;
  readonly #contexts = new AsyncLocalStorage<Context>();

  constructor() {
    const tracer: Tracer = {
      startSpan: (name, options, context) => {
        const span = new FakeSpan(name, options, context.getValue(SPAN) as FakeSpan | undefined);
        this.spans.push(span);
        return span;
      },
    };
    this.api = {
      trace: { getTracer: () => tracer },
      context: {
        active: () => this.#contexts.getStore() ?? new FakeContext(),
        with: (context, fn) => this.#contexts.run(context, fn),
      },
      propagation: {
        inject: (context, carrier, setter) => {
          const span = context.getValue(SPAN) as FakeSpan;
          setter.set(carrier, "traceparent", `00-${span.traceId}-${span.spanId}-01`);
        },
        extract: (context, carrier, getter) => {
          const [, traceId, spanId] = getter.get(carrier, "traceparent")?.split("-") ?? [];
          if (traceId === undefined) return context;
          return context.setValue(SPAN, { spanContext: () => ({ traceId, spanId, traceFlags: 1, isRemote: true }) });
        },
      },
    };
    put(this.api);
  }

  /** The span that is active here. */
  get active(): FakeSpan | undefined {
    return this.api.context.active().getValue(SPAN) as FakeSpan | undefined;
  }

  /** Runs a function within a span of the user's own. */
  within<T>(name: string, fn: () => T): T {
    const context = this.api.context.active();
    const span = this.api.trace.getTracer("test").startSpan(name, { kind: 0, attributes: {} }, context);
    return this.api.context.with(context.setValue(SPAN, span), fn);
  }

  /** The spans of a name. */
  of(name: string): FakeSpan[] {
    return this.spans.filter((span) => span.name === name);
  }

  [Symbol.dispose](): void {
    put(undefined);
  }
}

/** Puts anything under the global symbol. */
export function put(api: unknown): void {
  if (api === undefined) delete (globalThis as { [API]?: unknown })[API];
  else (globalThis as { [API]?: unknown })[API] = api;
}

function hex(bytes: number): string {
  return crypto.getRandomValues(new Uint8Array(bytes)).toHex();
}
