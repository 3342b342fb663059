/** Carries a plan out: decides, says what becomes of each file, and writes them all, or none. */
import { type Arguments, CommandError, type Flag } from "../command.ts";
import type { ProjectFiles } from "./files.ts";
import { decide, type Decision, isWritten, newLines, type Plan } from "./plan.ts";

/** The flags of whatever writes files. */
export const WRITING_FLAGS: readonly Flag[] = [
  { name: "force", help: "overwrite files that are there and differ" },
  { name: "dry-run", help: "show what would be written, and write nothing" },
];

/**
 * Carries it out, as `--force` and `--dry-run` say.
 *
 * @throws {CommandError} if files are there that differ, and they are not forced: nothing is written then
 */
export function carryOut(plan: Plan, files: ProjectFiles, given: Arguments): void {
  const isDryRun = given.isSet("dry-run");
  const decisions = decide(plan, files.read, given.isSet("force"));
  const conflicts = decisions.filter(({ fate }) => fate === "conflict");
  if (conflicts.length === 0 && !isDryRun) files.write(decisions);
  for (const decision of decisions) report(decision, isDryRun);
  for (const note of plan.notes) console.log(`note: ${note}`);
  if (conflicts.length > 0) {
    const paths = conflicts.map(({ path }) => `"${path}"`).join(", ");
    const differ = conflicts.length === 1 ? "is there and differs" : "are there and differ";
    throw new CommandError(`${paths} ${differ}: nothing was written, --force overwrites`);
  }
  if (isDryRun) console.log("Nothing was written (--dry-run)");
}

function report(decision: Decision, withText: boolean): void {
  console.log(`${decision.fate.padEnd(9)}  ${decision.path}`);
  if (withText && isWritten(decision)) {
    for (const line of newLines(decision)) console.log(`           + ${line}`.trimEnd());
  }
}
