/** Another SQLite program: runs statements on a file, and prints each row as JSON: `shell.ts <path> <statement …>`. */
import { DatabaseSync } from "node:sqlite";

const [path, ...statements] = Deno.args;
const database = new DatabaseSync(path!, { timeout: 5000 });
for (const sql of statements) {
  for (const row of database.prepare(sql).all()) console.log(JSON.stringify(row));
}
database.close();
