/** The options of the producer, and the limits that its parts share. */

/** Options of a producer. Times are milliseconds. */
export interface ProducerOptions {
  readonly deliveryTimeoutMs: number;
  readonly metadataMaxAgeMs: number;
}

/**
 * Longest time for which a broker waits for the in-sync replicas of a partition before it responds, in milliseconds. Behind
 * this request it handles no other one of the connection.
 */
export const ACK_TIMEOUT_MS = 1000;
