/**
 * Makes an administrator's token beside a Core that may be running.
 *
 * @module
 */
import { createAdminTokens, type NewToken } from "./admin/tokens.ts";
import { audit } from "./audit.ts";
import { type CoreBase, openStore } from "./open_store.ts";
import { Closing } from "./closing.ts";
import type { TokenCreate } from "./contract/admin_types.ts";

/**
 * Writes it into the database that the settings name.
 *
 * @throws {NodePassError} when the database cannot be used
 */
export async function makeAdminToken(base: CoreBase, token: TokenCreate): Promise<NewToken> {
  const closing = new Closing(base.logger);
  try {
    const store = await openStore(base, closing, false);
    return await store.db.transaction(async (tx) => {
      const made = await createAdminTokens(store).create(tx, token);
      await audit(tx, {
        at: base.runtime.clock.wall(),
        actor: "command line",
        action: "token.created",
        target: `token:${made.id}`,
        details: { name: token.name, scopes: token.scopes },
      });
      return made;
    });
  } finally {
    await closing.run();
  }
}
