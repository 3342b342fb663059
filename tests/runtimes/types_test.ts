/**
 * The declarations of the package, as JSR makes them, in the compilers of its users: they are sound, each entry point can be
 * imported, the programs of the documentation compile, and a wrong argument does not.
 */
import { assert, assertEquals } from "@std/assert";
import denoJson from "../../deno.json" with { type: "json" };
import { root } from "../../tasks/process.ts";
import { type Compiler, compilers, findMissingRuntimes, otherRuntimes } from "../../tasks/runtimes.ts";
import { OtherProject } from "../support/other_runtimes.ts";

const ignore = await findMissingRuntimes() !== null;
const PROGRAM = "tests/runtimes/programs/types.ts";
const read = (path: string) => Deno.readTextFileSync(new URL(path, root));

/** Compiles files with the options of the documentation. @returns the exit code and the errors */
async function compile(
  project: OtherProject,
  { program, typeRoot }: Compiler,
  files: readonly string[],
  options: readonly string[] = [],
): Promise<readonly [code: number, errors: readonly string[]]> {
  const { compilerOptions } = JSON.parse(
    /```json\n([^`]*"compilerOptions"[^`]*)```/.exec(read("docs/node_and_bun.md"))![1]!,
  );
  const checked = { ...compilerOptions, skipLibCheck: false, typeRoots: [typeRoot] };
  await Deno.writeTextFile(`${project.folder}/tsconfig.json`, JSON.stringify({ compilerOptions: checked, files }));
  const node = otherRuntimes.find(({ name }) => name === "Node 24")!.program;
  const { code, stdout, stderr } = await project.run(node, [program, "-p", ".", "--pretty", "false", ...options]);
  return [code, [...stdout, ...stderr]];
}

Deno.test({
  name: "the declarations of the package are sound, and the programs of the documentation compile",
  ignore,
  async fn(t) {
    await using project = await OtherProject.create();
    const programs = [
      ...await project.writePrograms("README.md", "readme"),
      ...await project.writePrograms("docs/node_and_bun.md", "page"),
    ];
    assertEquals(programs, [
      "readme/app.ts",
      "readme/main.ts",
      "readme/current.ts",
      "page/app.ts",
      "page/worker.ts",
      "page/welcome_job.test.ts",
    ]);
    const files = [PROGRAM, ...programs];
    for (const compiler of compilers) {
      await t.step(`${compiler.name}, nodenext`, async () => {
        assertEquals(await compile(project, compiler, files), [0, []]);
      });
    }
    const newest = compilers.at(-1)!;
    await t.step(`${newest.name}, bundler`, async () => {
      const options = ["--module", "esnext", "--moduleResolution", "bundler"];
      assertEquals(await compile(project, newest, files, options), [0, []]);
    });
    await t.step(`${newest.name}, with the libraries of a browser instead of the types of Node`, async () => {
      const options = ["--lib", "esnext,dom", "--types", ""];
      assertEquals(await compile(project, newest, [PROGRAM], options), [0, []]);
    });
  },
});

Deno.test("the program of the compilers imports each entry point", () => {
  const imports = Array.from(read(PROGRAM).matchAll(/from "@activejob\/kafka([^"]*)"/g), ([, path]) => `.${path}`);
  assertEquals(imports.toSorted(), Object.keys(denoJson.exports).toSorted());
  assert(/@ts-expect-error/.test(read(PROGRAM)));
});
