/**
 * Runs programs in turn, each in a fresh process, and takes medians: a change of the machine's speed affects both sides
 * of a ratio.
 */
import { root } from "../tasks/process.ts";
import { percentile } from "./workload.ts";

/** A program with its arguments. */
export interface Program {
  /** Under `bench/programs`, without `.ts`. */
  readonly program: string;
  /** Its arguments. */
  readonly args: readonly (string | number)[];
  /** Value of its `BROKER_URL`. @default the run's */
  readonly broker?: string;
  /** Flags of `deno run`. @default [] */
  readonly flags?: readonly string[];
}

/** The results of one program: by name, one value a round. */
export type Results = Record<string, number[]>;

/** Runs each program once a round, in turn. */
export async function interleaved<Name extends string>(
  rounds: number,
  programs: Readonly<Record<Name, Program>>,
): Promise<Record<Name, Results>> {
  const names = Object.keys(programs) as Name[];
  const results = new Map<Name, Results>(names.map((name) => [name, {}]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, figures] of results) {
      for (const [figure, value] of Object.entries(await runOnce(programs[name]))) (figures[figure] ??= []).push(value);
    }
  }
  return Object.fromEntries(results) as Record<Name, Results>;
}

/** Runs a program and reads the last line that it prints. */
export async function runOnce({ program, args, broker, flags = [] }: Program): Promise<Record<string, number>> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", ...flags, `bench/programs/${program}.ts`, ...args.map(String)],
    cwd: root,
    env: broker === undefined ? {} : { BROKER_URL: broker },
    stdin: "null",
    stderr: "piped",
  });
  const { code, stdout, stderr } = await command.output();
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${new TextDecoder().decode(stderr).slice(-2000)}`);
  return JSON.parse(lines.at(-1)!);
}

/** The median of ratios, round by round. */
export function ratio(a: readonly number[], b: readonly number[]): number {
  return median(a.map((value, index) => value / b[index]!));
}

/** The value in the middle. */
export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}
