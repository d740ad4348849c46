/**
 * What the parts of the page share.
 *
 * @module
 */
import type { Api } from "./api.ts";
import type { Model } from "./model.ts";
import type { Notices } from "./notices.ts";

/** Tabs of a tunnel. */
export type Tab = "overview" | "sessions" | "log";

/** Where one is; stands behind the # of the address. */
export type Place =
  | { readonly page: "list" }
  | { readonly page: "new" }
  | { readonly page: "tunnel"; readonly id: string; readonly tab: Tab }
  | { readonly page: "edit"; readonly id: string };

/** Everything that a part may need. */
export interface Context {
  readonly api: Api;
  readonly model: Model;
  readonly notices: Notices;
  go(place: Place): void;
  /** A new API key. */
  rotateKey(): Promise<void>;
  signOut(): void;
}

/** The address of a place. */
export function hashOf(place: Place): string {
  if (place.page === "list") return "#/";
  if (place.page === "new") return "#/new";
  const tail = place.page === "edit" ? "/edit" : place.tab === "overview" ? "" : `/${place.tab}`;
  return `#/tunnel/${place.id}${tail}`;
}

/** The place of an address. */
export function placeOf(hash: string): Place {
  if (hash === "#/new") return { page: "new" };
  const [, id, tail = "overview"] = /^#\/tunnel\/([0-9a-f]{8})(?:\/(\w+))?$/.exec(hash) ?? [];
  if (id === undefined) return { page: "list" };
  if (tail === "edit") return { page: "edit", id };
  return { page: "tunnel", id, tab: tail === "sessions" || tail === "log" ? tail : "overview" };
}
