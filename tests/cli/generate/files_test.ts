/** The files of a project on a disk: links, and line breaks of Windows. */
import { assertEquals, assertMatch } from "@std/assert";
import { EXIT } from "../../../src/cli/exit_codes.ts";
import { Folder, normalizeActions, SMALL_PROJECT } from "../../support/folder.ts";

Deno.test({
  name: "write() refuses links that lead out of the project",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using outside = await Folder.create({ "kept.ts": "" });
    await using project = await Folder.create(SMALL_PROJECT);
    await Deno.symlink(outside.path, `${project.path}/jobs/admin`);
    const refused = await project.run("generate", "job", "admin/refresh");
    assertMatch(refused.stderr[0]!, /^error: "jobs\/admin\/refresh_job\.ts" leads out of the project, to "/);
    // A link to nothing would be written through as well.
    await Deno.symlink(`${outside.path}/new.ts`, `${project.path}/jobs/x_job.ts`);
    const dangling = await project.run("generate", "job", "x", "--force");
    assertMatch(dangling.stderr[0]!, /^error: "jobs\/x_job\.ts" is a link to a file that does not exist$/);
    assertEquals([refused.code, dangling.code], [EXIT.failed, EXIT.failed]);
    assertEquals(outside.files(), { "kept.ts": "" });
  },
});

Deno.test("line breaks of Windows are kept, and are not a difference", async () => {
  const crlf = Object.fromEntries(
    Object.entries(SMALL_PROJECT).map(([name, text]) => [name, text.replaceAll("\n", "\r\n")]),
  );
  await using project = await Folder.create(crlf);
  await project.run("generate", "job", "x");
  const { "jobs/mod.ts": list, "jobs/x_job.ts": job } = project.files();
  assertEquals(list!.replaceAll("\r\n", "").includes("\n"), false);
  await Deno.writeTextFile(`${project.path}/jobs/x_job.ts`, job!.replaceAll("\n", "\r\n"));
  const again = await project.run("generate", "job", "x");
  assertEquals(normalizeActions(again.stdout).map((line) => line.split(" ")[0]), [
    "identical",
    "identical",
    "identical",
  ]);
});
