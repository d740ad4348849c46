/**
 * Opens the database that the settings name.
 *
 * @module
 */
import type { Logger } from "../../log/types.ts";
import type { Runtime } from "../../runtime/types.ts";
import type { DatabaseSetting } from "../settings.ts";
import type { Database } from "./database.ts";
import { migrate } from "./schema.ts";

/**
 * Opens the database and brings its schema up to date.
 *
 * @throws {Failure} `STORE_UNAVAILABLE`
 * @throws {NodePassError} `not_supported` for a schema from the future
 */
export async function openDatabase(
  setting: DatabaseSetting,
  runtime: Pick<Runtime, "files" | "clock" | "random">,
  logger: Logger,
): Promise<Database> {
  // Each driver is loaded where it is needed alone: it asks for permissions of its own.
  const db = setting.kind === "sqlite"
    ? await (await import("./sqlite.ts")).openSqlite(setting.path, runtime)
    : await (await import("./postgres.ts")).openPostgres(setting.url, runtime);
  try {
    await migrate(db, logger);
    return db;
  } catch (error) {
    await db.close();
    throw error;
  }
}
