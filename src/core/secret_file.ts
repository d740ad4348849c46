/**
 * The secret of a Core that nobody was told: it is made at the first start and lies beside the database.
 *
 * @module
 */
import { NodePassError } from "../errors.ts";
import type { Runtime } from "../runtime/types.ts";
import { base64Url } from "./secret.ts";
import type { CoreSettings } from "./settings.ts";

/** Random bytes of a secret. */
const BYTES = 32;
/** Whoever reads it can forge keys. */
const MODE = 0o600;

/** Where the secret of a SQLite database lies. */
export function secretFile(databasePath: string): string {
  return `${databasePath}.secret`;
}

/**
 * The text of the secret: `CORE_SECRET`, else the file, which is made when it is missing.
 *
 * @throws {NodePassError} `corrupt` when the file holds something else
 */
export async function loadSecret(
  { secret, database }: Pick<CoreSettings, "secret" | "database">,
  { files, random }: Pick<Runtime, "files" | "random">,
): Promise<string> {
  if (secret !== null) return secret;
  if (database.kind === "postgres") throw new NodePassError("usage", "Environment variable CORE_SECRET is missing");
  if (database.path === "") return base64Url(random.bytes(BYTES));
  const path = secretFile(database.path);
  if (!await files.exists(path)) {
    const made = base64Url(random.bytes(BYTES));
    await files.writeAtomically(path, new TextEncoder().encode(`${made}\n`), { mode: MODE });
    return made;
  }
  const text = (await files.readText(path)).trim();
  if (text.length < BYTES) {
    throw new NodePassError("corrupt", `Cannot use ${path}: expected the ${BYTES} or more characters of a secret`);
  }
  return text;
}
