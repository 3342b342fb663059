/** The check of the imports: the project passes, and each kind of planted import is found. */
import { assertEquals } from "@std/assert";
import { findBrokenRules, readSources } from "../../tasks/imports.ts";
import { copyProject } from "../../tasks/copy.ts";

Deno.test("findBrokenRules() finds nothing in the project", async () => {
  assertEquals(findBrokenRules(await readSources()), []);
});

/** Files that are planted one by one, each with the sentences that it must cause. */
const PLANTED: readonly (readonly [file: string, source: string, sentences: readonly string[]])[] = [
  ["src/monitor/planted.ts", `import "../app/planted_target.ts";`, [
    `src/monitor/planted.ts imports src/app/planted_target.ts, but "monitor" may not import "app"`,
  ]],
  ["src/broker/planted_job.ts", `import type {} from "../job/planted_target.ts";`, [
    `src/broker/planted_job.ts imports src/job/planted_target.ts, but "broker" may not import "job"`,
  ]],
  ["src/broker/planted_routing.ts", `export type {} from "../routing/planted_target.ts";`, [
    `src/broker/planted_routing.ts imports src/routing/planted_target.ts, but "broker" may not import "routing"`,
  ]],
  ["src/job/planted.ts", `await import("../broker/broker.ts");`, [
    `src/job/planted.ts imports src/broker/broker.ts, but "job" may not import "broker"`,
  ]],
  ["src/worker/planted_dispatch.ts", `import "../dispatch/planted_target.ts";`, [
    `src/worker/planted_dispatch.ts imports src/dispatch/planted_target.ts, but "worker" may not import "dispatch"`,
  ]],
  ["src/worker/planted.ts", `import "../broker/planted_open.ts";`, [
    `src/worker/planted.ts reaches src/broker/memory/planted_target.ts through src/broker/planted_open.ts, ` +
    `but "worker" may use only the broker interface`,
  ]],
  ["src/broker/planted_open.ts", `import "./memory/planted_target.ts";`, []],
  ["src/broker/memory/planted_kafka.ts", `import "kafkajs";`, [
    `src/broker/memory/planted_kafka.ts imports npm:kafkajs, which may not be used there`,
  ]],
  ["src/broker/kafka/planted.ts", `import "kafkajs";`, [
    `src/broker/kafka/planted.ts imports npm:kafkajs, which may not be used there`,
  ]],
  ["src/broker/kafka/wire/planted.ts", `import "kafkajs";`, []],
  ["src/app/planted_cli.ts", `import "@std/cli/parse-args";`, [
    `src/app/planted_cli.ts imports jsr:@std/cli, which may not be used there`,
  ]],
  ["src/app/planted_package.ts", `import "npm:minimist@1.2.8";`, [
    `src/app/planted_package.ts imports npm:minimist, which may not be used there`,
  ]],
  ["src/recurring/planted.ts", `import "croner";`, [
    `src/recurring/planted.ts imports npm:croner, which may not be used there`,
  ]],
  ["src/app/planted_entry_point.ts", `import "../../mod.ts";`, [
    `src/app/planted_entry_point.ts imports mod.ts, which is the entry point for users`,
  ]],
  ["src/app/planted_deno.ts", "// Deno.cwd\nexport const a = 'Deno.cwd' + `${Deno.cwd()}`;", [
    `src/app/planted_deno.ts uses Deno, which Node and Bun do not have: use src/cli/runtime.ts or a module of Node`,
  ]],
  ["src/app/planted_word.ts", '/* Deno.cwd */ export const a = `On Deno` + "kafka://Deno"; // Deno', []],
  ["src/cli/planted_deno.ts", "Deno.cwd();", [
    `src/cli/planted_deno.ts uses Deno, which Node and Bun do not have: use src/cli/runtime.ts or a module of Node`,
  ]],
  ["src/cli/planted_using.ts", "// using a = 1\nasync function f() { await using a = open(); }", [
    `src/cli/planted_using.ts uses "using", which Node 22 cannot read: use try and finally, or src/cli/disposing.ts`,
  ]],
  ["src/job/planted_cycle_a.ts", `import type {} from "./planted_cycle_b.ts";`, [
    `src/job/planted_cycle_a.ts and src/job/planted_cycle_b.ts are in an import cycle`,
  ]],
  ["src/job/planted_cycle_b.ts", `import type {} from "./planted_cycle_a.ts";`, [
    `src/job/planted_cycle_b.ts and src/job/planted_cycle_a.ts are in an import cycle`,
  ]],
  ["src/planted_module.ts", ``, [`src/planted_module.ts belongs to no module: add it to LAYERS in tasks/imports.ts`]],
];

const TARGETS = ["app", "job", "routing", "dispatch", "broker/memory"].map((module) =>
  `src/${module}/planted_target.ts`
);

Deno.test("findBrokenRules() finds each planted import, and nothing else", async () => {
  await using copy = await copyProject();
  for (const [file, source] of [...PLANTED, ...TARGETS.map((file) => [file, "export {};"] as const)]) {
    const url = new URL(file, copy.url);
    await Deno.mkdir(new URL("./", url), { recursive: true });
    await Deno.writeTextFile(url, source);
  }
  assertEquals(
    findBrokenRules(await readSources(copy.url)).sort(),
    PLANTED.flatMap(([, , sentences]) => sentences).sort(),
  );
});
