/** The cleanup of a topic, by its configuration: `cleanup.policy` is `compact`, `delete`, or both with a comma in between. */

/** A policy. */
export type CleanupPolicy = "compact" | "delete";

/**
 * Whether a topic has a policy.
 *
 * @param config the topic's configuration by Kafka's names. Without a policy it is `delete`
 */
export function hasCleanupPolicy(config: ReadonlyMap<string, string>, policy: CleanupPolicy): boolean {
  return (config.get("cleanup.policy") ?? "delete").split(",").some((each) => each.trim() === policy);
}
