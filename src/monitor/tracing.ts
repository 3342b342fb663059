/**
 * Tracing: a job's way from `performLater` to `perform` as two spans of one trace, `send <topic>` and `process <topic>`,
 * named as OpenTelemetry's conventions for messaging say. The context of the first travels in the record's headers
 * (`traceparent`); the second is its child, and links to it.
 *
 * One object an App. Without OpenTelemetry it does nothing: a step asks {@linkcode Tracing.isOn} first, as it asks the
 * event stream whether anybody hears. A fault of OpenTelemetry is an `error.occurred`, never the job's.
 */
import type { EnqueueInfo, JobInfo } from "./events.ts";
import { harmlessly, JobSpan, positionAttributes } from "./job_span.ts";
import type { Monitor } from "./monitor.ts";
import {
  type Attributes,
  type Context,
  type OpenTelemetry,
  openTelemetry,
  SPAN,
  type Span,
  SpanKind,
  type SpanOptions,
  type Tracer,
} from "./open_telemetry.ts";
import { type Headers, INCOMING } from "./trace_headers.ts";

/** A job on its way into a topic. */
export interface SentJob extends EnqueueInfo {
  /** The record's key; `null` for none. */
  readonly key: string | null;
}

/** A job that is performed. */
export interface PerformedJob extends JobInfo {
  /** The record's key; `null` for none, or one that is no text. */
  readonly key: string | null;
  /** The record's headers, from wherever they come. */
  readonly headers: Headers;
  /** The consumer group. */
  readonly group: string;
  /** How often it was performed, this time included, over all records that it came in. */
  readonly executions: number;
}

/** A span that is to begin. */
interface Plan {
  readonly name: string;
  readonly options: SpanOptions;
  readonly parent: Context;
}

/** Traces the jobs of an App. */
export class Tracing {
  readonly #common: Attributes;
  readonly #monitor: Monitor;
  #provider: OpenTelemetry["trace"] | undefined;
  #tracer: Tracer | undefined;

  /** @param brokerName what stands before its first colon is the messaging system: `"kafka"`, `"memory"` */
  constructor(clientId: string, brokerName: string, monitor: Monitor) {
    const system = brokerName.replace(/:.*/s, "");
    this.#common = { "messaging.system": system, "messaging.client.id": clientId };
    this.#monitor = monitor;
  }

  /** Whether anybody traces. */
  get isOn(): boolean {
    return openTelemetry() !== undefined;
  }

  /** A job is on its way: a span under the caller's, until the record is acknowledged or refused. */
  startSend(job: SentJob): JobSpan | undefined {
    return this.#start(({ context }) => ({
      name: `send ${job.queue}`,
      options: { kind: SpanKind.producer, attributes: this.#attributes("send", job.queue, job) },
      parent: context.active(),
    }));
  }

  /** A job is about to be performed: a span under the one that sent it, until the job has settled. */
  startProcess(job: PerformedJob): JobSpan | undefined {
    return this.#start(({ context, propagation }) => {
      // Not under what was active where the worker was made: the job does not come from there.
      const parent = propagation.extract(context.active().deleteValue(SPAN), job.headers, INCOMING);
      const sender = parent.getValue(SPAN) as Span | undefined;
      const attributes = {
        ...this.#attributes("process", job.topic, job),
        ...positionAttributes(job),
        "messaging.consumer.group.name": job.group,
        "active_job.attempt": job.attempt,
        "active_job.executions": job.executions,
      };
      const links = sender === undefined ? [] : [{ context: sender.spanContext() }];
      return { name: `process ${job.topic}`, options: { kind: SpanKind.consumer, attributes, links }, parent };
    });
  }

  #start(plan: (api: OpenTelemetry) => Plan): JobSpan | undefined {
    const api = openTelemetry();
    if (api === undefined) return undefined;
    return harmlessly(this.#monitor, () => {
      const { name, options, parent } = plan(api);
      const span = this.#tracerOf(api).startSpan(name, options, parent);
      return new JobSpan(api, span, parent.setValue(SPAN, span), this.#monitor);
    });
  }

  /** A tracer is good as long as its provider is: an SDK may be registered later, or another one. */
  #tracerOf({ trace }: OpenTelemetry): Tracer {
    if (this.#provider !== trace) [this.#provider, this.#tracer] = [trace, trace.getTracer("@activejob/kafka")];
    return this.#tracer!;
  }

  #attributes(operation: "send" | "process", topic: string, { jobClass, jobId, key }: SentJob): Attributes {
    return {
      ...this.#common,
      "messaging.operation.name": operation,
      "messaging.operation.type": operation,
      "messaging.destination.name": topic,
      "messaging.message.id": jobId,
      ...(key === null ? {} : { "messaging.kafka.message.key": key }),
      "active_job.class": jobClass,
    };
  }
}
