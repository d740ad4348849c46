/**
 * Short messages that come, are read out, and go.
 *
 * @module
 */
import { h } from "./dom.ts";
import { icon } from "./icons.ts";

const SHOWN_MS = 5000;
const MOST = 4;

/** The place where messages appear. */
export class Notices {
  readonly element: HTMLElement = h("div", { "class": "notices", role: "status", "aria-live": "polite" });

  /** Something went as it should. */
  done(text: string): void {
    this.#show("done", text, SHOWN_MS);
  }

  /** Something did not. */
  failed(text: string): void {
    this.#show("failed", text, SHOWN_MS * 2);
  }

  #show(kind: "done" | "failed", text: string, ms: number): void {
    const close = h(
      "button",
      { type: "button", "class": "icon-button", "aria-label": "Dismiss message", onclick: () => notice.remove() },
      icon("close"),
    );
    const notice = h(
      "div",
      { "class": `notice notice-${kind}` },
      icon(kind === "done" ? "check" : "alert"),
      h("p", {}, text),
      close,
    );
    this.element.append(notice);
    while (this.element.childElementCount > MOST) this.element.firstElementChild?.remove();
    setTimeout(() => notice.remove(), ms);
  }
}
