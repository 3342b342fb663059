/**
 * The span of one step of a job: sending it, or performing it. It is started when the object is created, and ended once, by
 * {@linkcode JobSpan.end} or {@linkcode JobSpan.fail}.
 */
import { describeError } from "../errors.ts";
import type { Position } from "../support/position.ts";
import type { Monitor } from "./monitor.ts";
import { type Attributes, type Context, type OpenTelemetry, type Span, STATUS_ERROR } from "./open_telemetry.ts";
import { type Headers, OUTGOING } from "./trace_headers.ts";

/** A position in the topic of the span. */
type PositionInTopic = Omit<Position, "topic">;

/** The outcome of a function, kept apart from an error that OpenTelemetry throws around it. */
type Outcome<T> = { readonly value: T } | { readonly thrown: unknown };

/** A traced step. */
export class JobSpan {
  readonly #api: OpenTelemetry;
  readonly #span: Span;
  readonly #context: Context;
  readonly #monitor: Monitor;

  /** @param context the context in which the span is active */
  constructor(api: OpenTelemetry, span: Span, context: Context, monitor: Monitor) {
    this.#api = api;
    this.#span = span;
    this.#context = context;
    this.#monitor = monitor;
  }

  /** Returns the headers that continue the trace where the record is read: `traceparent`, and others that are set up. */
  headers(): Headers {
    const headers: [string, Uint8Array][] = [];
    callGuarded(this.#monitor, () => this.#api.propagation.inject(this.#context, headers, OUTGOING));
    return headers;
  }

  /**
   * Calls a function once, with the span active, also over its awaits. If OpenTelemetry fails to do that, the function is
   * called without it.
   */
  run<T>(fn: () => T): T {
    let outcome: Outcome<T> | undefined;
    callGuarded(this.#monitor, () => this.#api.context.with(this.#context, () => void (outcome ??= outcomeOf(fn))));
    outcome ??= outcomeOf(fn);
    if ("thrown" in outcome) throw outcome.thrown;
    return outcome.value;
  }

  /**
   * Ends the span of a step that succeeded.
   *
   * @param position the record's position, unless the span had it from its start
   */
  end(position?: PositionInTopic): void {
    callGuarded(this.#monitor, () => {
      if (position !== undefined) this.#span.setAttributes(positionAttributes(position));
      this.#span.end();
    });
  }

  /** Ends the span of a step that failed. */
  fail(thrown: unknown): void {
    callGuarded(this.#monitor, () => {
      const { errorClass: name, message, stack } = describeError(thrown);
      this.#span.recordException({ name, message, ...(stack === undefined ? {} : { stack }) });
      this.#span.setStatus({ code: STATUS_ERROR, message });
      this.#span.setAttributes({ "error.type": name });
      this.#span.end();
    });
  }
}

function outcomeOf<T>(fn: () => T): Outcome<T> {
  try {
    return { value: fn() };
  } catch (thrown) {
    return { thrown };
  }
}

/** Calls OpenTelemetry. An error becomes an `error.occurred`; it does not reach the job. */
export function callGuarded<T>(monitor: Monitor, fn: () => T): T | undefined {
  try {
    return fn();
  } catch (error) {
    monitor.reportError("tracing", error);
    return undefined;
  }
}

/** Returns the attributes of a record's position. */
export function positionAttributes({ partition, offset }: PositionInTopic): Attributes {
  return { "messaging.destination.partition.id": String(partition), "messaging.kafka.offset": offset };
}
