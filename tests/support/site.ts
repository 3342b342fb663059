/**
 * The dashboard of a shop, served on a port of its own, over a log in memory: jobs that wait without a worker, dead letters of
 * three causes, delayed jobs, and a dead letter of a hostile client.
 */
import { activeJobTopic, App, Job } from "@activejob/kafka";
import { every } from "@activejob/kafka/recurring";
import { dashboard } from "@activejob/kafka/web";
import type { NewRecord } from "../../src/broker/broker.ts";
import { FaultInjectionLog } from "./fault_injection_log.ts";
import { createReport, workerId } from "./worker_report.ts";

/** Strings that would change a page that does not escape them. */
export const HOSTILE = {
  markup: `</td></table><script>globalThis.hacked=1</script><img src=x onerror="globalThis.hacked=1">'">`,
  ansi: "\x1b[2J\x1b]0;title\x07\u0000",
  rtl: "\u202egnp.exe\u2066",
} as const;

/** The pages of the site, and the names of their pictures. */
export const PAGES: readonly (readonly [path: string, picture: string])[] = [
  ["/", "overview"],
  ["/topics/orders", "topic"],
  ["/topics/orders/records", "records"],
  ["/topics/orders/records/0@0", "record"],
  ["/dead_letters", "dead_letters"],
  ["/dead_letters/confirm?do=requeue&all=1&class=MailJob", "confirm"],
  ["/dead_letters/dead_jobs/0@0", "dead_letter"],
  ["/delayed", "delayed"],
  ["/recurring", "recurring"],
  ["/workers", "workers"],
  [`/workers/${encodeURIComponent(workerId(1))}`, "worker"],
  ["/about", "about"],
];

/** Whether the jobs of this name fail. */
const broken = new Set<string>();

class MailJob extends Job {
  static override queue = "mail";
  perform(to: string, _options: { token: string }) {
    if (!broken.has("MailJob")) return;
    throw to.startsWith("c") ? new RangeError(`${to} is too long`) : new TypeError(`No template for ${to}`);
  }
}

class ChargeJob extends Job {
  static override queue = "orders";
  perform(order: number) {
    if (broken.has("ChargeJob")) throw new Error(`Card of order ${order} was refused`);
  }
}

class ReportJob extends Job {
  static override queue = "reports";
  perform(_month: string) {}
}

/** A shop with its dashboard. */
export interface Site extends AsyncDisposable {
  /** The origin: `http://127.0.0.1:…`. */
  readonly url: string;
  readonly app: App;
  /** The jobs that were performed since the start: `"MailJob ada@example.com"`. */
  readonly performed: string[];
  /** Lets jobs pass that have failed so far. */
  repair(): void;
  /** Performs what is there. */
  performAll(): Promise<void>;
  /** Enqueues a delayed job for the topic `reports`. */
  enqueueLater(): Promise<void>;
}

/** Headers of a request of a user. */
export const OPERATOR = { "x-user": "ada:operate" };
/** Headers of a request of a user who may only look. */
export const READER = { "x-user": "ben:read" };

/**
 * Serves the dashboard of a shop.
 *
 * @param options.hostile whether there is a dead letter of a hostile client. @default true
 */
export async function serveSite({ hostile = true } = {}): Promise<Site> {
  const log = new FaultInjectionLog();
  const app = new App({
    name: "shop",
    broker: log.source,
    jobs: [MailJob, ChargeJob, ReportJob],
    topics: [
      activeJobTopic("mail", { partitions: 2, deadLetterQueue: { topic: "dead_jobs", maxRetries: 0 } }),
      activeJobTopic("orders", { partitions: 3, deadLetterQueue: { topic: "dead_jobs", maxRetries: 0 } }),
      activeJobTopic("reports"),
    ],
    recurring: [
      every("0 3 1 * *", ReportJob.of("last month"), { id: "monthly-report", timeZone: "Europe/Prague" }),
      every({ hours: 6 }, MailJob.of("ada@example.com", { token: "tk-123456" }), { id: "reminder" }),
    ],
    logger: false,
  });
  await app.applyTopics();
  const performed: string[] = [];
  app.on("job.performed", ({ jobClass }) => performed.push(jobClass));
  broken.add("MailJob").add("ChargeJob");
  const names = ["ada", "ben", "cleo", "carl", "dora", "emil"];
  for (const name of names) await MailJob.performLater(`${name}@example.com`, { token: "tk-123456" });
  for (const order of [1001, 1002, 1003]) await ChargeJob.performLater(order);
  const performAll = async () => {
    await app.worker({ concurrency: 2 }).run(undefined, { once: true });
  };
  await performAll();
  await log.open().append("shop_workers", [createReport(1, ["mail"], 2)]);
  if (hostile) {
    const [outcome] = await log.open().append("dead_jobs", [createHostileLetter()]);
    if (!outcome!.ok) throw outcome!.error;
  }
  for (const hours of [1, 5, 30]) await ReportJob.set({ wait: { hours } }).performLater(`2026-${hours}`);
  for (const month of ["2026-09", "2026-10"]) await ReportJob.performLater(month);
  for (const order of [1004, 1005]) await ChargeJob.performLater(order);
  await app.flush();

  const pages = dashboard(app, {
    authorize(request) {
      const [user, access] = (request.headers.get("x-user") ?? "").split(":");
      return user === "" ? null : { user: user!, access: access === "operate" ? "operate" : "read" };
    },
  });
  const stop = new AbortController();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, signal: stop.signal, onListen() {} }, pages.fetch);
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    app,
    performed,
    repair: () => broken.clear(),
    performAll,
    enqueueLater: async () => void await ReportJob.set({ wait: { hours: 2 } }).performLater("2026-11"),
    async [Symbol.asyncDispose]() {
      pages.close();
      // The browser keeps connections open, for which a gentle end would wait.
      stop.abort();
      await server.finished;
      await app.close();
    },
  };
}

/** A record that a hostile client wrote into the dead letter topic. */
function createHostileLetter(): NewRecord {
  const { markup, ansi, rtl } = HOSTILE;
  const bytes = (value: unknown) => new TextEncoder().encode(String(value));
  const headers = {
    topic: "mail",
    partition: 0,
    offset: 5,
    "error-class": `Error${markup}`,
    "error-message": `${markup}${ansi}${rtl}${"x".repeat(600_000)}`,
    attempts: 3,
  };
  return {
    key: `${markup}${rtl}`,
    value: JSON.stringify({
      job_class: `${markup}${rtl}${"x".repeat(300)}`,
      job_id: `${markup}${ansi}`,
      queue_name: "mail",
      arguments: [markup, { password: "hunter2", [markup]: ansi, long: "y".repeat(300_000) }],
    }),
    headers: [
      ...Object.entries(headers).map(([name, value]) => [`dead-letter-${name}`, bytes(value)] as const),
      [`x${markup}`, bytes(`${markup}${ansi}`)],
    ],
  };
}
