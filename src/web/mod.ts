/**
 * The dashboard of an App, the health of a worker over HTTP, and its metrics for Prometheus.
 *
 * @module
 */
export { type EventSource, Metrics, type MetricsOptions } from "../monitor/metrics.ts";
export { type Handler, healthHandler, type ObservedWorker } from "./health.ts";
export { type Dashboard, dashboard } from "./dashboard/dashboard.ts";
export type { DashboardOptions } from "./dashboard/options.ts";
export type { Access } from "./dashboard/page.ts";
export type { Redact } from "./dashboard/redact.ts";
export type { Authorize, DashboardUser } from "./dashboard/security.ts";
