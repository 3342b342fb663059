/** examples/import.ts: an import that is stopped, and killed, goes on and imports each row once. */
import { assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { Child } from "../support/child.ts";

Deno.test("examples/import.ts goes on where it was after TERM, and after kill -9, with each row once", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await using first = new Child(["examples/import.ts", folder]);
    await first.line(/^30 rows$/);
    first.signal("SIGTERM");
    const { code, stdout } = await first.ended();
    const printed = stdout.filter((line) => line.endsWith(" rows")).map((line) => Number.parseInt(line));
    assertEquals(code, 0);

    await using second = new Child(["examples/import.ts", folder]);
    const from = Number(/\d+$/.exec(await second.line(/^Importing from row/))![0]);
    assertEquals(Math.floor(from / 10) * 10, printed.at(-1));
    await second.line(new RegExp(`^${Math.ceil(from / 10) * 10 + 20} rows$`));
    second.signal("SIGKILL");
    await second.ended();

    await using third = new Child(["examples/import.ts", folder]);
    // The cursor of the record, which the stop wrote: the rows since then are imported again.
    assertEquals(await third.line(/^Importing from row/), `Importing from row ${from}`);
    assertEquals(await third.line(/^Imported/), "Imported 200 people");
    assertEquals((await third.ended()).code, 0);

    const db = new DatabaseSync(`${folder}/people.db`, { readOnly: true });
    const rows = db.prepare("SELECT id, name FROM people ORDER BY id").all();
    db.close();
    assertEquals(
      rows.map(({ id, name }) => `${id} ${name}`),
      Array.from({ length: 200 }, (_, row) => `${row} Person ${row}`),
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
