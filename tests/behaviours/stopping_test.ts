/** Stopping, on real processes. */
import { assertEquals } from "@std/assert";
import { Job } from "../../mod.ts";
import { Relay } from "../support/kafka/relay.ts";
import type { ChildSettings } from "../support/behaviours/children/settings.ts";
import { cuttableConnection } from "../support/behaviours/faults.ts";
import { behaviour } from "../support/behaviours/behaviour.ts";
import { until } from "../support/until.ts";
import { startScript, startWorker, type WorkerChild } from "../support/behaviours/worker_child.ts";

/** The signals that stop a worker, and the exit code after a second one. */
const FORCED = [["SIGINT", 130], ["SIGQUIT", 131], ["SIGTERM", 143]] as const;

behaviour(
  "S1: a job does not end within shutdownTimeoutMs: the worker names the job and its position, and exits with 2",
  async (world) => {
    await using child = startWorker(world, { shutdownTimeoutMs: 300, enqueue: [["NeverJob", 0]] });
    await child.line(/^begun 0$/);
    child.signal("SIGTERM");
    const { code, stderr } = await child.ended();
    assertEquals(code, 2);
    const [job] = child.events("job.performing");
    assertEquals(
      stderr.at(-1),
      `error: The worker could not stop within 300 ms: 1 job still runs: NeverJob from ${world.topic()}/${
        job!.partition
      }@0`,
    );
  },
);

behaviour(
  "S2: TSTP lets the running job finish, starts no other job and keeps the partitions; TERM then exits with 0",
  async (world) => {
    await using child = startWorker(world, { enqueue: [["GateJob", 0], ["PlainJob", 1]] });
    await child.line(/^begun 0$/);
    child.signal("SIGTSTP");
    await child.event("worker.quieted");
    await child.writeLine("go");
    await child.line(/^ended 0$/);
    // The next job would have begun long before the commit is acknowledged.
    await child.event("offset.committed");
    assertEquals(child.events("partition.lost"), []);
    child.signal("SIGTERM");
    const { code, stdout } = await child.ended();
    assertEquals(code, 0);
    assertEquals(stdout, ["loading", "loaded", "begun 0", "ended 0"]);
    assertEquals(child.events("partition.lost").map(({ reason }) => reason), ["closed", "closed"]);
  },
);

behaviour(
  "S3: a stop at the start, before the assignment, twice, in a rebalance or without a broker does not hang and exits with 0",
  async (world) => {
    await using children = new AsyncDisposableStack();
    const start = (settings: Partial<ChildSettings>) => children.use(startWorker(world, settings));
    const terminatedAt = async (line: RegExp, child: WorkerChild) => {
      await child.line(line);
      child.signal("SIGTERM");
      return child;
    };
    const onMemory = world.brokerName === "memory";
    // The file is unavailable while another program holds its lock.
    await using connection = world.brokerName === "sqlite" ? cuttableConnection(world) : null;
    // A request that fails meanwhile is repeated until the deadline of the stop.
    const shutdownTimeoutMs = 1000;
    const whileAway = async (reach: () => WorkerChild | Promise<WorkerChild>) => {
      connection!.cut();
      const child = await reach();
      await child.ended();
      connection!.restore();
      return child;
    };
    const enqueue = [["PlainJob", 0]] as const;
    const moments: Record<string, () => WorkerChild | Promise<WorkerChild>> = {
      "while the App's module is loaded": () => terminatedAt(/^loading$/, start({ stalls: true })),
      "right after the start": () => terminatedAt(/^loaded$/, start({ enqueue })),
      // On an embedded log joining takes no time, unless the log is unavailable.
      "before the first assignment": () => {
        if (connection === null) {
          return start({ enqueue, termAt: "consume", ...(onMemory ? { offlineAt: "consume" } : {}) });
        }
        return whileAway(() => start({ termAt: "consume", shutdownTimeoutMs }));
      },
      ...(world.brokerName === "sqlite" ? {} : {
        "during a rebalance": () => start({ enqueue, termAt: "releasing" }),
      }),
      "twice within a second": async () => {
        const child = start({ enqueue: [["GateJob", 0]] });
        await child.line(/^begun 0$/);
        child.signal("SIGINT");
        child.signal("SIGINT");
        await child.event("worker.stopping");
        await child.writeLine("go");
        return child;
      },
      "while the broker is away": () => {
        if (connection !== null) return whileAway(() => terminatedAt(/^loaded$/, start({ shutdownTimeoutMs })));
        // Nothing listens on port 1.
        return terminatedAt(/^loaded$/, start(onMemory ? { offlineAt: "load" } : { broker: "kafka://127.0.0.1:1" }));
      },
      "after the broker has gone": async () => {
        if (connection !== null) {
          const child = start({ enqueue, shutdownTimeoutMs });
          await child.line(/^performed 0$/);
          connection.cut();
          return await terminatedAt(/^performed 0$/, child);
        }
        if (onMemory) return await terminatedAt(/^performed 0$/, start({ enqueue, offlineAt: "performed" }));
        const relay = children.use(new Relay(world.url.replace("kafka://", "").split(",")[0]!));
        const child = start({ enqueue, broker: `kafka://${relay.broker}` });
        await child.line(/^performed 0$/);
        await relay[Symbol.asyncDispose]();
        return await terminatedAt(/^performed 0$/, child);
      },
    };
    for (const [moment, reach] of Object.entries(moments)) {
      const child = await reach();
      const { code, stderr } = await child.ended();
      assertEquals(code, 0, `${moment}\n${stderr.join("\n")}`);
      const terminated = child.lines.find((line) => line.startsWith("terminated at"));
      if (moment === "during a rebalance") assertEquals(terminated, "terminated at releasing");
      if (moment !== "before the first assignment") continue;
      assertEquals(terminated, "terminated at consume");
      assertEquals(child.events("partition.assigned"), []);
    }
  },
);

