/** The users of the dashboard. */
import type { DashboardUser } from "@activejob/kafka/web";

/** Users who may change things; the others may look. */
const OPERATORS = ["1"];

/** Finds the user of a request. A real server would read a session. */
export function findOperator(request: Request): DashboardUser | null {
  const user = request.headers.get("x-user");
  return user === null ? null : { user, access: OPERATORS.includes(user) ? "operate" : "read" };
}
