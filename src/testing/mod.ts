/**
 * The testing door: an App for one test, on a log of its own.
 *
 * @module
 */
export { type EnqueuedFilter, type EnqueuedJob, type EnqueuedWith, TestApp } from "./test_app.ts";
