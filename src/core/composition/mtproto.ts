/**
 * What telemt serves on a node.
 *
 * @module
 */
import type { MtProtoInbound, MtProtoUser } from "../contract/types.ts";
import type { AssignedLink, AssignedProtocol, Assignment } from "./assignment.ts";
import { jsonObject } from "./json_text.ts";

const SECRET = /^[0-9a-f]{32}$/;

/** The text of `services.mtproto`; null when nothing of it is assigned. */
export function mtprotoText({ protocols }: Assignment): string | null {
  const inbounds = protocols.filter(({ service }) => service === "mtproto").map(inboundOf);
  return inbounds.length === 0 ? null : JSON.stringify({ inbounds });
}

function inboundOf({ id, tag, settings, links }: AssignedProtocol): MtProtoInbound {
  const modes = jsonObject(settings.modes);
  return {
    tag,
    nodeProtocolId: id,
    listen: typeof settings.listen === "string" ? settings.listen : "0.0.0.0",
    port: Number(settings.port),
    tlsDomain: typeof settings.tlsDomain === "string" ? settings.tlsDomain : "",
    modes: { classic: modes.classic === true, secure: modes.secure === true, tls: modes.tls !== false },
    users: links.map(userOf),
    ...(typeof settings.adTag === "string" ? { adTag: settings.adTag } : {}),
  };
}

function userOf({ uuid, secret, expiresAt, maxConnections, maxUniqueIps }: AssignedLink): MtProtoUser {
  const own = secret?.toLowerCase() ?? "";
  return {
    uuid,
    secret: SECRET.test(own) ? own : uuid.replaceAll("-", ""),
    ...(maxConnections === null ? {} : { maxConnections }),
    ...(maxUniqueIps === null ? {} : { maxUniqueIps }),
    ...(expiresAt === null ? {} : { expiresAt: new Date(expiresAt).toISOString() }),
  };
}
