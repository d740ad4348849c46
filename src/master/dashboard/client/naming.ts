/**
 * What an instance is called, and how it is described in a line.
 *
 * @module
 */
import { splitUrl } from "../../../config/url_text.ts";
import type { InstanceView, Status } from "../../instance.ts";
import type { Kind } from "./url_draft.ts";

/** The addresses of an instance. */
export interface Route {
  readonly tunnel: string;
  readonly target: string;
}

/** The name people gave it, else its tunnel address. */
export function nameOf(view: InstanceView): string {
  return view.alias || routeOf(view).tunnel || view.id;
}

/** Its addresses, as its URL has them. */
export function routeOf(view: InstanceView): Route {
  const parts = splitUrl(view.url);
  return { tunnel: parts?.address ?? "", target: (parts?.path ?? "").replaceAll(",", ", ") };
}

/** Server, client, or a client that needs no server. */
export function kindOf(view: InstanceView): Kind {
  if (view.type === "server") return "server";
  // A client that decides for itself tells what it became.
  const asked = splitUrl(view.config || view.url)?.query.findLast(({ name }) => name === "mode")?.value;
  return asked === "1" || view.mode === 1 ? "forwarder" : "client";
}

/** Words for kinds. */
export const kindNames: Readonly<Record<Kind, string>> = { server: "Server", client: "Client", forwarder: "Forwarder" };

/** Words for states. */
export const statusNames: Readonly<Record<Status | "", string>> = {
  running: "Running",
  stopped: "Stopped",
  error: "Error",
  "": "",
};

/** Its kind in words; a server that runs knows the direction, a client does not. */
export function describe(view: InstanceView): string {
  const direction = view.type !== "server" ? "" : ["", ", reverse", ", forward"][view.mode] ?? "";
  return kindNames[kindOf(view)] + direction;
}

/** Whether a search finds it. */
export function matches(view: InstanceView, words: string): boolean {
  const { tunnel, target } = routeOf(view);
  const tags = Object.entries(view.meta.tags).flat();
  const text = [view.alias, view.id, view.type, view.status, tunnel, target, view.meta.peer.alias, ...tags]
    .join(" ").toLowerCase();
  return words.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}
