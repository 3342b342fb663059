/**
 * Tracing: a job from `performLater` to `perform` as two spans of one trace, `send <topic>` and `process <topic>`, named by
 * OpenTelemetry's conventions for messaging. The context of the first is passed on in the record's headers (`traceparent`);
 * the second is its child, and links to it.
 *
 * An App has one `Tracing`. Without OpenTelemetry it does nothing: callers check {@linkcode Tracing.isOn} first. An error
 * of OpenTelemetry becomes an `error.occurred`; it never reaches a job.
 */
import type { EnqueueInfo, JobInfo } from "./events.ts";
import { callGuarded, JobSpan, positionAttributes } from "./job_span.ts";
import type { Monitor } from "./monitor.ts";
import {
  type Attributes,
  type Context,
  findOpenTelemetry,
  type OpenTelemetry,
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

/** A job that is about to be performed. */
export interface PerformedJob extends JobInfo {
  /** The record's key; `null` for none, or one that is not UTF-8. */
  readonly key: string | null;
  /** The record's headers, untrusted. */
  readonly headers: Headers;
  /** The consumer group. */
  readonly group: string;
  /** The number of its runs, this one included, over all records of the job. */
  readonly executions: number;
}

/** A span that is about to start. */
interface SpanPlan {
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

  /** @param brokerName the part before its first colon is the messaging system: `"kafka"`, `"memory"` */
  constructor(clientId: string, brokerName: string, monitor: Monitor) {
    const system = brokerName.replace(/:.*/s, "");
    this.#common = { "messaging.system": system, "messaging.client.id": clientId };
    this.#monitor = monitor;
  }

  /** Whether OpenTelemetry is on. */
  get isOn(): boolean {
    return findOpenTelemetry() !== undefined;
  }

  /** Starts the span of sending a job, a child of the caller's; it ends when the record is acknowledged or refused. */
  startSend(job: SentJob): JobSpan | undefined {
    return this.#start(({ context }) => ({
      name: `send ${job.queue}`,
      options: { kind: SpanKind.producer, attributes: this.#attributes("send", job.queue, job) },
      parent: context.active(),
    }));
  }

  /** Starts the span of performing a job, a child of the span that sent it; it ends when the job has settled. */
  startProcess(job: PerformedJob): JobSpan | undefined {
    return this.#start(({ context, propagation }) => {
      // The worker performs jobs outside of every context: no span is active here.
      const parent = propagation.extract(context.active(), job.headers, INCOMING);
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

  #start(plan: (api: OpenTelemetry) => SpanPlan): JobSpan | undefined {
    const api = findOpenTelemetry();
    if (api === undefined) return undefined;
    return callGuarded(this.#monitor, () => {
      const { name, options, parent } = plan(api);
      const span = this.#tracerOf(api).startSpan(name, options, parent);
      return new JobSpan(api, span, parent.setValue(SPAN, span), this.#monitor);
    });
  }

  /** Returns the tracer of the current provider: an SDK may be registered later, or replaced. */
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
