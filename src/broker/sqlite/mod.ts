/**
 * The embedded broker for one machine: a partitioned log with consumer groups in one SQLite file. Many processes
 * enqueue into it, and the workers of a group share its partitions. `sqlite()` opens nothing and loads nothing.
 */
import { InvalidConfigurationError } from "../../errors.ts";
import { lazyImport } from "../../support/root_context.ts";
import { nodeBuiltin } from "../../support/node_builtin.ts";
import { checkOptions, type Checks, timeLimit } from "../../support/validation.ts";
import type { BrokerSource } from "../broker.ts";
import { filePermissions } from "./permissions.ts";

/** The options of {@linkcode sqlite}. */
export interface SqliteBrokerOptions {
  /** The longest wait of a step for locks of other processes, in milliseconds. @default 10000 */
  readonly busyTimeoutMs?: number;
}

const CHECKS: Checks<SqliteBrokerOptions> = { busyTimeoutMs: timeLimit };

/**
 * Records in an SQLite file.
 *
 * A job that is enqueued with `produceSync` is on the disk when it is acknowledged; with `produceAsync` it survives the
 * end of the process, and a power cut loses only the last moments. The file must be on a local disk.
 *
 * @param path the file, relative to the working directory at this call; it is created if there is none, its folder is
 * not
 * @param options further options
 * @returns the `broker` of an App
 * @throws {InvalidConfigurationError} if the path is empty, or an option is unknown or has a wrong value
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
  const absolutePath = nodeBuiltin("node:path").resolve(path);
  const source: BrokerSource = {
    name,
    embedded: true,
    permissions: Object.freeze(filePermissions(path)),
    async open(context) {
      const [{ SqliteBroker }, { DatabaseFile }] = await lazyImport(() =>
        Promise.all([import("./broker.ts"), import("./file.ts")])
      );
      return new SqliteBroker(name, new DatabaseFile(absolutePath, busyTimeoutMs), context);
    },
  };
  return Object.freeze(source);
}
