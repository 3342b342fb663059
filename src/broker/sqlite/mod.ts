/**
 * The embedded broker for one machine: a partitioned log with consumer groups in one SQLite file. Many processes enqueue
 * into it; of the workers of a group one performs, and another one takes over when it stops or dies. Naming it opens
 * nothing and loads nothing.
 */
import { InvalidConfigurationError } from "../../errors.ts";
import { lazyImport } from "../../support/lazy_import.ts";
import { nodeBuiltin } from "../../support/node_builtin.ts";
import { checkOptions, type Checks, timeLimit } from "../../support/validation.ts";
import type { BrokerSource } from "../broker.ts";

/** What may be said about a file. */
export interface SqliteBrokerOptions {
  /** How long a step waits for other processes that write, in milliseconds. @default 10000 */
  readonly busyTimeoutMs?: number;
}

const CHECKS: Checks<SqliteBrokerOptions> = { busyTimeoutMs: timeLimit };

/**
 * Records in an SQLite file.
 *
 * What is enqueued with `produceSync` is on the disk when it is acknowledged; with `produceAsync` it survives the end of
 * the process, and of a power cut all but the last moments. The file must be on a local disk.
 *
 * @param path the file, relative to the working directory; it is made if there is none, its folder is not
 * @param options what else may be said
 * @returns what an App takes as its `broker`
 * @throws {InvalidConfigurationError} if there is no path, or an option is unknown or cannot work
 *
 * @example
 * ```ts
 * import { sqlite } from "@activejob/kafka";
 * import { assertEquals } from "@std/assert";
 *
 * const source = sqlite("jobs.db", { busyTimeoutMs: 5000 });
 * assertEquals(source.name, "sqlite:jobs.db");
 * ```
 */
export function sqlite(path: string, options: SqliteBrokerOptions = {}): BrokerSource {
  if (typeof path !== "string" || path === "" || path.includes("\0")) {
    throw new InvalidConfigurationError(`sqlite() must be given the path of a file, but it is ${JSON.stringify(path)}`);
  }
  if (path === ":memory:") {
    throw new InvalidConfigurationError('sqlite() must be given the path of a file: for a log in memory say "memory:"');
  }
  checkOptions("sqlite()", options, CHECKS);
  const { busyTimeoutMs = 10_000 } = options;
  const name = `sqlite:${path}`;
  const source: BrokerSource = {
    name,
    embedded: true,
    // SQLite's own files beside it are not asked for.
    permissions: Object.freeze({ read: [path], write: [path] }),
    async open(context) {
      const [{ SqliteBroker }, { DatabaseFile }] = await lazyImport(() =>
        Promise.all([import("./broker.ts"), import("./file.ts")])
      );
      return new SqliteBroker(name, new DatabaseFile(nodeBuiltin("node:path").resolve(path), busyTimeoutMs), context);
    },
  };
  return Object.freeze(source);
}
