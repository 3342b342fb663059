/** The options of the producer. */

/** Options of a producer. Times are milliseconds. */
export interface ProducerOptions {
  readonly deliveryTimeoutMs: number;
  readonly metadataMaxAgeMs: number;
}
