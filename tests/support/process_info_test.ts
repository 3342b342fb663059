import { assertEquals } from "@std/assert";
import { hostName, processId, runtimeName } from "../../src/support/process_info.ts";

const MODULE = new URL("../../src/support/process_info.ts", import.meta.url);

Deno.test("the process is named by its host, its id and its runtime", () => {
  assertEquals([hostName(), processId(), runtimeName()], [Deno.hostname(), Deno.pid, `Deno ${Deno.version.deno}`]);
});

Deno.test("without the permission to read the host's name it is unknown, and no user is asked", async () => {
  const program = `import { hostName } from "${MODULE}"; console.log(hostName());`;
  const args = ["run", "--no-check", "--no-config", "-"];
  const child = new Deno.Command(Deno.execPath(), { args, stdin: "piped", stdout: "piped", stderr: "null" }).spawn();
  const input = child.stdin.getWriter();
  await input.write(new TextEncoder().encode(program));
  await input.close();
  const { stdout } = await child.output();
  assertEquals(new TextDecoder().decode(stdout), "unknown\n");
});
