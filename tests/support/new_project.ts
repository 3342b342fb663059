/** A new project of `init` in a temporary folder, and its tasks as processes. */
import { assertEquals } from "@std/assert";
import { Child, cli } from "./child.ts";

/** A new project. */
export interface NewProject extends AsyncDisposable {
  /** Its folder. */
  readonly cwd: string;
  /**
   * Starts a task with exactly the permissions in its `deno.json`, without the process of `deno task` between.
   *
   * @param broker the value of `BROKER_URL`
   */
  start(task: string, broker: string, ...args: readonly string[]): Promise<Child>;
}

/** Creates a project in an empty folder. */
export async function createProject(name: string): Promise<NewProject> {
  const parent = await Deno.makeTempDir({ prefix: "activejob-kafka-" });
  const { code, stderr } = await cli(["init", name], { cwd: parent });
  assertEquals(code, 0, stderr.join("\n"));
  const cwd = `${parent}/${name}`;
  return {
    cwd,
    async start(task, broker, ...more) {
      const { tasks } = JSON.parse(await Deno.readTextFile(`${cwd}/deno.json`));
      const [deno, run, ...args] = splitWords(tasks[task]);
      assertEquals([deno, run], ["deno", "run"]);
      return new Child([...args, ...more], { cwd, env: { BROKER_URL: broker }, options: [] });
    },
    [Symbol.asyncDispose]: () => Deno.remove(parent, { recursive: true }),
  };
}

/** Splits a command line whose words may be in single quotes. */
function splitWords(line: string): string[] {
  return Array.from(line.matchAll(/'([^']*)'|(\S+)/g), ([, quoted, plain]) => quoted ?? plain!);
}
