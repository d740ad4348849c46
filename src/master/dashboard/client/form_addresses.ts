/**
 * The addresses and the key of a tunnel in the form.
 *
 * @module
 */
import { formatGeneratedKey } from "../../../generated_key.ts";
import { textOf } from "./api.ts";
import type { Context } from "./context.ts";
import { copyButton } from "./copying.ts";
import { type Child, freshId, h, setAttribute, setText } from "./dom.ts";
import type { Direction } from "./field_guide.ts";
import { icon } from "./icons.ts";
import type { UrlDraft, Verdict } from "./url_draft.ts";

/** A labelled line of text with a hint and a place for what is wrong. */
class TextField {
  readonly element: HTMLElement;
  readonly input: HTMLInputElement;
  readonly label: HTMLElement;
  readonly #hint: HTMLElement;
  readonly #finding: HTMLElement;

  constructor(word: string, changed: (value: string) => void, ...beside: Child[]) {
    const [id, hint, finding] = [freshId(word), freshId("hint"), freshId("finding")];
    this.input = h("input", {
      id,
      type: "text",
      "class": "address",
      autocomplete: "off",
      autocapitalize: "off",
      spellcheck: "false",
      "aria-describedby": `${hint} ${finding}`,
      oninput: () => changed(this.input.value),
    });
    this.label = h("label", { "for": id });
    this.#hint = h("p", { "class": "hint", id: hint });
    this.#finding = h("p", { "class": "finding", id: finding });
    this.element = h(
      "div",
      { "class": "field" },
      this.label,
      h("div", { "class": "input-row" }, this.input, ...beside),
      this.#hint,
      this.#finding,
    );
  }

  show(value: string, label: string, hint: string, finding: string | null): void {
    if (this.input.value !== value) this.input.value = value;
    setText(this.label, label);
    setText(this.#hint, hint);
    setText(this.#finding, finding ?? "");
    setAttribute(this.input, "aria-invalid", finding === null ? null : "true");
  }
}

const tunnelTexts = {
  server: [
    "Clients connect to",
    "The tunnel port of this machine. Without a host: all addresses. Let it through the firewall.",
    ":10101",
  ],
  client: ["Server", "Host and tunnel port of the server.", "server.example.com:10101"],
  forwarder: ["Visitors connect to", "The address and port of this machine where visitors come in.", ":8080"],
} as const;

/** The fields. */
export class AddressFields {
  readonly element: HTMLElement;
  readonly #context: Context;
  readonly #tunnel: TextField;
  readonly #target: TextField;
  readonly #key: TextField;
  readonly #test: HTMLButtonElement;
  readonly #answer: HTMLElement = h("p", { "class": "answer", role: "status" });
  #draft: UrlDraft | null = null;

  /**
   * The fields.
   *
   * @param context of the page
   * @param changed is called after each change of the draft
   */
  constructor(context: Context, changed: () => void) {
    this.#context = context;
    const change = (part: "tunnel" | "targets" | "key") => (value: string): void => {
      if (this.#draft !== null) this.#draft[part] = value;
      setText(this.#answer, "");
      changed();
    };
    const make = h(
      "button",
      { type: "button", "class": "button", onclick: () => change("key")(freshKey()) },
      "Generate",
    );
    const reveal = h("button", {
      type: "button",
      "class": "icon-button",
      "aria-label": "Show tunnel key",
      "aria-pressed": "false",
      onclick: () => {
        const shown = this.#key.input.type === "text";
        this.#key.input.type = shown ? "password" : "text";
        reveal.setAttribute("aria-pressed", String(!shown));
      },
    }, icon("eye"));
    this.#test = h("button", { type: "button", "class": "button", onclick: () => void this.#try() }, "Test");
    this.#tunnel = new TextField("tunnel", change("tunnel"));
    this.#target = new TextField("target", change("targets"), this.#test);
    this.#key = new TextField(
      "key",
      change("key"),
      reveal,
      copyButton(() => this.#draft?.key ?? "", "Copy tunnel key"),
      make,
    );
    this.#key.input.type = "password";
    this.#key.input.autocomplete = "off";
    this.element = h(
      "div",
      { "class": "addresses" },
      this.#tunnel.element,
      this.#target.element,
      this.#answer,
      this.#key.element,
    );
  }

  /** The keyboard goes to the first field. */
  focus(): void {
    this.#tunnel.input.focus();
  }

  /** Shows the draft and what is wrong with it; empty fields are no fault before one wants to save. */
  show(draft: UrlDraft, direction: Direction, { findings }: Verdict, tried: boolean): void {
    this.#draft = draft;
    const finding = (start: string, empty: boolean): string | null =>
      empty && !tried ? null : findings.find((text) => text.startsWith(start)) ?? null;
    const [label, hint, example] = tunnelTexts[draft.kind];
    this.#tunnel.input.placeholder = example;
    this.#tunnel.show(draft.tunnel, label, hint, finding("Tunnel address ", draft.tunnel === ""));
    const { target } = direction;
    this.#target.input.placeholder = target.example;
    this.#target.show(draft.targets, target.label, target.hint, finding("Target address ", draft.targets === ""));
    this.#test.hidden = !target.dialled;
    this.#key.element.hidden = draft.kind === "forwarder" && draft.key === "";
    this.#key.show(
      draft.key,
      "Tunnel key",
      draft.kind === "server"
        ? "The secret that both ends share. Generate one here, then copy it to the client."
        : "The same secret as at the server.",
      finding("Tunnel key ", draft.key === ""),
    );
  }

  /** Whether this machine reaches the service, without any tunnel. */
  async #try(): Promise<void> {
    const target = this.#draft?.targets.split(",")[0]?.trim() ?? "";
    if (target === "") return setText(this.#answer, "Enter the address of the service first.");
    setText(this.#answer, `Dialling ${target}…`);
    this.#test.disabled = true;
    try {
      const { connected, latency, error } = await this.#context.api.tcping(target);
      const text = connected
        ? `This machine reaches ${target} in ${latency} ms.`
        : `This machine does not reach ${target}: ${error ?? "no answer"}`;
      setText(this.#answer, text);
    } catch (error) {
      setText(this.#answer, textOf(error));
    } finally {
      this.#test.disabled = false;
    }
  }
}

function freshKey(): string {
  return formatGeneratedKey(crypto.getRandomValues(new Uint8Array(32)));
}
