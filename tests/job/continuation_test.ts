/** Jobs in steps: the order of their steps, cursors, and interrupts at checkpoints. */
import { ContinuationError, Interrupt, Job, type Step } from "../../mod.ts";
import { CARRIED, carriedOf, type Progress, SOURCE } from "../../src/job/carried.ts";
import { Continuation } from "../../src/job/continuation.ts";
import { decideResume } from "../../src/job/resume.ts";
import { type Checkpoint, JobRun, type Resumption, RUN } from "../../src/job/run.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { codec } from "../support/codec.ts";

class StepsJob extends Job {
  perform() {}
}

/** A run that interrupts where a test says so. */
class TestRun extends JobRun {
  readonly resumed: Resumption[] = [];
  reason: (checkpoint: Checkpoint) => string | null = () => null;
  override get canInterrupt() {
    return true;
  }
  override interruptReason(checkpoint: Checkpoint) {
    return this.reason(checkpoint);
  }
  override reportResumed(resumption: Resumption) {
    this.resumed.push(resumption);
  }
}

/** A job that has this progress in its envelope. */
function jobWith(continuation?: unknown, resumptions: unknown = 0): { job: StepsJob; run: TestRun } {
  const job = StepsJob.of();
  if (continuation !== undefined) job[SOURCE] = { raw: { continuation, resumptions }, codec };
  const run = job[RUN] = new TestRun();
  return { job, run };
}

/** The progress as the next envelope has it. */
function written(job: StepsJob): { continuation: Progress | undefined; resumptions: number | undefined } {
  const { continuation, resumptions } = JSON.parse(codec.write(job, "default"));
  return { continuation, resumptions };
}

Deno.test("a cursor keeps its type, and a Rails cursor is written back as it was", () => {
  const at = { _aj_serialized: "ActiveJob::Serializers::TimeSerializer", value: "2024-01-01T00:00:00.000000005Z" };
  for (const [cursor, value] of [[at, new Date(Date.UTC(2024, 0, 1))], ["9007199254740993", 2n ** 53n + 1n]] as const) {
    const text = JSON.stringify({
      job_class: "StepsJob",
      arguments: [],
      continuation: { completed: [], current: ["a", "?"] },
    })
      .replace('"?"', typeof cursor === "string" ? cursor : JSON.stringify(cursor));
    const job = StepsJob.of();
    job[SOURCE] = codec.read(text);
    assertEquals(carriedOf(job).continuation!.current, ["a", value]);
    assert(codec.write(job, "default").includes(text.slice(text.indexOf('"continuation"'), -1)));
  }
});

Deno.test("steps run once each, and the envelope has those that are completed", async () => {
  const { job } = jobWith();
  assertEquals(written(job), { continuation: undefined, resumptions: undefined });
  const continuation = new Continuation(job);
  const ran: unknown[] = [];
  await continuation.step("a", ({ cursor, isResumed }) => void ran.push(["a", cursor, isResumed]), { start: 5 });
  assertEquals(written(job), { continuation: { completed: ["a"] }, resumptions: 0 });
  await continuation.step("b", (step: Step<number>) => {
    step.set(7);
    assertEquals(written(job).continuation, { completed: ["a"], current: ["b", 7] });
    step.advance();
    step.advance({ from: 20 });
    ran.push(["b", step.cursor]);
  }, {});
  assertEquals(ran, [["a", 5, false], ["b", 21]]);
  assertEquals(written(job), { continuation: { completed: ["a", "b"] }, resumptions: 0 });
});

Deno.test("a resumed job skips what is completed, and goes on at the cursor", async () => {
  const { job, run } = jobWith({ completed: ["a"], current: ["b", 8] }, 1);
  const continuation = new Continuation(job);
  const ran: unknown[] = [];
  await continuation.step("a", () => void ran.push("a"), {});
  await continuation.step("b", ({ cursor, isResumed }) => void ran.push([cursor, isResumed]), { start: 0 });
  await continuation.step("c", ({ cursor, isResumed }) => void ran.push([cursor, isResumed]), { start: "x" });
  assertEquals(ran, [[8, true], ["x", false]]);
  assertEquals(written(job), { continuation: { completed: ["a", "b", "c"] }, resumptions: 2 });
  assertEquals(run.resumed, [{ resumptions: 2, completed: ["a"], step: "b" }]);
});

Deno.test("an interrupt is thrown where the cursor is set, with the cursor kept, and again if the job swallows it", async () => {
  const { job, run } = jobWith();
  run.reason = ({ cursor }) => cursor === 2 ? "stopping" : null;
  const continuation = new Continuation(job);
  const rows: number[] = [];
  const load = (step: Step<number>) => {
    for (let index = step.cursor; index < 5; index++) {
      rows.push(index);
      step.advance({ from: index });
    }
  };
  const interrupt = await assertRejects(() => continuation.step("load", load, { start: 0 }), Interrupt);
  assertEquals([interrupt.step, interrupt.reason, rows], ["load", "stopping", [0, 1]]);
  assertEquals(interrupt.message, 'Interrupted in step "load" (stopping)');
  assertEquals(written(job).continuation, { completed: [], current: ["load", 2] });
  assertEquals(await assertRejects(() => continuation.step("other", () => {}, {})), interrupt);

  const swallowing = jobWith();
  swallowing.run.reason = () => "quiet";
  const other = new Continuation(swallowing.job);
  await assertRejects(() =>
    other.step("load", (step: Step<number>) => {
      try {
        step.set(1);
      } catch { /* the interrupt */ }
    }, {}), Interrupt);
  assertEquals(written(swallowing.job).continuation, { completed: [], current: ["load", 1] });
});

