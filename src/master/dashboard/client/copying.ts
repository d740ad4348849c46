/**
 * Text to the clipboard.
 *
 * @module
 */
import { h, setAttribute } from "./dom.ts";
import { icon } from "./icons.ts";

/** A button that copies a text and says so for a moment. */
export function copyButton(text: () => string, label: string): HTMLButtonElement {
  const button = h(
    "button",
    { type: "button", "class": "icon-button", "aria-label": label, title: label, onclick: () => void run() },
    icon("copy"),
  );
  const run = async (): Promise<void> => {
    const copied = await copy(text());
    button.replaceChildren(icon(copied ? "check" : "alert"));
    setAttribute(button, "aria-label", copied ? "Copied" : "The browser refused to copy");
    setTimeout(() => {
      button.replaceChildren(icon("copy"));
      setAttribute(button, "aria-label", label);
    }, 1500);
  };
  return button;
}

/** The clipboard of a page that did not come over TLS is the old one. */
async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = h("textarea", { "class": "unseen", "aria-hidden": "true", tabindex: -1 });
    area.value = text;
    (document.querySelector("dialog[open]:last-of-type") ?? document.body).append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    return copied;
  }
}
