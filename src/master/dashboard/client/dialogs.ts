/**
 * Questions in front of the page. The element of the browser keeps the focus inside and gives it back afterwards.
 *
 * @module
 */
import { type Child, fill, freshId, h } from "./dom.ts";
import { copyButton } from "./copying.ts";

/** A question. */
export interface Question {
  readonly title: string;
  readonly text: string;
  /** What the button says that goes on. */
  readonly action: string;
  /** Whether something is lost. */
  readonly danger?: boolean;
}

/** An open dialog with a title; closing removes it. */
export function openDialog(title: string, kind: string, ...children: Child[]): HTMLDialogElement {
  const id = freshId("title");
  const dialog = h("dialog", { "class": `dialog ${kind}`, "aria-labelledby": id }, h("h2", { id }, title), ...children);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Whether somebody wants it. */
export function confirm(question: Question): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = h("button", { type: "button", "class": "button", onclick: () => dialog.close("no") }, "Cancel");
    const go = h(
      "button",
      {
        type: "button",
        "class": `button ${question.danger ? "button-danger" : "button-primary"}`,
        onclick: () => dialog.close("yes"),
      },
      question.action,
    );
    const dialog = openDialog(
      question.title,
      "dialog-small",
      h("p", {}, question.text),
      h("div", { "class": "dialog-actions" }, cancel, go),
    );
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"));
    cancel.focus();
  });
}

/** Asks for a line of text; null when nobody gives one. */
export function askText(
  question: Question & { readonly label: string; readonly value: string },
): Promise<string | null> {
  return new Promise((resolve) => {
    const id = freshId("text");
    const input = h("input", { id, type: "text", maxlength: 256, autocomplete: "off", value: question.value });
    const cancel = h("button", { type: "button", "class": "button", onclick: () => dialog.close("no") }, "Cancel");
    const form = h(
      "form",
      {
        onsubmit: (event) => {
          event.preventDefault();
          dialog.close("yes");
        },
      },
      h("div", { "class": "field" }, h("label", { "for": id }, question.label), input),
      h(
        "div",
        { "class": "dialog-actions" },
        cancel,
        h("button", { type: "submit", "class": "button button-primary" }, question.action),
      ),
    );
    const dialog = openDialog(question.title, "dialog-small", h("p", {}, question.text), form);
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes" ? input.value.trim() : null));
    input.select();
  });
}

/** Shows a secret once, with a button that copies it. */
export function showSecret(title: string, text: string, secret: string): Promise<void> {
  return new Promise((resolve) => {
    const close = h(
      "button",
      { type: "button", "class": "button button-primary", onclick: () => dialog.close() },
      "Done",
    );
    const dialog = openDialog(
      title,
      "dialog-small",
      h("p", {}, text),
      h("div", { "class": "secret" }, h("code", {}, secret), copyButton(() => secret, "Copy key")),
      h("div", { "class": "dialog-actions" }, close),
    );
    dialog.addEventListener("close", () => resolve());
  });
}

/** The keys that work everywhere. */
export function showShortcuts(): void {
  const rows: readonly (readonly [string, string])[] = [
    ["N", "New tunnel"],
    ["/", "Search"],
    ["↑ ↓", "Move through the list"],
    ["Enter", "Open the tunnel"],
    ["Esc", "Close what is open"],
    ["?", "This list"],
  ];
  const close = h(
    "button",
    { type: "button", "class": "button button-primary", onclick: () => dialog.close() },
    "Done",
  );
  const list = h("dl", { "class": "shortcuts" });
  fill(list, ...rows.flatMap(([keys, text]) => [h("dt", {}, h("kbd", {}, keys)), h("dd", {}, text)]));
  const dialog = openDialog("Keyboard", "dialog-small", list, h("div", { "class": "dialog-actions" }, close));
}
