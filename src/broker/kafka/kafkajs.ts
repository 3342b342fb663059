/**
 * kafkajs: the one place that names the package. It is loaded when the first client is needed, since loading takes 45 ms
 * and reads the environment, and it is mended before anybody sees it.
 *
 * It is named in full and not by the import map, so that a checkout of this library also works under another project's.
 */
import { lazyImport } from "../../support/lazy_import.ts";
import { mendHeaderDecoder } from "./header_decoder.ts";

export type {
  Assignment,
  Consumer,
  EachBatchPayload,
  IHeaders,
  Kafka,
  KafkaConfig,
  KafkaMessage,
  LogEntry,
  Message,
  Offsets,
  PartitionAssigner,
  Producer,
} from "npm:kafkajs@2.2.4";

/** kafkajs itself. */
export type KafkaJs = typeof import("npm:kafkajs@2.2.4");

/** kafkajs' own cluster of connections, which it does not export. */
export type Cluster = new (options: object) => unknown;

let loading: Promise<[KafkaJs, Cluster]> | null = null;

/** Loads kafkajs, once. */
export async function loadKafkaJs(): Promise<KafkaJs> {
  return (await (loading ??= load()))[0];
}

/** Loads kafkajs' cluster with it. */
export async function loadCluster(): Promise<Cluster> {
  return (await (loading ??= load()))[1];
}

async function load(): Promise<[KafkaJs, Cluster]> {
  const [kafkajs, cluster, queue, decoder] = await lazyImport(() =>
    Promise.all([
      import("npm:kafkajs@2.2.4"),
      import("npm:kafkajs@2.2.4/src/cluster/index.js"),
      import("npm:kafkajs@2.2.4/src/network/requestQueue/index.js"),
      import("npm:kafkajs@2.2.4/src/protocol/decoder.js"),
    ])
  );
  mendRequestQueue(queue.default.prototype);
  mendHeaderDecoder(decoder.default.prototype);
  // Its named exports type-check, but several of them are not there at run time: only the default export is whole.
  return [(kafkajs as unknown as { default: KafkaJs }).default, cluster.default];
}

const MENDED = Symbol.for("@activejob/kafka:request-queue");

interface RequestQueue {
  [MENDED]?: true;
  pending: unknown[];
  throttledUntil: number;
  requestTimeoutIntervalId?: { unref?(): void };
  scheduleCheckPendingRequests(): void;
  scheduleRequestTimeoutCheck(): void;
}

/**
 * Takes two faults out of kafkajs' request queue: after the first answer it looks every millisecond whether something is
 * pending (2.5 % of a core while idle), and its timer for lost answers keeps a process alive that has nothing more to do.
 */
function mendRequestQueue(queue: RequestQueue): void {
  // Two copies of this library may share one copy of kafkajs.
  if (queue[MENDED]) return;
  queue[MENDED] = true;
  const checkPending = queue.scheduleCheckPendingRequests;
  queue.scheduleCheckPendingRequests = function () {
    if (this.pending.length === 0 && this.throttledUntil <= Date.now()) return;
    checkPending.call(this);
  };
  const checkTimeouts = queue.scheduleRequestTimeoutCheck;
  queue.scheduleRequestTimeoutCheck = function () {
    checkTimeouts.call(this);
    this.requestTimeoutIntervalId?.unref?.();
  };
}
