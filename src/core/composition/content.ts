/**
 * From an assignment to the text that a node is sent.
 *
 * @module
 */
import type { AssignedLink, Assignment } from "./assignment.ts";
import { mtprotoText } from "./mtproto.ts";
import { xrayText } from "./xray.ts";

/** A configuration without its revision, as texts of JSON. */
export interface Content {
  readonly clientMapJson: string;
  readonly mtprotoClientMapJson: string;
  readonly servicesJson: string;
}

/** Nodes with equal users have equal maps: made once for each list of users. */
const maps = new WeakMap<readonly AssignedLink[], string>();

/** Composes what a node is to run. Equal assignments give equal texts. */
export function composeContent(assignment: Assignment): Content {
  const { tunnels } = assignment;
  const services = [
    ["xray", xrayText(assignment)],
    ["mtproto", mtprotoText(assignment)],
    ["nodepass", tunnels.length === 0 ? null : JSON.stringify({ instances: tunnels })],
  ].filter(([, text]) => text !== null).map(([name, text]) => `"${name}":${text}`);
  return {
    clientMapJson: mapText(assignment, "xray"),
    mtprotoClientMapJson: mapText(assignment, "mtproto"),
    servicesJson: `{${services.join(",")}}`,
  };
}

/** The body behind `{"revision":N,`: what is the same for every number. */
export function contentTail({ clientMapJson, mtprotoClientMapJson, servicesJson }: Content): string {
  return `"clientMap":${clientMapJson},"mtprotoClientMap":${mtprotoClientMapJson},"services":${servicesJson}}`;
}

/** The body in front of its tail. */
export function contentHead(revision: number): string {
  return `{"revision":${revision},`;
}

/** Finds the parts of a tail again: keys of the maps are UUIDs, so the names of the parts occur nowhere before them. */
export function readTail(tail: string): Content {
  const mtproto = tail.indexOf(',"mtprotoClientMap":');
  const services = tail.indexOf(',"services":', mtproto);
  return {
    clientMapJson: tail.slice('"clientMap":'.length, mtproto),
    mtprotoClientMapJson: tail.slice(mtproto + ',"mtprotoClientMap":'.length, services),
    servicesJson: tail.slice(services + ',"services":'.length, -1),
  };
}

/** The same for an agent that does not run tunnels. */
export function withoutTunnels(content: Content): Content {
  const { servicesJson } = content;
  // The last of the services, and inside its strings every quote is escaped.
  const at = servicesJson.lastIndexOf('"nodepass":{"instances":[');
  if (at < 0) return content;
  return { ...content, servicesJson: `${servicesJson.slice(0, at).replace(/,$/, "")}}` };
}

function mapText({ protocols }: Assignment, service: "xray" | "mtproto"): string {
  const lists = new Set(protocols.filter((protocol) => protocol.service === service).map(({ links }) => links));
  const [first] = lists;
  if (first === undefined) return "{}";
  if (lists.size > 1) return textOf(mergeLinks([...lists]));
  const known = maps.get(first) ?? textOf(first);
  maps.set(first, known);
  return known;
}

function mergeLinks(lists: readonly (readonly AssignedLink[])[]): AssignedLink[] {
  const all = new Map(lists.flat().map((link) => [link.uuid, link]));
  return [...all.values()].sort((a, b) => a.uuid < b.uuid ? -1 : 1);
}

function textOf(links: readonly AssignedLink[]): string {
  return `{${
    links.map(({ uuid, userId, subscriptionId }) => `"${uuid}":{"userId":${userId},"subscriptionId":${subscriptionId}}`)
      .join(",")
  }}`;
}
