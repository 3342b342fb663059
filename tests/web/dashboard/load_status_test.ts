/** The status with the reports of the workers: one reading of the reports, and a note where they cannot be read. */
import { activeJobTopic, App } from "@activejob/kafka";
import { assertEquals } from "@std/assert";
import { loadStatus } from "../../../src/web/dashboard/load_status.ts";
import { PartLoader } from "../../../src/web/dashboard/part_loader.ts";
import { FaultInjectionLog } from "../../support/fault_injection_log.ts";
import { createReport, workerId } from "../../support/worker_report.ts";

const REPORTS = "shop_workers";

/** Loads the status of an App on which one worker reports. @returns the number of readings of the reports, too */
async function load(failure?: Error) {
  const log = new FaultInjectionLog();
  let readings = 0;
  const open = () => {
    const broker = log.open();
    const { admin } = broker;
    const listEnds = (topics: readonly string[]) => {
      if (!topics.includes(REPORTS)) return admin.listEnds(topics);
      readings++;
      return failure === undefined ? admin.listEnds(topics) : Promise.reject(failure);
    };
    return Promise.resolve(Object.assign(broker, { admin: { ...admin, listEnds } }));
  };
  await using app = new App({
    name: "shop",
    broker: { ...log.source, open },
    jobs: [],
    topics: [activeJobTopic("mail", { partitions: 1 })],
    logger: false,
  });
  await app.applyTopics();
  await log.open().append(REPORTS, [createReport(1, ["mail"], 1)]);
  const parts = new PartLoader();
  const { status, workers } = await loadStatus(app, parts);
  const [partition] = status.topics[0]!.partitions;
  return { readings, owner: partition!.owner, workers: workers?.length, notes: [...status.notes, ...parts.notes] };
}

Deno.test("a page with the status and the workers reads the reports once", async () => {
  assertEquals(await load(), { readings: 1, owner: workerId(1), workers: 1, notes: [] });
});

Deno.test("reports that cannot be read are one note, and the status is known", async () => {
  const notes = ["The workers are not known: the disk is on fire"];
  assertEquals(await load(new Error("the disk is on fire")), { readings: 1, owner: null, workers: undefined, notes });
});
