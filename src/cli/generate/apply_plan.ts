/** Applies a plan: decides about each file, prints the decisions, and writes all files or none. */
import { type Arguments, CommandError, type Flag, UsageError } from "../command.ts";
import type { ProjectFiles } from "./files.ts";
import { type ConflictPolicy, decidePlan, type Decision, isWritten, listNewLines, type Plan } from "./plan.ts";

/** The flags of each command that writes files. */
export const WRITING_FLAGS: readonly Flag[] = [
  { name: "force", help: "overwrite files that exist and differ" },
  { name: "skip", help: "keep files that exist and differ, and write the missing ones" },
  { name: "dry-run", help: "show what would be written, and write nothing" },
];

/**
 * Applies a plan by `--force`, `--skip` and `--dry-run`.
 *
 * @throws {UsageError} if both `--force` and `--skip` are set
 * @throws {CommandError} if files exist and differ, and neither flag is set: nothing is written then
 */
export function applyPlan(plan: Plan, files: ProjectFiles, args: Arguments): void {
  const isDryRun = args.isSet("dry-run");
  const decisions = decidePlan(plan, files.read, readConflictPolicy(args));
  const conflicts = decisions.filter(({ action }) => action === "conflict");
  if (conflicts.length === 0 && !isDryRun) files.write(decisions);
  for (const decision of decisions) printDecision(decision, isDryRun);
  for (const note of plan.notes) console.log(`note: ${note}`);
  if (conflicts.length > 0) {
    const paths = conflicts.map(({ path }) => `"${path}"`).join(", ");
    const differ = conflicts.length === 1 ? "exists and differs" : "exist and differ";
    throw new CommandError(
      `${paths} ${differ}: nothing was written; --skip keeps existing files and writes missing ones, --force overwrites`,
    );
  }
  if (isDryRun) console.log("Nothing was written (--dry-run)");
}

function readConflictPolicy(args: Arguments): ConflictPolicy {
  const [force, skip] = [args.isSet("force"), args.isSet("skip")];
  if (force && skip) {
    throw new UsageError(`Option "--force" overwrites files that differ, and "--skip" keeps them: use one of them`);
  }
  return force ? "force" : skip ? "skip" : "conflict";
}

function printDecision(decision: Decision, withText: boolean): void {
  console.log(`${decision.action.padEnd(9)}  ${decision.path}`);
  if (withText && isWritten(decision)) {
    for (const line of listNewLines(decision)) console.log(`           + ${line}`.trimEnd());
  }
}
