/** Words in command lines that are printed. */
import { assertEquals } from "@std/assert";
import { quoteForShell } from "../../src/support/shell.ts";

Deno.test({
  name: "quoteForShell() returns a word that a shell reads as it was",
  ignore: Deno.build.os === "windows",
  async fn() {
    const words = ["app.ts", "my app.ts", "it's", "$HOME", "`ls`", "a\nb", "", "*", "~", "-x", "ü", '"', "\\", "a;b"];
    const command = new Deno.Command("sh", {
      args: ["-c", `printf '%s\\0' ${words.map(quoteForShell).join(" ")}`],
    });
    const { stdout } = await command.output();
    assertEquals(new TextDecoder().decode(stdout).split("\0").slice(0, -1), words);
    assertEquals(quoteForShell("a/b-c_d.ts:8080,e=f+g%h@i"), "a/b-c_d.ts:8080,e=f+g%h@i");
  },
});
