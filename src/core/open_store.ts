/**
 * The database and the secret that belongs to it.
 *
 * @module
 */
import { NodePassError } from "../errors.ts";
import type { Logger } from "../log/types.ts";
import type { Runtime } from "../runtime/types.ts";
import type { Closing } from "./closing.ts";
import { base64Url, type CoreSecret, createCoreSecret } from "./secret.ts";
import { loadSecret } from "./secret_file.ts";
import type { CoreSettings } from "./settings.ts";
import type { Database } from "./store/database.ts";
import { dirname } from "./store/folder.ts";
import { openDatabase } from "./store/open.ts";

const FOLDER_MODE = 0o700;

/** With what Core is made. */
export interface CoreBase {
  readonly runtime: Runtime;
  readonly logger: Logger;
  readonly settings: CoreSettings;
}

/** The database and the secret that belongs to it: enough for a command that makes tokens. */
export interface CoreStore extends CoreBase {
  readonly db: Database;
  readonly secret: CoreSecret;
}

/**
 * Opens the database and its secret.
 *
 * @param alone no other Core may use the same file at the same time
 * @throws {NodePassError} `locked`, `corrupt`, `usage` for another secret than before; {Failure} `STORE_UNAVAILABLE`
 */
export async function openStore(base: CoreBase, closing: Closing, alone: boolean): Promise<CoreStore> {
  const { runtime, logger, settings } = base;
  const { database } = settings;
  if (database.kind === "sqlite" && database.path !== "") {
    await runtime.files.makeDirectory(dirname(database.path), FOLDER_MODE);
    if (alone) {
      const lock = await runtime.files.lock(database.path);
      closing.add("lock", () => lock.release());
    }
  }
  const db = await openDatabase(database, runtime, logger);
  closing.add("database", () => db.close());
  const secret = await createCoreSecret(await loadSecret(settings, runtime), runtime.clock);
  await expectSameSecret(db, secret);
  return { ...base, db, secret };
}

/** With another secret every key and token would be refused: better not to start. */
async function expectSameSecret(db: Database, secret: CoreSecret): Promise<void> {
  const mark = base64Url(secret.hash("nodepass core secret mark"));
  await db.exec("INSERT INTO core_values (key, value) VALUES ('secret_mark', $1) ON CONFLICT (key) DO NOTHING", [mark]);
  const [row] = await db.query("SELECT value FROM core_values WHERE key = 'secret_mark'");
  if (row?.value === mark) return;
  throw new NodePassError(
    "usage",
    db.dialect === "postgres"
      ? "Environment variable CORE_SECRET is not the one that this database was made with"
      : "Cannot use the database: its secret (CORE_SECRET, or the file beside it) is not the one it was made with",
  );
}
