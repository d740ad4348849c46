/**
 * What Xray serves on a node.
 *
 * @module
 */
import type { JsonObject } from "../contract/types.ts";
import type { AssignedLink, AssignedProtocol, Assignment } from "./assignment.ts";
import { jsonMembers, jsonObject } from "./json_text.ts";

/** Where traffic goes that no outbound was made for. */
const DIRECT: JsonObject = { tag: "direct", protocol: "freedom" };

/**
 * The text of `services.xray`; null when nothing of it is assigned. Text, because the list of clients is long and most of
 * it is the same each time.
 */
export function xrayText({ protocols, outbounds, routing }: Assignment): string | null {
  const inbounds = protocols.filter(({ service }) => service === "xray").map(inboundText);
  if (inbounds.length === 0) return null;
  const ways = outbounds.length === 0 ? [DIRECT] : outbounds.map(({ tag, settings }) => ({ ...settings, tag }));
  return `{"inbounds":[${inbounds.join(",")}],"outbounds":${JSON.stringify(ways)},"routing":${
    JSON.stringify(routing)
  }}`;
}

function inboundText({ id, protocol, tag, settings, links }: AssignedProtocol): string {
  const { client, settings: inner, ...rest } = settings;
  const own = jsonObject(inner);
  const template = jsonMembers(jsonObject(client));
  const list = protocol === "wireguard" ? "peers" : "clients";
  const clients = clientTexts(protocol, own, template, id, links);
  const { [list]: _, ...others } = own;
  const head = JSON.stringify({ ...rest, tag, nodeProtocolId: id, protocol });
  const tail = jsonMembers(others);
  return `${head.slice(0, -1)},"settings":{"${list}":[${clients}]${tail === "" ? "" : `,${tail}`}}}`;
}

/** Clients that differ only by their UUID are put together without an object for each. */
function clientTexts(
  protocol: string,
  inner: JsonObject,
  template: string,
  id: number,
  links: readonly AssignedLink[],
): string {
  const more = template === "" ? "" : `,${template}`;
  if (protocol === "vless" || protocol === "vmess") {
    return links.map(({ uuid }) => `{"id":"${uuid}","email":"${uuid}.${id}"${more}}`).join(",");
  }
  if (protocol === "wireguard") {
    return links.filter(({ secret }) => secret !== null)
      .map(({ uuid, secret }) => `{"publicKey":${JSON.stringify(secret)},"email":"${uuid}.${id}"${more}}`).join(",");
  }
  const name = protocol === "hysteria2" ? "auth" : "password";
  const method = protocol === "shadowsocks" && typeof inner.method === "string" ? inner.method : "";
  return links.map((link) =>
    `{"${name}":${JSON.stringify(passwordOf(link, method))},"email":"${link.uuid}.${id}"${more}}`
  ).join(",");
}

/** The secret of the link. Without one its UUID, in the form that the method asks for. */
function passwordOf({ uuid, secret }: AssignedLink, method: string): string {
  if (secret !== null) return secret;
  if (!method.startsWith("2022-")) return uuid;
  const digits = uuid.replaceAll("-", "");
  // Keys of exactly 16 or 32 bytes: the bytes of the UUID, or its digits.
  if (method.includes("aes-128")) {
    return btoa(
      String.fromCharCode(...Array.from({ length: 16 }, (_, at) => parseInt(digits.slice(2 * at, 2 * at + 2), 16))),
    );
  }
  return btoa(digits);
}
