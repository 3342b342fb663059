/**
 * The data of every bench: envelopes of 293 bytes, keyed, as Rails or this library writes them, so that both sides of a
 * ratio see the same bytes. It imports nothing: a program of the other side does not load the library.
 */

/** The size of an envelope, in bytes. */
export const ENVELOPE_BYTES = 293;

/** One ready envelope of so many bytes. */
export function envelope(index: number, bytes: number = ENVELOPE_BYTES): string {
  const write = (padding: string) =>
    JSON.stringify({
      job_class: "NoopJob",
      job_id: "21cadf26-ff50-4fb1-9393-977ff71e57a3",
      provider_job_id: null,
      queue_name: "bench",
      priority: null,
      arguments: [index, padding],
      executions: 0,
      exception_executions: {},
      locale: null,
      timezone: null,
      enqueued_at: "2026-11-24T06:55:12.669Z",
      scheduled_at: null,
    });
  return write("x".repeat(bytes - write("").length));
}

/** Padding in an envelope's second argument, such that the envelope has that many bytes in topic `bench`. */
export function paddingOf(bytes: number): string {
  return "x".repeat(bytes - 234);
}

/** The padding of an envelope of the usual size. */
export const PADDING: string = paddingOf(ENVELOPE_BYTES);

/** One of many keys, so that every partition gets records. */
export function keyOf(index: number, distinct = 1000): string {
  return `key-${index % distinct}`;
}

/** Ready records, in lists of at most a thousand and of at most so many bytes. */
export function* records(
  { jobs, bytes = ENVELOPE_BYTES, distinctKeys = 1000, listBytes = 8_000_000 }: {
    readonly jobs: number;
    readonly bytes?: number;
    readonly distinctKeys?: number;
    readonly listBytes?: number;
  },
): Generator<{ key: string; value: string }[]> {
  const length = Math.max(1, Math.min(1000, Math.floor(listBytes / bytes)));
  for (let from = 0; from < jobs; from += length) {
    yield Array.from(
      { length: Math.min(length, jobs - from) },
      (_, at) => ({ key: keyOf(from + at, distinctKeys), value: envelope(from + at, bytes) }),
    );
  }
}

/** Milliseconds since 1970, with fractions: the same clock in all processes. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** Ends a program with its result: the last line that it prints. */
export function finish(result: Readonly<Record<string, number | string>>): never {
  console.log(JSON.stringify(result));
  Deno.exit(0);
}
