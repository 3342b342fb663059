/**
 * `node:sqlite` by hand: builds and stringifies each envelope, and writes a hundred a transaction; with `--one` ready
 * envelopes, each in a transaction of its own that is on the disk when it is over, of the usual size or of so many
 * bytes.
 */
import { bareWriter, INSERT, openBare } from "../bare_sqlite.ts";
import { envelope, ENVELOPE_BYTES, finish, keyOf, PADDING } from "../payload.ts";

const [path, count, mode, bytes] = Deno.args as [string, string, string | undefined, string | undefined];
const total = Number(count);
const isOne = mode === "--one";
const database = openBare(path, isOne ? "FULL" : "NORMAL");
const write = bareWriter(database);

const insert = database.prepare(INSERT);
const size = Number(bytes ?? ENVELOPE_BYTES);
const ready = Array.from({ length: 100 }, (_, index) => ({ key: keyOf(index), value: envelope(index, size) }));

const startMs = performance.now();
if (isOne) {
  for (let sent = 0; sent < total; sent++) {
    const { key, value } = ready[sent % 100]!;
    insert.run(key, value, Date.now());
  }
} else {
  for (let from = 0; from < total; from += 100) {
    write(Array.from({ length: 100 }, (_, at) => ({ key: keyOf(from + at), value: build(from + at) })));
  }
}
finish({ perSecond: total / (performance.now() - startMs) * 1000 });

function build(index: number): string {
  return JSON.stringify({
    job_class: "NoopJob",
    job_id: crypto.randomUUID(),
    provider_job_id: null,
    queue_name: "bench",
    priority: null,
    arguments: [index, PADDING],
    executions: 0,
    exception_executions: {},
    locale: null,
    timezone: null,
    enqueued_at: new Date().toISOString(),
    scheduled_at: null,
  });
}
