/**
 * The health of a worker over HTTP, and its metrics for Prometheus.
 *
 * @module
 */
export { type EventSource, Metrics, type MetricsOptions } from "../monitor/metrics.ts";
export { type Handler, healthHandler, type ObservedWorker } from "./health.ts";
