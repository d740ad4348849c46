/**
 * One instance in the list.
 *
 * @module
 */
import { act } from "./actions.ts";
import { type Context, hashOf } from "./context.ts";
import { fill, h, setAttribute, setText } from "./dom.ts";
import { formatPing, formatRates } from "./format.ts";
import { icon } from "./icons.ts";
import type { Entry } from "./model.ts";
import { describe, kindOf, nameOf, routeOf } from "./naming.ts";
import { Sparkline } from "./sparkline.ts";
import { StatusBadge } from "./status_badge.ts";
import { judge } from "./url_draft.ts";

/** The row. */
export class RowView {
  readonly element: HTMLTableRowElement;
  readonly #context: Context;
  readonly #badge = new StatusBadge();
  readonly #link: HTMLAnchorElement;
  readonly #kind: HTMLElement = h("span", { "class": "kind" });
  readonly #tunnel: HTMLElement = h("code", {});
  readonly #target: HTMLElement = h("code", {});
  readonly #weak: HTMLElement = h("span", { "class": "row-weak" }, icon("alert"), "weak key");
  readonly #received: HTMLElement = h("span", { "class": "rate-rx" });
  readonly #sent: HTMLElement = h("span", { "class": "rate-tx" });
  readonly #sessions: HTMLElement = h("span", { "class": "number" });
  readonly #sessionsNote: HTMLElement = h("span", { "class": "number-note" });
  readonly #ping: HTMLElement = h("span", { "class": "number" });
  readonly #pool: HTMLElement = h("span", { "class": "number-note" });
  readonly #toggle: HTMLButtonElement;
  readonly #restart: HTMLButtonElement;
  readonly #spark = new Sparkline(112, 28);
  #entry: Entry;
  #toggleShows = "";
  #judged = "";

  /**
   * A row.
   *
   * @param context of the page
   * @param entry what it shows
   */
  constructor(context: Context, entry: Entry) {
    this.#context = context;
    this.#entry = entry;
    const { id } = entry.view;
    this.#link = h("a", { "class": "row-name", href: hashOf({ page: "tunnel", id, tab: "overview" }) });
    this.#toggle = this.#button(() => this.#entry.view.status === "stopped" ? "start" : "stop");
    this.#restart = this.#button(() => "restart");
    fill(this.#restart, icon("restart"));
    this.element = h(
      "tr",
      { "class": "row", "data-id": id, onclick: (event) => this.#open(event) },
      h("td", { "class": "cell-status" }, this.#badge.element),
      h("td", { "class": "cell-name" }, this.#link, this.#kind, this.#weak),
      h("td", { "class": "cell-route" }, this.#tunnel, icon("arrow"), this.#target),
      h("td", { "class": "cell-spark" }, this.#spark.element),
      h("td", { "class": "cell-rates" }, this.#received, this.#sent),
      h("td", { "class": "cell-sessions" }, this.#sessions, this.#sessionsNote),
      h("td", { "class": "cell-ping" }, this.#ping, this.#pool),
      h("td", { "class": "cell-actions" }, this.#toggle, this.#restart),
    );
    this.show(entry, false);
  }

  /** The link that the keyboard reaches first. */
  focus(): void {
    this.#link.focus();
  }

  /** Shows the latest. */
  show(entry: Entry, selected: boolean): void {
    this.#entry = entry;
    const { view, rates } = entry;
    const name = nameOf(view);
    const kind = kindOf(view);
    const running = view.status === "running";
    this.#badge.show(view);
    setAttribute(this.element, "data-selected", selected ? "true" : null);
    setAttribute(this.#link, "aria-current", selected ? "true" : null);
    setText(this.#link, name);
    setText(this.#kind, describe(view));
    this.#showWeakKey(view.url);
    const { tunnel, target } = routeOf(view);
    setText(this.#tunnel, tunnel);
    setText(this.#target, target);
    const [received, sent] = running ? formatRates(rates.current.rx, rates.current.tx) : ["", ""];
    setText(this.#received, received);
    setText(this.#sent, sent);
    setAttribute(this.#received, "data-idle", sent === "" ? "true" : null);
    setText(this.#sessions, running ? String(view.tcps + view.udps) : "");
    setText(this.#sessionsNote, running && view.udps > 0 ? `${view.udps} UDP` : "");
    const linked = running && kind !== "forwarder" && view.pool > 0;
    setText(this.#ping, linked ? formatPing(view.ping) : "");
    setText(this.#pool, linked ? `${view.pool} ready` : "");
    this.#spark.draw(rates.samples);
    this.#showButtons(name, view.status === "stopped");
  }

  #showWeakKey(url: string): void {
    if (url === this.#judged) return;
    this.#judged = url;
    this.#weak.hidden = !judge(url).warnings.some((text) => text.startsWith("Tunnel key "));
  }

  #showButtons(name: string, stopped: boolean): void {
    const shows = `${stopped ? "Start" : "Stop"} ${name}`;
    if (shows === this.#toggleShows) return;
    this.#toggleShows = shows;
    fill(this.#toggle, icon(stopped ? "play" : "stop"));
    for (const [button, text] of [[this.#toggle, shows], [this.#restart, `Restart ${name}`]] as const) {
      setAttribute(button, "aria-label", text);
      setAttribute(button, "title", text);
    }
    this.#restart.disabled = stopped;
  }

  #button(action: () => "start" | "stop" | "restart"): HTMLButtonElement {
    const button = h("button", { type: "button", "class": "icon-button" });
    button.addEventListener("click", () => {
      button.disabled = true;
      void act(this.#context, this.#entry.view, action()).finally(() => {
        button.disabled = button === this.#restart && this.#entry.view.status === "stopped";
      });
    });
    return button;
  }

  /** A click anywhere in the row opens it, unless it was for a button or selects text. */
  #open(event: Event): void {
    if (!(event.target instanceof Element) || event.target.closest("a, button") !== null) return;
    if ((getSelection()?.toString() ?? "") !== "") return;
    this.#context.go({ page: "tunnel", id: this.#entry.view.id, tab: "overview" });
  }
}
