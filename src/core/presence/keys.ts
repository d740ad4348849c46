/**
 * The keys of who is online; their values are UTC milliseconds.
 *
 * @module
 */

/** What stands before the id of a user who is online anywhere. */
export const USER_PREFIX = "online:user:";

/** What stands before the id of a user who is online on one inbound. */
export function inboundPrefix(nodeProtocolId: number): string {
  return `online:inbound:${nodeProtocolId}:user:`;
}

/** One user anywhere. */
export function userKey(userId: number): string {
  return `${USER_PREFIX}${userId}`;
}

/** One user on one inbound. */
export function inboundKey(nodeProtocolId: number, userId: number): string {
  return `${inboundPrefix(nodeProtocolId)}${userId}`;
}

/** The right to say that a user went: whoever writes it first of all replicas. */
export function leftKey(userId: number): string {
  return `online:left:${userId}`;
}
