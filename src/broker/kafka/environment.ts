/** The environment variables that kafkajs reads: [measured] the first as it is loaded, the others at each client. */
export const ENVIRONMENT: readonly string[] = Object.freeze([
  "NODE_ENV",
  "KAFKAJS_LOG_LEVEL",
  "KAFKAJS_DEBUG_PROTOCOL_BUFFERS",
  "KAFKAJS_DEBUG_EXTENDED_PROTOCOL_BUFFERS",
]);
