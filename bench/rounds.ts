/**
 * Runs programs in turn, each in a fresh process, so that a change of the machine's speed affects both sides of a
 * ratio. The standard error of a program is a real file, as the log of a worker would be.
 */
import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { root } from "../tasks/process.ts";
import { nowMs } from "./payload.ts";

/** A program with its arguments. */
export interface Program {
  /** Under `bench/programs`, without `.ts`. */
  readonly program: string;
  /** Its arguments, or a function that returns those of a round. */
  readonly args: Arguments | ((round: number) => Arguments | Promise<Arguments>);
  /** Value of its `BROKER_URL`, or a function that returns that of a round. @default the run's */
  readonly broker?: string | ((round: number) => string);
}

type Arguments = readonly (string | number)[];

/** The results of one program: by name, one value a round. */
export type Results = Readonly<Record<string, readonly number[]>>;

/** Runs each program once a round, in turn. */
export async function interleaved<Name extends string>(
  rounds: number,
  programs: Readonly<Record<Name, Program>>,
): Promise<Record<Name, Results>> {
  const names = Object.keys(programs) as Name[];
  const results = Object.fromEntries(names.map((name) => [name, {}])) as Record<Name, Record<string, number[]>>;
  for (let round = 0; round < rounds; round++) {
    for (const name of names) {
      const figures: Record<string, number[]> = results[name];
      for (const [figure, value] of Object.entries(await runOnce(programs[name], round))) {
        (figures[figure] ??= []).push(value);
      }
    }
  }
  return results;
}

/** Runs a program for one round and reads the figures that it prints. */
export async function runOnce(program: Program, round = 0): Promise<Record<string, number>> {
  return await run(program, round) as Record<string, number>;
}

/**
 * Runs a program for one round.
 *
 * @returns the JSON in the last line that it prints
 * @throws {Error} if it fails; the message has the end of its standard error
 */
export async function run({ program, args, broker }: Program, round = 0): Promise<unknown> {
  const log = Deno.makeTempFileSync({ suffix: ".log" });
  const stderr = openSync(log, "w");
  try {
    const given = typeof args === "function" ? await args(round) : args;
    const child = spawn(Deno.execPath(), [
      ...["run", "-A", "--no-check", "--quiet", "--unstable-kv", `bench/programs/${program}.ts`],
      ...given.map(String),
    ], {
      cwd: fileURLToPath(root),
      env: {
        ...Deno.env.toObject(),
        ...(broker === undefined ? {} : { BROKER_URL: typeof broker === "function" ? broker(round) : broker }),
        SPAWNED_AT_MS: String(nowMs()),
      },
      stdio: ["ignore", "pipe", stderr],
    });
    let stdout = "";
    child.stdout!.on("data", (part) => stdout += part);
    const code = await new Promise((resolve, reject) => child.on("close", resolve).on("error", reject));
    if (code !== 0) throw new Error(`${program} ended with ${code}: ${readFileSync(log, "utf8").slice(-2000)}`);
    return JSON.parse(stdout.trim().split("\n").at(-1)!);
  } finally {
    closeSync(stderr);
    rmSync(log);
  }
}
