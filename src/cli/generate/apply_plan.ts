/** Carries a plan out: decides, says what becomes of each file, and writes them all, or none. */
import { type Arguments, CommandError, type Flag, UsageError } from "../command.ts";
import type { ProjectFiles } from "./files.ts";
import { decide, type Decision, type Differing, isWritten, newLines, type Plan } from "./plan.ts";

/** The flags of whatever writes files. */
export const WRITING_FLAGS: readonly Flag[] = [
  { name: "force", help: "overwrite files that are there and differ" },
  { name: "skip", help: "keep files that are there and differ, and write what is missing" },
  { name: "dry-run", help: "show what would be written, and write nothing" },
];

/**
 * Carries it out, as `--force`, `--skip` and `--dry-run` say.
 *
 * @throws {UsageError} if files that differ are to be overwritten and kept
 * @throws {CommandError} if files are there that differ, and they are not forced: nothing is written then
 */
export function carryOut(plan: Plan, files: ProjectFiles, given: Arguments): void {
  const isDryRun = given.isSet("dry-run");
  const decisions = decide(plan, files.read, differing(given));
  const conflicts = decisions.filter(({ fate }) => fate === "conflict");
  if (conflicts.length === 0 && !isDryRun) files.write(decisions);
  for (const decision of decisions) report(decision, isDryRun);
  for (const note of plan.notes) console.log(`note: ${note}`);
  if (conflicts.length > 0) {
    const paths = conflicts.map(({ path }) => `"${path}"`).join(", ");
    const differ = conflicts.length === 1 ? "is there and differs" : "are there and differ";
    throw new CommandError(
      `${paths} ${differ}: nothing was written; --skip keeps what is there and writes what is missing, --force overwrites`,
    );
  }
  if (isDryRun) console.log("Nothing was written (--dry-run)");
}

function differing(given: Arguments): Differing {
  const [force, skip] = [given.isSet("force"), given.isSet("skip")];
  if (force && skip) throw new UsageError(`Option "--force" overwrites what differs, and "--skip" keeps it: give one`);
  return force ? "force" : skip ? "skip" : "conflict";
}

function report(decision: Decision, withText: boolean): void {
  console.log(`${decision.fate.padEnd(9)}  ${decision.path}`);
  if (withText && isWritten(decision)) {
    for (const line of newLines(decision)) console.log(`           + ${line}`.trimEnd());
  }
}
