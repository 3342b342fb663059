/** The permissions that a process needs to use the file. */
import type { BrokerPermissions } from "../broker.ts";

/**
 * SQLite itself needs no permission for the files beside it; the check that they are still in place does.
 *
 * @param path the file
 */
export function filePermissions(path: string): BrokerPermissions {
  return { read: [path, `${path}-wal`, `${path}-shm`], write: [path] };
}
