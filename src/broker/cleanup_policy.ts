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

/**
 * Returns whether a topic keeps the newest record of each key for ever: it compacts, and does not delete by age.
 *
 * @param config the topic's configuration by Kafka's names
 */
export function keepsNewest(config: ReadonlyMap<string, string>): boolean {
  return hasCleanupPolicy(config, "compact") && !hasCleanupPolicy(config, "delete");
}
