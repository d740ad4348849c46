/**
 * The bar at the top: whose master this is, whether its events arrive, and what concerns all of it.
 *
 * @module
 */
import { type Info, textOf } from "./api.ts";
import type { Context } from "./context.ts";
import { askText, confirm, showShortcuts } from "./dialogs.ts";
import { fill, freshId, h, setAttribute, setText } from "./dom.ts";
import type { StreamState } from "./event_stream.ts";
import { icon, mark } from "./icons.ts";
import { applyTheme, nextTheme, storedTheme, type Theme } from "./theme.ts";

const stateTexts: Readonly<Record<StreamState, string>> = {
  connecting: "Connecting",
  live: "Live",
  waiting: "Reconnecting",
};
const themeTexts: Readonly<Record<Theme, string>> = { auto: "as the system", light: "light", dark: "dark" };
const themeIcons = { auto: "auto", light: "sun", dark: "moon" } as const;

/** The bar. */
export class HeaderView {
  readonly element: HTMLElement;
  readonly #context: Context;
  readonly #name: HTMLElement;
  readonly #live: HTMLElement;
  readonly #liveText: HTMLElement;
  #alias = "";

  /**
   * The bar.
   *
   * @param context of the page
   */
  constructor(context: Context) {
    this.#context = context;
    this.#name = h("span", { "class": "master-name" });
    this.#liveText = h("span", {});
    this.#live = h(
      "span",
      { "class": "live", role: "status", "data-state": "connecting" },
      h("span", { "class": "live-dot", "aria-hidden": "true" }),
      this.#liveText,
    );
    const rename = h(
      "button",
      { type: "button", "class": "name-button", title: "Rename this master", onclick: () => void this.#rename() },
      this.#name,
      icon("edit"),
      h("span", { "class": "unseen" }, " Rename this master"),
    );
    this.element = h(
      "header",
      { "class": "header" },
      h("a", { "class": "brand", href: "#/", "aria-label": "NodePass, all tunnels" }, mark(), h("b", {}, "NodePass")),
      rename,
      this.#live,
      h("div", { "class": "spacer" }),
      themeButton(),
      this.#menu(),
    );
  }

  /** Shows the name of the master. */
  showInfo(info: Info): void {
    this.#alias = info.alias;
    setText(this.#name, info.alias || info.name || "This master");
    document.title = `${info.alias || info.name || "Master"} · NodePass`;
  }

  /** Shows whether events arrive. */
  showState(state: StreamState): void {
    setAttribute(this.#live, "data-state", state);
    setText(this.#liveText, stateTexts[state]);
  }

  #menu(): HTMLElement {
    const id = freshId("menu");
    const item = (picture: Parameters<typeof icon>[0], text: string, run: () => void): HTMLElement =>
      h(
        "button",
        {
          type: "button",
          "class": "menu-item",
          onclick: () => {
            menu.hidePopover();
            run();
          },
        },
        icon(picture),
        text,
      );
    const menu = h(
      "div",
      { id, "class": "menu", popover: "auto" },
      item("key", "New API key…", () => void this.#rotate()),
      h(
        "a",
        { "class": "menu-item", href: "v1/docs", target: "_blank", rel: "noreferrer" },
        icon("book"),
        "API documentation",
      ),
      item("spark", "Keyboard", showShortcuts),
      item("leave", "Sign out", () => this.#context.signOut()),
    );
    return h(
      "div",
      { "class": "menu-place" },
      h(
        "button",
        { type: "button", "class": "icon-button", popovertarget: id, "aria-label": "Menu", title: "Menu" },
        icon("dots"),
      ),
      menu,
    );
  }

  async #rename(): Promise<void> {
    const alias = await askText({
      title: "Rename this master",
      text: "The name shows here and to every program that uses the API.",
      action: "Rename",
      label: "Name",
      value: this.#alias,
    });
    if (alias === null || alias === "" || alias === this.#alias) return;
    try {
      this.showInfo(await this.#context.api.rename(alias));
    } catch (error) {
      this.#context.notices.failed(`Cannot rename this master: ${textOf(error)}`);
    }
  }

  async #rotate(): Promise<void> {
    const wanted = await confirm({
      title: "Make a new API key?",
      text:
        "The present key stops working at once, for every program and every other browser that uses it. Tunnels keep running.",
      action: "Make a new key",
      danger: true,
    });
    if (wanted) await this.#context.rotateKey();
  }
}

function themeButton(): HTMLElement {
  let theme = storedTheme();
  const button = h("button", {
    type: "button",
    "class": "icon-button",
    onclick: () => {
      theme = nextTheme(theme);
      applyTheme(theme);
      show();
    },
  });
  const show = (): void => {
    const text = `Colours: ${themeTexts[theme]}`;
    fill(button, icon(themeIcons[theme]));
    setAttribute(button, "aria-label", text);
    setAttribute(button, "title", text);
  };
  show();
  return button;
}
