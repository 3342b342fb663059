/**
 * The dashboard of the jobs as a server of its own (`Deno.serve`). The command `web` does the same with a password.
 *
 * ```sh
 * deno run -A examples/web/dashboard.ts
 * curl -H 'x-user: 1' http://127.0.0.1:8001/api/about
 * ```
 */
import { dashboard } from "@activejob/kafka/web";
import { app } from "./app.ts";
import { findOperator } from "./operators.ts";

const jobs = dashboard(app, { authorize: findOperator });

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => stop.abort());

const port = Number(Deno.env.get("PORT") ?? 8001);
await Deno.serve({ hostname: "127.0.0.1", port, signal: stop.signal }, jobs.fetch).finished;
jobs.close();
await app.close();
Deno.exit();
