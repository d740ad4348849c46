/**
 * One instance, beside the list or, on small screens, in its place.
 *
 * @module
 */
import { act, type Action } from "./actions.ts";
import { type Context, hashOf, type Tab } from "./context.ts";
import { fill, h, setAttribute, setText } from "./dom.ts";
import { icon } from "./icons.ts";
import { LogView } from "./log_view.ts";
import type { Entry } from "./model.ts";
import { describe, nameOf } from "./naming.ts";
import { OverviewView } from "./overview_view.ts";
import { SessionsView } from "./sessions_view.ts";
import { StatusBadge } from "./status_badge.ts";

/** What a tab shows. */
export interface TabView {
  readonly element: HTMLElement;
  show(entry: Entry): void;
  close(): void;
}

const tabs: readonly (readonly [Tab, string])[] = [["overview", "Overview"], ["sessions", "Sessions"], ["log", "Log"]];

/** The panel of one instance. */
export class PanelView {
  readonly element: HTMLElement;
  readonly id: string;
  readonly #context: Context;
  readonly #heading: HTMLElement = h("h2", { "class": "panel-name", tabindex: -1 });
  readonly #kind: HTMLElement = h("span", { "class": "kind" });
  readonly #badge = new StatusBadge();
  readonly #actions: HTMLElement = h("div", { "class": "panel-actions" });
  readonly #tabs = new Map<Tab, HTMLElement>();
  readonly #body: HTMLElement = h("div", { "class": "panel-body", role: "tabpanel", id: "panel-body", tabindex: 0 });
  #view: TabView | null = null;
  #tab: Tab | null = null;
  #entry: Entry;
  #actionsFor = "";

  /**
   * A panel.
   *
   * @param context of the page
   * @param entry what it shows
   */
  constructor(context: Context, entry: Entry) {
    this.#context = context;
    this.#entry = entry;
    this.id = entry.view.id;
    const close = h(
      "a",
      { "class": "icon-button", href: hashOf({ page: "list" }), "aria-label": "Close", title: "Close (Esc)" },
      icon("close"),
    );
    const bar = h("div", { "class": "tabs", role: "tablist", "aria-label": "About this tunnel" });
    for (const [tab, text] of tabs) {
      const button = h(
        "button",
        {
          type: "button",
          role: "tab",
          "class": "tab",
          id: `tab-${tab}`,
          "aria-controls": "panel-body",
          onclick: () => context.go({ page: "tunnel", id: this.id, tab }),
        },
        text,
      );
      this.#tabs.set(tab, button);
      bar.append(button);
    }
    bar.addEventListener("keydown", (event) => this.#moveTab(event as KeyboardEvent));
    this.element = h(
      "aside",
      { "class": "panel", "aria-label": "Tunnel" },
      h(
        "div",
        { "class": "panel-head" },
        h(
          "div",
          { "class": "panel-title" },
          this.#heading,
          h("p", { "class": "panel-note" }, this.#badge.element, this.#kind),
        ),
        close,
      ),
      this.#actions,
      bar,
      this.#body,
    );
    this.show(entry);
  }

  /** The keyboard goes to the heading: what opened is read out. */
  focus(): void {
    this.#heading.focus({ preventScroll: true });
  }

  /** Shows a tab. */
  open(tab: Tab): void {
    if (tab === this.#tab) return;
    this.#tab = tab;
    this.#view?.close();
    const make = { overview: OverviewView, sessions: SessionsView, log: LogView }[tab];
    this.#view = new make(this.#context, this.#entry);
    fill(this.#body, this.#view.element);
    setAttribute(this.#body, "aria-labelledby", `tab-${tab}`);
    for (const [name, button] of this.#tabs) {
      setAttribute(button, "aria-selected", String(name === tab));
      setAttribute(button, "tabindex", name === tab ? "0" : "-1");
    }
  }

  /** Shows the latest. */
  show(entry: Entry): void {
    this.#entry = entry;
    const { view } = entry;
    setText(this.#heading, nameOf(view));
    setAttribute(this.element, "aria-label", `Tunnel ${nameOf(view)}`);
    setText(this.#kind, describe(view));
    this.#badge.show(view);
    this.#showActions(view.status === "stopped");
    this.#view?.show(entry);
  }

  /** Ends what its tabs began. */
  close(): void {
    this.#view?.close();
    this.element.remove();
  }

  #showActions(stopped: boolean): void {
    if (this.#actionsFor === String(stopped)) return;
    this.#actionsFor = String(stopped);
    const held = this.#actions.contains(document.activeElement);
    fill(
      this.#actions,
      stopped ? this.#action("start", "play", "Start") : this.#action("stop", "stop", "Stop"),
      stopped ? null : this.#action("restart", "restart", "Restart"),
      h("a", { "class": "button", href: hashOf({ page: "edit", id: this.id }) }, icon("edit"), "Edit"),
      h("span", { "class": "spacer" }),
      this.#action("reset", "reset", "Reset counters", true),
      this.#action("delete", "trash", "Delete", true),
    );
    if (held) this.#actions.querySelector("button")?.focus();
  }

  #action(action: Action, picture: Parameters<typeof icon>[0], text: string, small = false): HTMLElement {
    const run = async (): Promise<void> => {
      const done = await act(this.#context, this.#entry.view, action);
      if (done && action === "delete") this.#context.go({ page: "list" });
    };
    const label = small ? h("span", { "class": "unseen" }, text) : text;
    return h(
      "button",
      {
        type: "button",
        "class": small ? "icon-button" : "button",
        title: small ? text : null,
        onclick: () => void run(),
      },
      icon(picture),
      label,
    );
  }

  #moveTab(event: KeyboardEvent): void {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step === 0) return;
    const index = tabs.findIndex(([tab]) => tab === this.#tab);
    const next = tabs[(index + step + tabs.length) % tabs.length]?.[0] ?? "overview";
    this.#context.go({ page: "tunnel", id: this.id, tab: next });
    this.#tabs.get(next)?.focus();
  }
}
