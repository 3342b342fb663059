/**
 * The span of one step of a job's way: sending it, or performing it. It has begun when it is made and is ended once, by
 * {@linkcode JobSpan.end} or {@linkcode JobSpan.fail}.
 */
import { describeError } from "../errors.ts";
import type { Monitor } from "./monitor.ts";
import { type Attributes, type Context, type OpenTelemetry, type Span, STATUS_ERROR } from "./open_telemetry.ts";
import { type Headers, OUTGOING } from "./trace_headers.ts";

/** Where in its topic a record is. */
interface Position {
  readonly partition: number;
  readonly offset: number;
}

/** What a function came to: kept apart from what OpenTelemetry throws around it. */
type Outcome<T> = { readonly value: T } | { readonly thrown: unknown };

/** A traced step. */
export class JobSpan {
  readonly #api: OpenTelemetry;
  readonly #span: Span;
  readonly #context: Context;
  readonly #monitor: Monitor;

  /** @param context the one in which the span is the active one */
  constructor(api: OpenTelemetry, span: Span, context: Context, monitor: Monitor) {
    this.#api = api;
    this.#span = span;
    this.#context = context;
    this.#monitor = monitor;
  }

  /** What a record carries so that the trace goes on where it is read: `traceparent`, and what else is set up. */
  headers(): Headers {
    const headers: [string, Uint8Array][] = [];
    harmlessly(this.#monitor, () => this.#api.propagation.inject(this.#context, headers, OUTGOING));
    return headers;
  }

  /**
   * Runs a function once, in which the span is the active one, over its awaits as well. Where OpenTelemetry cannot do that,
   * it runs without.
   */
  run<T>(fn: () => T): T {
    let outcome: Outcome<T> | undefined;
    harmlessly(this.#monitor, () => this.#api.context.with(this.#context, () => void (outcome ??= outcomeOf(fn))));
    outcome ??= outcomeOf(fn);
    if ("thrown" in outcome) throw outcome.thrown;
    return outcome.value;
  }

  /**
   * The step went well.
   *
   * @param position where the record is, unless the span has said it at its start
   */
  end(position?: Position): void {
    harmlessly(this.#monitor, () => {
      if (position !== undefined) this.#span.setAttributes(positionAttributes(position));
      this.#span.end();
    });
  }

  /** The step failed. */
  fail(thrown: unknown): void {
    harmlessly(this.#monitor, () => {
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

/** Calls OpenTelemetry. A fault of its is told, and harms no job. */
export function harmlessly<T>(monitor: Monitor, fn: () => T): T | undefined {
  try {
    return fn();
  } catch (error) {
    monitor.emit("error.occurred", { where: "tracing", error: describeError(error) });
    return undefined;
  }
}

/** Where in its topic a record is, as spans tell it. */
export function positionAttributes({ partition, offset }: Position): Attributes {
  return { "messaging.destination.partition.id": String(partition), "messaging.kafka.offset": offset };
}
