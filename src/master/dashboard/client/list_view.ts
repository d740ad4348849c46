/**
 * All instances: search, filter, table, and what to do when there are none.
 *
 * @module
 */
import { type Context, hashOf } from "./context.ts";
import { h, setAttribute, setText } from "./dom.ts";
import { icon } from "./icons.ts";
import type { Entry } from "./model.ts";
import { matches, nameOf } from "./naming.ts";
import { RowView } from "./row_view.ts";
import { emptyState } from "./empty_state.ts";

const filters = ["all", "running", "stopped", "error"] as const;
type Filter = typeof filters[number];
const filterNames: Readonly<Record<Filter, string>> = {
  all: "All",
  running: "Running",
  stopped: "Stopped",
  error: "Error",
};
const columns: readonly (readonly [string, string])[] = [
  ["status", "Status"],
  ["name", "Name"],
  ["route", "Tunnel → target"],
  ["spark", "Recent traffic"],
  ["rates", "Traffic"],
  ["sessions", "Sessions"],
  ["ping", "Ping"],
  ["actions", "Actions"],
];

/** The list. */
export class ListView {
  readonly element: HTMLElement;
  readonly #context: Context;
  readonly #rows = new Map<string, RowView>();
  readonly #body: HTMLElement = h("tbody", {});
  readonly #table: HTMLElement;
  readonly #frame: HTMLElement;
  readonly #empty: HTMLElement;
  readonly #nothing: HTMLElement = h("p", { "class": "nothing", role: "status" });
  readonly #tools: HTMLElement;
  readonly #search: HTMLInputElement;
  readonly #chips = new Map<Filter, { readonly button: HTMLElement; readonly count: HTMLElement }>();
  #filter: Filter = "all";
  #selected: string | null = null;
  #order = "";
  #known = false;

  /**
   * The list.
   *
   * @param context of the page
   */
  constructor(context: Context) {
    this.#context = context;
    this.#search = h("input", {
      type: "search",
      "class": "search",
      placeholder: "Search",
      "aria-label": "Search tunnels",
      autocomplete: "off",
      oninput: () => this.show(),
    });
    const heads = columns.map(([name, text]) => {
      const hidden = name === "spark" || name === "actions" || name === "status";
      return h("th", { scope: "col", "class": `cell-${name}` }, hidden ? h("span", { "class": "unseen" }, text) : text);
    });
    this.#table = h(
      "table",
      { "class": "table" },
      h("caption", { "class": "unseen" }, "Tunnels of this master"),
      h("thead", {}, h("tr", {}, ...heads)),
      this.#body,
    );
    this.#table.addEventListener("keydown", (event) => this.#move(event as KeyboardEvent));
    this.#tools = h(
      "div",
      { "class": "tools" },
      h(
        "div",
        { "class": "chips", role: "group", "aria-label": "Filter by status" },
        ...filters.map((f) => this.#chip(f)),
      ),
      h("div", { "class": "spacer" }),
      h("div", { "class": "search-place" }, icon("search"), this.#search),
      h("a", { "class": "button button-primary", href: hashOf({ page: "new" }) }, icon("plus"), "New tunnel"),
    );
    this.#frame = h("div", { "class": "table-place" }, this.#table, this.#nothing);
    this.#frame.hidden = true;
    this.#empty = emptyState();
    this.element = h(
      "section",
      { "class": "list", "aria-label": "Tunnels" },
      h("h1", { "class": "unseen" }, "Tunnels"),
      this.#tools,
      this.#frame,
      this.#empty,
    );
    this.#empty.hidden = true;
    this.#tools.hidden = true;
  }

  /** The list of the master has arrived: an empty one is empty. */
  known(): void {
    this.#known = true;
    this.show();
  }

  /** The keyboard goes to the search. */
  search(): void {
    this.#search.focus();
    this.#search.select();
  }

  /** The keyboard goes to a row. */
  focus(id: string): void {
    this.#rows.get(id)?.focus();
  }

  /** Marks the row that is open beside the list. */
  select(id: string | null): void {
    const before = this.#selected;
    this.#selected = id;
    this.update(new Set([before, id].filter((item) => item !== null)));
  }

  /** Shows rows that changed; others stay untouched. */
  update(ids: ReadonlySet<string>): void {
    for (const id of ids) {
      const entry = this.#context.model.entries.get(id);
      if (entry === undefined) continue;
      this.#rowOf(entry).show(entry, id === this.#selected);
    }
    for (const id of this.#rows.keys()) if (!this.#context.model.entries.has(id)) this.#rows.delete(id);
    this.show();
  }

  /** Puts the rows that fit search and filter into their order. */
  show(): void {
    const { model } = this.#context;
    const totals = model.totals();
    for (const [filter, { button, count }] of this.#chips) {
      setText(count, String(totals[filter]));
      setAttribute(button, "aria-pressed", String(filter === this.#filter));
    }
    const words = this.#search.value.trim();
    const shown = [...model.entries.values()].filter(({ view }) =>
      (this.#filter === "all" || view.status === this.#filter) && (words === "" || matches(view, words))
    ).sort(byName);
    const order = shown.map(({ view }) => view.id).join();
    if (order !== this.#order) {
      this.#order = order;
      this.#place(shown);
    }
    const none = totals.all === 0;
    this.#empty.hidden = !none || !this.#known;
    this.#tools.hidden = none;
    this.#frame.hidden = none;
    this.#table.hidden = shown.length === 0;
    this.#nothing.hidden = none || shown.length > 0;
    setText(this.#nothing, words === "" ? "No tunnel is in this state." : `No tunnel matches “${words}”.`);
  }

  /** Moves only what has to move: whatever has the focus keeps it. */
  #place(shown: readonly Entry[]): void {
    const wanted = shown.map((entry) => this.#rowOf(entry).element);
    const kept = new Set<Element>(wanted);
    for (const element of [...this.#body.children]) if (!kept.has(element)) element.remove();
    wanted.forEach((element, index) => {
      const there = this.#body.children[index];
      if (there !== element) this.#body.insertBefore(element, there ?? null);
    });
  }

  #rowOf(entry: Entry): RowView {
    let row = this.#rows.get(entry.view.id);
    if (row === undefined) {
      row = new RowView(this.#context, entry);
      this.#rows.set(entry.view.id, row);
    }
    return row;
  }

  #chip(filter: Filter): HTMLElement {
    const count = h("span", { "class": "chip-count" });
    const button = h(
      "button",
      {
        type: "button",
        "class": `chip chip-${filter}`,
        "aria-pressed": "false",
        onclick: () => {
          this.#filter = filter;
          this.show();
        },
      },
      `${filterNames[filter]} `,
      count,
    );
    this.#chips.set(filter, { button, count });
    return button;
  }

  #move(event: KeyboardEvent): void {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step === 0 || !(event.target instanceof Element)) return;
    const rows = [...this.#body.children];
    const index = rows.findIndex((row) => row.contains(event.target as Element));
    const next = rows[index + step];
    if (next === undefined) return;
    event.preventDefault();
    next.querySelector<HTMLElement>(".row-name")?.focus();
  }
}

function byName(a: Entry, b: Entry): number {
  return nameOf(a.view).localeCompare(nameOf(b.view), undefined, { numeric: true }) || (a.view.id < b.view.id ? -1 : 1);
}
