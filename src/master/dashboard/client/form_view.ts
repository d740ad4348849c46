/**
 * The form that makes or changes a tunnel: explains while one fills it in, shows the URL as it grows.
 *
 * @module
 */
import type { InstanceView } from "../../instance.ts";
import { textOf } from "./api.ts";
import type { Context } from "./context.ts";
import { confirm } from "./dialogs.ts";
import { fill, freshId, h, setText } from "./dom.ts";
import { type Direction, directions, groups, groupTexts } from "./field_guide.ts";
import { fieldsOf } from "./field_guide.ts";
import { AddressFields } from "./form_addresses.ts";
import { DirectionPicker, KindPicker } from "./form_pickers.ts";
import { ParameterField } from "./form_parameter.ts";
import { UrlPreview } from "./form_preview.ts";
import { icon } from "./icons.ts";
import { nameOf } from "./naming.ts";
import { emptyDraft, judge, type Kind, readDraft, type UrlDraft, type Verdict, writeUrl } from "./url_draft.ts";

/** Opens the form; `view` is what it changes, null for a new tunnel. `closed` is told where to go afterwards. */
export function openForm(context: Context, view: InstanceView | null, closed: (id: string | null) => void): Form {
  return new Form(context, view, closed);
}

/** The open form. */
export class Form {
  readonly #context: Context;
  readonly #view: InstanceView | null;
  readonly #dialog: HTMLDialogElement;
  readonly #name: HTMLInputElement;
  readonly #kinds: KindPicker;
  readonly #directions: DirectionPicker;
  readonly #addresses: AddressFields;
  readonly #sections: HTMLElement = h("div", { "class": "sections" });
  readonly #preview: UrlPreview;
  readonly #problem: HTMLElement = h("p", { "class": "form-problem", role: "alert" });
  readonly #submit: HTMLButtonElement;
  #fields = new Map<string, ParameterField>();
  #draft: UrlDraft;
  #direction: Direction;
  /** Findings about what nobody has filled in yet are no news. */
  #tried = false;
  #result: string | null = null;