Deno.test("a job is interrupted between steps, but not before the first one of a run", async () => {
  const { job, run } = jobWith({ completed: ["a"] });
  run.reason = () => "stopping";
  const continuation = new Continuation(job);
  const ran: string[] = [];
  await continuation.step("a", () => void ran.push("a"), {});
  await continuation.step("b", () => void ran.push("b"), {});
  const interrupt = await assertRejects(() => continuation.step("c", () => void ran.push("c"), {}), Interrupt);
  assertEquals([interrupt.message, ran], ['Interrupted after step "b" (stopping)', ["b"]]);
});

Deno.test("an isolated step has a run of its own, but not in performNow()", async () => {
  const ran: string[] = [];
  const perform = async (job: StepsJob) => {
    const continuation = new Continuation(job);
    await continuation.step("a", () => void ran.push("a"), {});
    await continuation.step("b", () => void ran.push("b"), { isolated: true });
    await continuation.step("c", () => void ran.push("c"), {});
  };
  let progress: Progress | undefined;
  const reasons: string[] = [];
  for (let run = 0; run < 3; run++) {
    const { job } = jobWith(progress);
    await perform(job).catch((error: Interrupt) => reasons.push(error.reason));
    ran.push("|");
    progress = written(job).continuation!;
  }
  assertEquals([ran, reasons], [["a", "|", "b", "|", "c", "|"], ["isolating", "isolating"]]);
  ran.length = 0;
  const job = StepsJob.of();
  await perform(job);
  assertEquals(ran, ["a", "b", "c"]);
});

Deno.test("steps in another order, twice, inside each other, or without a name are refused", async () => {
  const resumed = new Continuation(jobWith({ completed: ["a"], current: ["b", null] }).job);
  await assertRejects(() => resumed.step("b", () => {}, {}), ContinuationError, 'where the earlier run had step "a"');
  await resumed.step("a", () => {}, {});
  await assertRejects(
    () => resumed.step("c", () => {}, {}),
    ContinuationError,
    'Step "c" comes where the earlier run had step "b"',
  );
  const fresh = new Continuation(jobWith().job);
  await fresh.step("a", () => {}, {});
  await assertRejects(() => fresh.step("a", () => {}, {}), ContinuationError, 'Step "a" comes twice');
  await assertRejects(
    () => fresh.step("b", () => fresh.step("c", () => {}, {}), {}),
    ContinuationError,
    'Step "c" cannot run inside of step "b"',
  );
  await assertRejects(() => fresh.step("", () => {}, {}), ContinuationError, "must be a string that is not empty");
});

Deno.test("a cursor that is not an integer cannot advance, and a step that has ended cannot be set", async () => {
  const continuation = new Continuation(jobWith().job);
  let ended: Step<unknown> | undefined;
  await continuation.step("a", (step) => {
    ended = step;
    assertThrows(() => step.advance(), ContinuationError, 'Step "a" cannot advance from undefined');
    step.set(9n);
    step.advance();
    assertEquals(step.cursor, 10n);
    assertThrows(
      () => step.advance({ from: 1.5 }),
      ContinuationError,
      "from a value of type number, which is not an integer",
    );
  }, {});
  assertThrows(() => ended!.set(1), ContinuationError, 'Step "a" has ended');
});

Deno.test("forged progress is left out", () => {
  for (
    const forged of [5, "a", [], { completed: "a" }, { completed: [1] }, { completed: [], current: [1] }, {
      completed: [],
      current: "a",
    }]
  ) {
    assertEquals(carriedOf(jobWith(forged, 1e9).job), {
      ...carriedOf(StepsJob.of()),
      continuation: null,
      resumptions: 0,
    });
  }
  assertEquals(carriedOf(jobWith({ completed: ["a"], current: ["b"] }, -1).job).resumptions, 0);
});

Deno.test("forged counters of retryOn are left out", () => {
  const job = StepsJob.of();
  const counters = { negative: -1, text: "2", large: 1e9, broken: 1.5, ["k".repeat(1001)]: 1, real: 3 };
  job[SOURCE] = { raw: { exception_executions: counters }, codec };
  assertEquals(carriedOf(job).exceptionExecutions, { real: 3 });
});

Deno.test("an error after progress lets the job go on, one before it does not; maxResumptions ends that", async () => {
  const { job } = jobWith();
  const failure = new RangeError("no");
  assertEquals(decideResume(job, failure), null);
  const { continuationOf } = await import("../../src/job/continuation.ts");
  await continuationOf(job).step("a", () => {}, {});
  const resume = decideResume(job, failure);
  assert(resume?.kind === "retry");
  assertEquals([resume.retry.waitMs, resume.retry.inPlace], [5000, false]);
  class LimitedJob extends StepsJob {
    static override maxResumptions = 2;
    static override resumeErrorsAfterAdvancing = false;
  }
  const limited = LimitedJob.of();
  limited[CARRIED] = { ...carriedOf(limited), resumptions: 2 };
  await continuationOf(limited).step("a", () => {}, {});
  assertEquals(decideResume(limited, failure), null);
  const ended = decideResume(limited, new Interrupt("", { step: null, reason: "quiet" }));
  assert(ended?.kind === "error" && ended.error instanceof ContinuationError);
});
