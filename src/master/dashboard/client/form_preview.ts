/**
 * The URL that a form makes, in colour, with what the master would say about it.
 *
 * @module
 */
import { copyButton } from "./copying.ts";
import { type Child, fill, freshId, h } from "./dom.ts";
import type { Verdict } from "./url_draft.ts";

/** The preview. */
export class UrlPreview {
  readonly element: HTMLElement;
  readonly #code: HTMLElement;
  readonly #area: HTMLTextAreaElement;
  readonly #edit: HTMLButtonElement;
  readonly #remarks: HTMLElement = h("div", { "class": "remarks", "aria-live": "polite" });
  #url = "";
  #remarked = "";

  /**
   * A preview.
   *
   * @param written gets a URL that somebody wrote or pasted; answers whether it is one
   */
  constructor(written: (url: string) => boolean) {
    const id = freshId("url");
    this.#code = h("code", { "class": "url-text", "aria-live": "off" });
    this.#area = h("textarea", {
      id,
      "class": "url-area",
      rows: 2,
      spellcheck: "false",
      autocapitalize: "off",
      "aria-label": "URL as text",
      oninput: () => {
        const readable = written(this.#area.value.trim());
        this.#area.setAttribute("aria-invalid", String(!readable));
      },
    });
    this.#area.hidden = true;
    this.#edit = h("button", {
      type: "button",
      "class": "text-button",
      "aria-expanded": "false",
      onclick: () => this.#toggle(),
    }, "Edit as text");
    this.element = h(
      "div",
      { "class": "preview", tabindex: -1 },
      h(
        "div",
        { "class": "url-head" },
        h("h3", {}, "URL"),
        this.#edit,
        copyButton(() => this.#url, "Copy URL"),
      ),
      this.#code,
      this.#area,
      this.#remarks,
    );
  }

  /** Shows a URL. */
  show(url: string, { findings, warnings }: Verdict): void {
    this.#url = url;
    fill(this.#code, ...coloured(url));
    if (!this.#area.hidden && document.activeElement !== this.#area) this.#area.value = url;
    const remarked = [...findings, "", ...warnings].join("\n");
    if (remarked === this.#remarked) return;
    this.#remarked = remarked;
    fill(
      this.#remarks,
      ...findings.map((text) => h("p", { "class": "warning warning-bad" }, text)),
      ...warnings.map((text) => h("p", { "class": "warning" }, text)),
    );
  }

  #toggle(): void {
    const open = this.#area.hidden;
    this.#area.hidden = !open;
    this.#code.hidden = open;
    this.#edit.setAttribute("aria-expanded", String(open));
    this.#edit.textContent = open ? "Show as form" : "Edit as text";
    if (!open) return;
    this.#area.value = this.#url;
    this.#area.focus();
  }
}

/** The parts of a URL, each in its colour; the key as dots. */
function coloured(url: string): Child[] {
  const [, scheme = "", key = "", tunnel = "", target = "", query = ""] =
    /^(\w+:\/\/)([^/?]*@)?([^/?]*)(\/[^?]*)?(\?.*)?$/.exec(url) ?? [];
  const part = (name: string, text: string): Child => text === "" ? null : h("span", { "class": `url-${name}` }, text);
  return [
    part("scheme", scheme),
    part("key", key === "" ? "" : "•••@"),
    part("tunnel", tunnel || "…"),
    part("target", target === "/" ? "/…" : target),
    part("query", query),
  ];
}
