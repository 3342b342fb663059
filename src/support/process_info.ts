/** The process that this code runs in: its runtime, its id and its host. Works in Deno, Node and Bun. */
import os from "node:os";
import process from "node:process";

/** The part of Deno that says what is allowed. */
interface Permissions {
  readonly permissions: { querySync(name: { name: "sys"; kind: "hostname" }): { readonly state: string } };
}

/** Returns the process id. */
export function processId(): number {
  return process.pid;
}

/** Returns the runtime with its version, such as `"Deno 2.9.6"`. */
export function runtimeName(): string {
  const { deno, bun, node } = process.versions;
  if (deno !== undefined) return `Deno ${deno}`;
  return bun !== undefined ? `Bun ${bun}` : `Node ${node}`;
}

/**
 * Returns the name of the host; `"unknown"` where Deno does not allow it (`--allow-sys=hostname`). The permission is read before:
 * Deno would ask the user at a terminal, and stop the process until the answer.
 */
export function hostName(): string {
  const { Deno: deno } = globalThis as { Deno?: Permissions };
  try {
    if (deno !== undefined && deno.permissions.querySync({ name: "sys", kind: "hostname" }).state !== "granted") {
      return "unknown";
    }
    return os.hostname() || "unknown";
  } catch {
    return "unknown";
  }
}
