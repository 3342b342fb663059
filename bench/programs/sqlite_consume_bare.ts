/** `node:sqlite` by hand: reads a hundred jobs, `JSON.parse`s each, commits the position, and so on to the end. */
import { type BareRow, openBare } from "../bare_sqlite.ts";
import { finish } from "../payload.ts";

const [path, count] = Deno.args as [string, string];
const expected = Number(count);
const database = openBare(path);
const group = crypto.randomUUID();
database.prepare("INSERT INTO positions (name, committed) VALUES (?, 0)").run(group);
const select = database.prepare("SELECT id, key, value FROM jobs WHERE id > ? ORDER BY id LIMIT 100");
const commit = database.prepare("UPDATE positions SET committed = ? WHERE name = ?");

let position = 0;
let seen = 0;
let sum = 0;
const startMs = performance.now();
while (seen < expected) {
  const rows = select.all(position) as unknown as BareRow[];
  for (const { value } of rows) sum += JSON.parse(value).arguments.length;
  seen += rows.length;
  position = rows.at(-1)!.id;
  commit.run(position, group);
}
finish({ perSecond: expected / (performance.now() - startMs) * 1000, sum });
