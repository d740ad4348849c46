/**
 * What kind of tunnel, and which way visitors go, with a picture of it.
 *
 * @module
 */
import { type Child, fill, freshId, h } from "./dom.ts";
import { type Direction, directions } from "./field_guide.ts";
import { icon } from "./icons.ts";
import type { Kind } from "./url_draft.ts";

const kinds: readonly (readonly [Kind, string, string])[] = [
  ["server", "Server", "The end with an address that others can reach. Clients connect to its tunnel port."],
  ["client", "Client", "The end that connects to a server. It may stand behind a firewall."],
  ["forwarder", "Forwarder", "No other end: listens here and passes on to somewhere else."],
];

/** Radio buttons that look like cards. */
class Cards<Value> {
  readonly element: HTMLElement;
  readonly #name = freshId("cards");
  readonly #legend: string;
  readonly #chosen: (value: Value) => void;
  readonly #inputs: { readonly input: HTMLInputElement; readonly value: Value }[] = [];

  constructor(legend: string, chosen: (value: Value) => void) {
    this.#legend = legend;
    this.#chosen = chosen;
    this.element = h("fieldset", { "class": "cards" });
  }

  place(cards: readonly { readonly value: Value; readonly title: string; readonly text: string }[]): void {
    this.#inputs.length = 0;
    const elements = cards.map(({ value, title, text }) => {
      const [name, note] = [freshId("card"), freshId("card")];
      const input = h("input", {
        type: "radio",
        name: this.#name,
        "aria-labelledby": name,
        "aria-describedby": note,
        onchange: () => this.#chosen(value),
      });
      this.#inputs.push({ input, value });
      return h("label", { "class": "card" }, input, h("b", { id: name }, title), h("span", { id: note }, text));
    });
    fill(this.element, h("legend", {}, this.#legend), ...elements);
  }

  check(value: Value): void {
    for (const each of this.#inputs) each.input.checked = each.value === value;
  }
}

/** Server, client or forwarder. */
export class KindPicker {
  readonly element: HTMLElement;
  readonly #cards: Cards<Kind>;

  constructor(chosen: (kind: Kind) => void) {
    this.#cards = new Cards("This machine is", chosen);
    this.#cards.place(kinds.map(([value, title, text]) => ({ value, title, text })));
    this.element = this.#cards.element;
  }

  /** Shows what is chosen. */
  show(kind: Kind): void {
    this.#cards.check(kind);
  }
}

/** Which way visitors go. */
export class DirectionPicker {
  readonly element: HTMLElement;
  readonly #cards: Cards<Direction>;
  readonly #picture: HTMLElement = h("div", { "class": "picture", "aria-hidden": "true" });
  #kind: Kind | null = null;

  constructor(chosen: (direction: Direction) => void) {
    this.#cards = new Cards("Direction", chosen);
    this.element = h("div", {}, this.#cards.element, this.#picture);
  }

  /** Shows what there is to choose, and what is chosen. */
  show(kind: Kind, direction: Direction): void {
    if (kind !== this.#kind) {
      this.#kind = kind;
      this.#cards.place(directions[kind].map((value) => ({ value, title: value.title, text: value.text })));
      this.#cards.element.hidden = kind === "forwarder";
    }
    this.#cards.check(direction);
    fill(this.#picture, ...picture(kind, direction));
  }
}

/** The way of a visitor, with this machine marked. */
function picture(kind: Kind, direction: Direction): Child[] {
  const way: (readonly [string, boolean])[] = kind === "forwarder"
    ? [["Visitor", false], ["This machine", true], ["Service", false]]
    : atEntrance(kind, direction)
    ? [["Visitor", false], ["This machine", true], [kind === "server" ? "Client" : "Server", false], ["Service", false]]
    : [["Visitor", false], [kind === "server" ? "Client" : "Server", false], ["This machine", true], [
      "Service",
      false,
    ]];
  return way.flatMap(([name, here], index) => [
    index === 0 ? null : icon("arrow"),
    h("span", { "class": here ? "stop stop-ours" : "stop" }, h("b", {}, name)),
  ]);
}

function atEntrance(kind: Kind, direction: Direction): boolean {
  if (direction.mode === "") return kind === "server";
  return !direction.target.dialled;
}
