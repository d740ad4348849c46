/**
 * What a master without tunnels shows: what a tunnel is, and how the first one is made.
 *
 * @module
 */
import { hashOf } from "./context.ts";
import { type Child, h } from "./dom.ts";
import { icon } from "./icons.ts";

/** The text and the picture. */
export function emptyState(): HTMLElement {
  return h(
    "div",
    { "class": "empty" },
    h(
      "div",
      { "class": "empty-picture", "aria-hidden": "true" },
      stop("Visitor", "anywhere"),
      icon("arrow"),
      stop("Server", "public address", true),
      icon("arrow"),
      stop("Client", "behind a firewall", true),
      icon("arrow"),
      stop("Service", "127.0.0.1:8080"),
    ),
    h("h2", {}, "No tunnels yet"),
    h(
      "p",
      {},
      "A tunnel takes visitors of one machine to a service near another one. A server and a client share a key and make up its two ends; a forwarder does the same on one machine alone.",
    ),
    h(
      "a",
      { "class": "button button-primary", href: hashOf({ page: "new" }) },
      icon("plus"),
      "Create the first tunnel",
    ),
    h("p", { "class": "hint" }, "Start with the server: it then shows the URL for its client."),
  );
}

function stop(name: string, note: string, ours = false): Child {
  return h(
    "span",
    { "class": ours ? "stop stop-ours" : "stop" },
    h("b", {}, name),
    h("span", {}, note),
  );
}
