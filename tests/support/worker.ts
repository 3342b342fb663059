/** What the tests of the worker's parts share: routes, records, and gauges of what is left over. */
import type { StoredRecord } from "../../src/broker/broker.ts";
import { type Route, Routes } from "../../src/routing/route.ts";
import { activeJobTopic, type TopicOptions } from "../../src/routing/topic.ts";

/** The route of a topic "default" in the group "shop". */
export function routeOf(options: TopicOptions = {}): Route {
  const naming = { queuePrefix: "", queueDelimiter: "_" };
  return new Routes([activeJobTopic("default", options)], {}, naming, "shop").find("default")!;
}

/** A record as a broker hands it over. */
export function recordOf(value: string | Uint8Array | null, fields: Partial<StoredRecord> = {}): StoredRecord {
  const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
  return { offset: 0, key: null, headers: [], timestampMs: 1000, ...fields, value: bytes };
}