  constructor(context: Context, view: InstanceView | null, closed: (id: string | null) => void) {
    this.#context = context;
    this.#view = view;
    this.#draft = (view === null ? null : readDraft(view.url)) ?? emptyDraft("server");
    this.#direction = directionOf(this.#draft);
    if (view === null) this.#useDirection();
    const title = freshId("form");
    const name = freshId("name");
    this.#name = h("input", { id: name, type: "text", maxlength: 256, autocomplete: "off", value: view?.alias ?? "" });
    this.#kinds = new KindPicker((kind) => this.#changeKind(kind));
    this.#directions = new DirectionPicker((direction) => {
      this.#direction = direction;
      this.#useDirection();
      this.#show();
    });
    this.#addresses = new AddressFields(context, () => this.#show());
    this.#preview = new UrlPreview((url) => this.#readUrl(url));
    this.#submit = h(
      "button",
      { type: "submit", "class": "button button-primary" },
      view === null ? "Create and start" : "Save",
    );
    const form = h(
      "form",
      {
        "class": "sheet-form",
        novalidate: true,
        onsubmit: (event) => {
          event.preventDefault();
          void this.#send();
        },
      },
      h(
        "div",
        { "class": "sheet-head" },
        h("h2", { id: title }, view === null ? "New tunnel" : `Edit ${nameOf(view)}`),
        h(
          "button",
          { type: "button", "class": "icon-button", "aria-label": "Close", onclick: () => void this.#leave() },
          icon("close"),
        ),
      ),
      h(
        "div",
        { "class": "sheet-body" },
        this.#kinds.element,
        this.#directions.element,
        h(
          "div",
          { "class": "field" },
          h("label", { "for": name }, "Name ", h("span", { "class": "optional" }, "optional")),
          this.#name,
        ),
        this.#addresses.element,
        h("h3", { "class": "sections-title" }, "Fine tuning"),
        h("p", { "class": "hint" }, "Everything here has a default that suits most tunnels."),
        this.#sections,
      ),
      h(
        "div",
        { "class": "sheet-foot" },
        this.#preview.element,
        this.#problem,
        h(
          "div",
          { "class": "sheet-actions" },
          view === null
            ? null
            : h("p", { "class": "hint" }, "Saving another URL restarts the tunnel; live sessions drain."),
          h("button", { type: "button", "class": "button", onclick: () => void this.#leave() }, "Cancel"),
          this.#submit,
        ),
      ),
    );
    this.#dialog = h("dialog", { "class": "sheet", "aria-labelledby": title }, form);
    this.#dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      void this.#leave();
    });
    this.#dialog.addEventListener("close", () => {
      this.#dialog.remove();
      closed(this.#result);
    });
    document.body.append(this.#dialog);
    this.#placeFields();
    this.#show();
    this.#dialog.showModal();
    // On a small screen the first address is far down, and a keyboard would cover the rest.
    if (!matchMedia("(max-width: 780px)").matches) this.#addresses.focus();
  }

  /** Closes without a word: one went elsewhere. */
  close(): void {
    this.#dialog.close();
  }

  #changeKind(kind: Kind): void {
    this.#draft.kind = kind;
    this.#direction = directions[kind][0] ?? this.#direction;
    this.#useDirection();
    this.#placeFields();
    this.#show();
  }

  #useDirection(): void {
    if (this.#direction.mode === "") this.#draft.values.delete("mode");
    else this.#draft.values.set("mode", this.#direction.mode);
  }

  /** Somebody wrote the URL as a text. */
  #readUrl(url: string): boolean {
    const draft = readDraft(url);
    if (draft === null) return false;
    this.#draft = draft;
    this.#direction = directionOf(draft);
    this.#placeFields();
    this.#show();
    return true;
  }

  #placeFields(): void {
    this.#fields = new Map();
    const open = new Set([...this.#sections.querySelectorAll("details[open]")].map((group) => group.id));
    const sections = groups.flatMap((group) => {
      const fields = fieldsOf(this.#draft.kind, group);
      if (fields.length === 0) return [];
      const elements = fields.map(({ parameter, guide }) => {
        const field = new ParameterField(parameter, guide, (value) => {
          if (value === "") this.#draft.values.delete(parameter.name);
          else this.#draft.values.set(parameter.name, value);
          this.#show();
        });
        this.#fields.set(parameter.name, field);
        return field.element;
      });
      const id = `group-${group.toLowerCase()}`;
      const count = h("span", { "class": "group-count" });
      return h(
        "details",
        { id, "class": "group", open: open.has(id) },
        h("summary", {}, h("b", {}, group), h("span", { "class": "group-text" }, groupTexts[group]), count),
        h("div", { "class": "group-fields" }, ...elements),
      );
    });
    fill(this.#sections, ...sections);
  }

  #show(): void {
    const url = writeUrl(this.#draft);
    const verdict = judge(url);
    this.#kinds.show(this.#draft.kind);
    this.#directions.show(this.#draft.kind, this.#direction);
    this.#addresses.show(this.#draft, this.#direction, verdict, this.#tried);
    for (const [name, field] of this.#fields) {
      const finding = verdict.findings.find((text) => text.startsWith(`Parameter "${name}" `)) ?? null;
      field.show(this.#draft.values.get(name) ?? "", finding);
    }
    for (const group of this.#sections.children) {
      const count = [...group.querySelectorAll(".parameter")].filter((field) => field.matches("[data-set]")).length;
      const place = group.querySelector(".group-count");
      if (place !== null) setText(place, count === 0 ? "" : `${count} set`);
    }
    this.#preview.show(url, this.#tried ? verdict : withoutMissing(verdict, this.#draft));
    setText(this.#problem, "");
  }

  async #send(): Promise<void> {
    this.#tried = true;
    this.#show();
    const url = this.#view !== null && sameUrl(this.#view.url, this.#draft) ? this.#view.url : writeUrl(this.#draft);
    if (judge(url).findings.length > 0) {
      const wrong = this.#dialog.querySelector<HTMLElement>("[aria-invalid=true]");
      const closed = wrong?.closest("details");
      if (closed) closed.open = true;
      (wrong ?? this.#preview.element).focus();
      return;
    }
    this.#submit.disabled = true;
    try {
      this.#result = await (this.#view === null ? this.#create(url) : this.#change(this.#view, url));
      this.#dialog.close();
    } catch (error) {
      setText(this.#problem, textOf(error));
    } finally {
      this.#submit.disabled = false;
    }
  }

  async #create(url: string): Promise<string> {
    const view = await this.#context.api.create(url, this.#name.value.trim());
    this.#context.model.put(view);
    this.#context.notices.done(`${nameOf(view)} was created`);
    return view.id;
  }

  async #change(view: InstanceView, url: string): Promise<string> {
    const alias = this.#name.value.trim();
    let latest = view;
    if (alias !== "" && alias !== view.alias) latest = await this.#context.api.change(view.id, { alias });
    if (url !== view.url) latest = await this.#context.api.replaceUrl(view.id, url);
    this.#context.model.put(latest);
    if (latest !== view) this.#context.notices.done(`${nameOf(latest)} was saved`);
    return view.id;
  }

  async #leave(): Promise<void> {
    const before = this.#view;
    const changed = before === null
      ? this.#draft.tunnel !== "" || this.#draft.targets !== ""
      : !sameUrl(before.url, this.#draft) || this.#name.value.trim() !== before.alias;
    const question = { title: "Discard what you entered?", text: "Nothing has been saved.", action: "Discard" };
    if (changed && !await confirm({ ...question, danger: true })) return;
    this.#result = before?.id ?? null;
    this.#dialog.close();
  }
}

/** The direction of a URL. */
function directionOf(draft: UrlDraft): Direction {
  const known = directions[draft.kind];
  const mode = draft.values.get("mode") ?? "";
  const fitting = known.filter((direction) => direction.mode === (mode === "0" ? "" : mode));
  // The URL of a client does not say it: an address without a host is one to listen on.
  const listens = /^(:|0\.0\.0\.0:|\[::\]:)/.test(draft.targets);
  const found = draft.tunnel === "" ? known[0] : fitting.find(({ target }) => target.dialled !== listens) ?? fitting[0];
  return found ?? known[0] as Direction;
}

/** Whether a draft says what a URL says already. */
function sameUrl(url: string, draft: UrlDraft): boolean {
  const before = readDraft(url);
  return before !== null && writeUrl(before) === writeUrl(draft);
}

/** Findings about parts that are still empty wait until somebody wants to save. */
function withoutMissing(verdict: Verdict, draft: UrlDraft): Verdict {
  const findings = verdict.findings.filter((text) =>
    !(draft.tunnel === "" && text.startsWith("Tunnel address ")) &&
    !(draft.targets === "" && text.startsWith("Target address "))
  );
  return { findings, warnings: draft.tunnel === "" ? [] : verdict.warnings };
}