behaviour(
  "S5: INT, QUIT and TERM stop a worker alike; the same signal again after a second forces the exit",
  async (world) => {
    await Promise.all(FORCED.map(async ([signal, code]) => {
      const sub = { name: `${world.group}-${signal}` };
      const [graceful, forced] = await Promise.all([
        (async () => {
          await using child = startWorker(world, { ...sub, enqueue: [["GateJob", 0], ["PlainJob", 1]] });
          await child.line(/^begun 0$/);
          child.signal(signal);
          await child.event("worker.stopping");
          await child.writeLine("go");
          const ended = await child.ended();
          return { ...ended, committed: child.events("offset.committed").map(({ offset }) => offset) };
        })(),
        (async () => {
          await using child = startWorker(world, { name: `${sub.name}-forced`, enqueue: [["GateJob", 0]] });
          await child.line(/^begun 0$/);
          const startedMs = performance.now();
          await until(() => {
            child.signal(signal);
            return child.isOver;
          }, () => `an end by ${signal}`);
          return { ...await child.ended(), tookMs: performance.now() - startedMs };
        })(),
      ]);
      assertEquals(
        [graceful.code, graceful.stdout.slice(2), graceful.committed],
        [0, ["begun 0", "ended 0"], [1]],
        signal,
      );
      assertEquals([forced.code, forced.stdout.slice(2)], [code, ["begun 0"]], signal);
      assertEquals(forced.tookMs >= 1000, true, `forced after ${forced.tookMs} ms`);
      const named = /^error: Forced by a second (\w+): 1 job still runs: GateJob from \S+\/\d@0$/.exec(
        forced.stderr.at(-1)!,
      );
      assertEquals(named?.[1], signal, forced.stderr.at(-1));
    }));
  },
);

behaviour(
  "S6: --once performs what was there at its start and exits with 0, or with 3 naming the stuck record",
  async (world) => {
    const run = async (name: string, enqueue: readonly (readonly [string, number])[]) => {
      await using child = startWorker(world, { name: `${world.group}-${name}`, enqueue }, ["--once"]);
      const ended = await child.ended();
      return { ...ended, performed: ended.stdout.slice(2).sort() };
    };
    const [all, endless, stuck] = await Promise.all([
      run("all", [["PlainJob", 0], ["PlainJob", 1], ["PlainJob", 2], ["PlainJob", 3]]),
      run("endless", [["EndlessJob", 0]]),
      run("stuck", [["FailJob", 0]]),
    ]);
    assertEquals(all.code, 0, all.stderr.join("\n"));
    assertEquals(all.performed, ["performed 0", "performed 1", "performed 2", "performed 3"]);
    assertEquals(endless.code, 0, endless.stderr.join("\n"));
    assertEquals(endless.performed[0], "performed 0");
    assertEquals(stuck.code, 3, stuck.stderr.join("\n"));
    const match = /^error: 1 partition is stuck: (\S+)\/(\d)@0 \(to pass it over: (.+)\)$/.exec(
      stuck.stderr.at(-1)!,
    )!;
    const topic = `${world.group}-stuck_default`;
    assertEquals(match.slice(1, 4), [
      topic,
      match[2],
      `deno run -A @activejob/kafka/cli skip --app tests/support/behaviours/children/app.ts ${topic}/${match[2]}@0`,
    ]);
  },
);

behaviour(
  "S6: --once beside another worker whose partition is stuck ends, and names the stuck record",
  async (world) => {
    const runs: number[] = [];
    class StuckJob extends Job {
      perform(n: number) {
        if (n === 0) throw new Error("always");
        runs.push(n);
      }
    }
    const options = { jobs: [StuckJob], backoff: { initialMs: 1, maxMs: 20, jitter: 0 } };
    const first = await world.process(options);
    const second = await world.process(options);
    await first.app.enqueue(StuckJob.of(0));
    await first.app.flush();
    await first.start();
    await until(
      async () => (await world.committed()).metadata.includes("w=0"),
      () => "the commit to name the stuck record",
    );
    const { stuck, unfinished } = await second.drain();
    assertEquals([stuck, unfinished, runs], [[{ topic: world.topic(), partition: 0, offset: 0 }], [], []]);
  },
);

behaviour(
  "S7: a script enqueues with produceAsync and ends: every job is sent, and the process exits by itself",
  async (world) => {
    if (world.brokerName !== "memory") await world.process({ jobs: [] });
    await using child = startScript(world);
    const { code, stdout, stderr } = await child.ended();
    assertEquals([code, stdout.at(-1)], [0, "acknowledged 1000"], stderr.join("\n"));
    assertEquals(stdout[0], "ended with 1000 pending");
    if (world.brokerName !== "memory") assertEquals((await world.records()).length, 1000);
  },
);
