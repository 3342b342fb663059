/**
 * The tasks of a new project. Each has the permissions that it needs on the file `jobs.db` and on a Kafka, so that a
 * project moves from one to the other by `BROKER_URL` alone. A permission that is missing is an error, never a prompt.
 */
import { sqlite } from "../../broker/sqlite/mod.ts";
import { formatPermissionFlag } from "../../support/permissions.ts";
import { findLibraryFolder } from "./library.ts";
import { APP_FILE } from "./job.ts";
import { PACKAGE } from "./templates.ts";

/** Command lines by the name of their task. */
export type ProjectTasks = Readonly<Record<"dev" | "worker" | "enqueue" | "topics" | "test" | "generate", string>>;

/** Creates the tasks. */
export function createTasks(): ProjectTasks {
  // A client gets the addresses of the brokers from the cluster: they are not known here.
  const net = formatPermissionFlag("net", []);
  const env = formatPermissionFlag("env", ["BROKER_URL"]);
  const database = sqlite("jobs.db").permissions ?? {};
  const readDatabase = formatPermissionFlag("read", database.read ?? []);
  // A command line imports the App by its name, which needs the permission to read it; a static import does not.
  const library = findLibraryFolder();
  const readModules = formatPermissionFlag("read", library === null ? ["."] : [".", library]);
  const write = formatPermissionFlag("write", database.write ?? []);
  const cli = `deno run --no-prompt ${net} ${env} ${readModules} ${write} ${PACKAGE}/cli`;
  const script = `--no-prompt ${net} ${env} ${readDatabase} ${write}`;
  return {
    dev: `deno run --watch --no-clear-screen ${script} dev.ts`,
    worker: `${cli} worker --app ${APP_FILE}`,
    enqueue: `deno run ${script} enqueue.ts`,
    topics: `${cli} topics apply --app ${APP_FILE}`,
    test: "deno test --allow-env=BROKER_URL",
    generate: `deno run --allow-read=. --allow-write=. ${PACKAGE}/cli generate`,
  };
}
