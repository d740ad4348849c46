/**
 * Changes of what a master stores, made on a draft: each checks everything first and then changes everything.
 *
 * @module
 */
import { ApiError } from "../http/api_error.ts";
import type { Random } from "../runtime/types.ts";
import { randomHex } from "./identifiers.ts";
import { API_KEY_ID, EMPTY_META, type Meta, type StoredInstance } from "./instance.ts";
import { revisionOf, ZERO_COUNTERS } from "./instance_record.ts";
import { namedWire } from "./instance_url.ts";
import { checkLength, checkMeta } from "./limits.ts";
import type { IfMatch, InstanceChange } from "./parts.ts";

/** Everything that is about to be stored. */
export interface Draft {
  alias: string;
  apiKey: string;
  readonly instances: Map<string, StoredInstance>;
}

/** An instance before and after a change. */
export interface Changed {
  readonly before: StoredInstance;
  readonly after: StoredInstance;
}

/** Adds an instance. */
export function addInstance(draft: Draft, url: string, alias: string, random: Random): StoredInstance {
  let id = randomHex(random, 8);
  while (draft.instances.has(id)) id = randomHex(random, 8);
  const instance: StoredInstance = {
    id,
    alias,
    url,
    restart: true,
    wanted: true,
    meta: EMPTY_META,
    counters: ZERO_COUNTERS,
  };
  draft.instances.set(id, instance);
  return instance;
}

/**
 * Changes what a PATCH says.
 *
 * @throws {ApiError} 400, 404, 412
 */
export function changeInstance(draft: Draft, id: string, change: InstanceChange, ifMatch: IfMatch): Changed {
  const before = find(draft, id, ifMatch);
  const after: StoredInstance = {
    ...before,
    alias: change.alias || before.alias,
    restart: change.restart ?? before.restart,
    meta: changeMeta(before.meta, change.meta),
    wanted: wantedAfter(change.action) ?? before.wanted,
    counters: change.action === "reset" ? ZERO_COUNTERS : before.counters,
  };
  checkLength("Instance alias", after.alias);
  if (change.meta !== undefined) checkMeta(after.meta);
  draft.instances.set(id, after);
  return { before, after };
}

/**
 * Gives an instance another URL; it is started then.
 *
 * @throws {ApiError} 404, 409, 412
 */
export function changeUrl(draft: Draft, id: string, url: string, ifMatch: IfMatch): Changed {
  const before = find(draft, id, ifMatch);
  if (before.url === url) throw new ApiError(409, "Instance URL conflict");
  const { wire, ...rest } = before;
  // Whoever names a wire has decided; until then the peers are still those of a Go master.
  const kept = wire === undefined || namedWire(url) !== null ? {} : { wire };
  const after: StoredInstance = { ...rest, ...kept, url, wanted: true };
  draft.instances.set(id, after);
  return { before, after };
}

/**
 * Removes an instance.
 *
 * @throws {ApiError} 404, 412
 */
export function removeInstance(draft: Draft, id: string, ifMatch: IfMatch): void {
  find(draft, id, ifMatch);
  draft.instances.delete(id);
}

/**
 * Refuses what the pseudo instance of the API key cannot do.
 *
 * @throws {ApiError} 403
 */
export function refuseApiKey(id: string): void {
  if (id === API_KEY_ID) throw new ApiError(403, "Forbidden: API Key");
}

/**
 * Refuses a change when somebody else made one.
 *
 * @throws {ApiError} 412
 */
export function checkMatch(revision: string, ifMatch: IfMatch): void {
  if (ifMatch !== null && !ifMatch(revision)) {
    throw new ApiError(412, "Precondition failed: the instance was changed by somebody else");
  }
}

/** The answer for an id that nobody has. */
export function notFound(): ApiError {
  return new ApiError(404, "Instance not found");
}

function find({ instances }: Draft, id: string, ifMatch: IfMatch): StoredInstance {
  const instance = instances.get(id);
  if (instance === undefined) throw notFound();
  checkMatch(revisionOf(instance), ifMatch);
  return instance;
}

function changeMeta(meta: Meta, change: InstanceChange["meta"]): Meta {
  if (change === undefined) return meta;
  return { peer: { ...meta.peer, ...change.peer }, tags: change.tags ?? meta.tags };
}

function wantedAfter(action: InstanceChange["action"]): boolean | null {
  switch (action) {
    case "start":
    case "restart":
      return true;
    case "stop":
      return false;
    case "reset":
    case undefined:
      return null;
  }
}
