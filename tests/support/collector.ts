/** A collector: takes what Deno's OpenTelemetry exports (OTLP as JSON over HTTP) and holds it for a test. */

/** An exported span. */
export interface ExportedSpan {
  readonly name: string;
  /** As the wire counts: 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  /** `""` for none. */
  readonly parentSpanId: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly events: readonly { readonly name: string; readonly attributes: Readonly<Record<string, unknown>> }[];
  readonly status: { readonly code?: number; readonly message?: string };
}

/** An exported line of a log. */
export interface ExportedLine {
  readonly text: string;
  readonly traceId: string;
  readonly spanId: string;
}

// deno-lint-ignore no-explicit-any
type Json = any;

/** See the module. */
export class Collector implements AsyncDisposable {
  readonly spans: ExportedSpan[] = [];
  readonly lines: ExportedLine[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor() {
    this.#server = Deno.serve({ port: 0, onListen() {} }, async (request) => {
      const { pathname } = new URL(request.url);
      const body = await request.json();
      if (pathname === "/v1/traces") this.spans.push(...spansOf(body));
      if (pathname === "/v1/logs") this.lines.push(...linesOf(body));
      return Response.json({});
    });
  }

  /** The environment of a process that exports to here. */
  get env(): Record<string, string> {
    return {
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${this.#server.addr.port}`,
    };
  }

  /** The one span of a name that has this attribute, or of this name. */
  span(name: string, attribute?: string, value?: unknown): ExportedSpan {
    const found = this.spans.filter((span) =>
      span.name === name && (attribute === undefined || span.attributes[attribute] === value)
    );
    if (found.length !== 1) {
      throw new Error(
        `${found.length} spans "${name}" came, but 1 was expected; all: ${this.spans.map(({ name }) => name)}`,
      );
    }
    return found[0]!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

function spansOf({ resourceSpans }: Json): ExportedSpan[] {
  return resourceSpans.flatMap(({ scopeSpans }: Json) => scopeSpans.flatMap(({ spans }: Json) => spans))
    .map((span: Json) => ({
      ...span,
      attributes: attributesOf(span.attributes),
      events: span.events.map((event: Json) => ({ ...event, attributes: attributesOf(event.attributes) })),
    }));
}

function linesOf({ resourceLogs }: Json): ExportedLine[] {
  return resourceLogs.flatMap(({ scopeLogs }: Json) => scopeLogs.flatMap(({ logRecords }: Json) => logRecords))
    .map(({ body, traceId, spanId }: Json) => ({ text: body.stringValue.trim(), traceId, spanId }));
}

/** `[{ key, value: { stringValue } }]` → `{ key: value }`. */
function attributesOf(list: Json[]): Record<string, unknown> {
  return Object.fromEntries(list.map(({ key, value }) => [key, Object.values(value)[0]]));
}
