/** Shared by the peers on PostgreSQL. */
import { loadPackage } from "./queue.ts";

const PACKAGE = "npm:pg@8.23.1";

/** Removes a schema that earlier runs have left. @returns the version of the server */
export async function preparePostgres(connectionString: string, schema: string): Promise<string> {
  const { default: pg } = await loadPackage(PACKAGE);
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  const { rows } = await client.query("SHOW server_version");
  await client.end();
  return rows[0].server_version.split(" ")[0];
}
