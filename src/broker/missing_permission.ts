/** The error of a broker whose process lacks a permission. */
import type { BrokerPermissions } from "./broker.ts";
import { BrokerError } from "../errors.ts";
import { findMissingPermission, formatPermissionFlag } from "../support/permissions.ts";

/**
 * The process lacks a permission that the broker needs. Its message is one sentence with every flag. It has no stack
 * and no causes: the place at which a client read a variable is of no use, and a program that does not catch the error
 * would print sixty lines.
 */
export class MissingPermissionError extends BrokerError {
  /** The sentence without the action that failed. */
  readonly reason: string;

  constructor(action: string, reason: string) {
    super(`${action}: ${reason}`);
    this.reason = reason;
    this.stack = `${this.name}: ${this.message}`;
  }
}

/**
 * Makes the error of a missing permission.
 *
 * @param action what failed: `Cannot append to topic "default"`
 * @param cause the error of the broker's client, or one that wraps it
 * @param needed what the broker needs; a list that is empty allows everything of its kind
 * @returns `null` if `cause` is not about a permission
 */
export function asMissingPermission(
  action: string,
  cause: unknown,
  needed: BrokerPermissions,
): MissingPermissionError | null {
  if (cause instanceof MissingPermissionError) return new MissingPermissionError(action, cause.reason);
  const missing = findMissingPermission(cause);
  if (missing === null) return null;
  const flags = Object.entries(needed).map(([kind, values]) => formatPermissionFlag(kind, values));
  return new MissingPermissionError(
    action,
    `this process lacks a permission (${missing.reason}); its broker needs ${flags.join(" ")}; ` +
      `"worker --print-permissions" prints all that an App needs`,
  );
}
