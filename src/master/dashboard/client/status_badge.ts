/**
 * The state of an instance: a dot and a word.
 *
 * @module
 */
import type { InstanceView } from "../../instance.ts";
import { h, setAttribute, setText } from "./dom.ts";
import { statusNames } from "./naming.ts";

/** The badge. */
export class StatusBadge {
  readonly element: HTMLElement;
  readonly #word: HTMLElement;

  constructor() {
    this.#word = h("span", {});
    this.element = h(
      "span",
      { "class": "status" },
      h("span", { "class": "status-dot", "aria-hidden": "true" }),
      this.#word,
    );
  }

  /** Shows the state of an instance. */
  show(view: InstanceView): void {
    setAttribute(this.element, "data-status", view.status);
    setText(this.#word, statusNames[view.status]);
  }
}
