/**
 * The live sessions of a tunnel.
 *
 * @module
 */
import type { SessionRecord } from "../../../report/types.ts";
import { textOf } from "./api.ts";
import type { Context } from "./context.ts";
import { h, setText } from "./dom.ts";
import { formatBytes, formatSpan } from "./format.ts";
import { icon } from "./icons.ts";
import type { Entry } from "./model.ts";
import type { TabView } from "./panel_view.ts";

const PAUSE_MS = 2000;
const MOST_SHOWN = 500;

/** The tab. */
export class SessionsView implements TabView {
  readonly element: HTMLElement;
  readonly #context: Context;
  readonly #id: string;
  readonly #body: HTMLElement = h("tbody", {});
  readonly #table: HTMLElement;
  readonly #note: HTMLElement = h("p", { "class": "hint", role: "status" }, "Asking…");
  readonly #rows = new Map<string, { readonly element: HTMLElement; show(session: SessionRecord): void }>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  /**
   * The tab; asks every other second.
   *
   * @param context of the page
   * @param entry whose sessions
   */
  constructor(context: Context, entry: Entry) {
    this.#context = context;
    this.#id = entry.view.id;
    const heads = ["Visitor", "Age", "Received", "Sent"].map((text) => h("th", { scope: "col" }, text));
    this.#table = h(
      "table",
      { "class": "sessions" },
      h("caption", { "class": "unseen" }, "Live sessions"),
      h("thead", {}, h("tr", {}, ...heads, h("th", { scope: "col" }, h("span", { "class": "unseen" }, "End")))),
      this.#body,
    );
    this.#table.hidden = true;
    this.element = h("div", { "class": "sessions-place" }, this.#note, this.#table);
    void this.#poll();
  }

  /** The list is asked for, not told. */
  show(_entry: Entry): void {}

  /** Stops asking. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #poll(): Promise<void> {
    try {
      if (!document.hidden) this.#showAll(await this.#context.api.sessions(this.#id));
    } catch (error) {
      setText(this.#note, `Cannot list the sessions: ${textOf(error)}`);
    }
    if (!this.#closed) this.#timer = setTimeout(() => void this.#poll(), PAUSE_MS);
  }

  #showAll(sessions: readonly SessionRecord[]): void {
    const shown = sessions.slice(0, MOST_SHOWN);
    const live = new Set(shown.map(({ id }) => id));
    for (const [id, row] of this.#rows) {
      if (live.has(id)) continue;
      row.element.remove();
      this.#rows.delete(id);
    }
    for (const session of shown) {
      let row = this.#rows.get(session.id);
      if (row === undefined) {
        row = this.#row(session.id);
        this.#rows.set(session.id, row);
        this.#body.append(row.element);
      }
      row.show(session);
    }
    this.#table.hidden = sessions.length === 0;
    const more = sessions.length > MOST_SHOWN ? `, the first ${MOST_SHOWN} are shown` : "";
    setText(
      this.#note,
      sessions.length === 0
        ? "Nobody is connected. Sessions appear here as they come."
        : `${sessions.length} live${more}`,
    );
  }

  #row(id: string): { readonly element: HTMLElement; show(session: SessionRecord): void } {
    const visitor = h("code", {});
    const target = h("span", { "class": "session-target" });
    const [age, received, sent] = [h("td", {}), h("td", {}), h("td", {})];
    const end = h(
      "button",
      { type: "button", "class": "icon-button", onclick: () => void this.#end(id, visitor.textContent ?? "", end) },
      icon("close"),
    );
    const element = h("tr", {}, h("td", {}, visitor, target), age, received, sent, h("td", {}, end));
    return {
      element,
      show(session) {
        setText(visitor, session.visitor || "unknown");
        const way = session.target === "" ? "" : ` → ${session.target}`;
        setText(target, `${session.protocol.toUpperCase()}${way}`);
        setText(age, formatSpan(session.ageMs));
        setText(received, formatBytes(session.rx));
        setText(sent, formatBytes(session.tx));
        end.setAttribute("aria-label", `End session of ${session.visitor}`);
        end.title = "End session";
      },
    };
  }

  async #end(id: string, visitor: string, button: HTMLButtonElement): Promise<void> {
    button.disabled = true;
    try {
      await this.#context.api.endSession(this.#id, id);
      this.#context.notices.done(`The session of ${visitor} was ended`);
      this.#rows.get(id)?.element.remove();
      this.#rows.delete(id);
    } catch (error) {
      button.disabled = false;
      this.#context.notices.failed(`Cannot end the session of ${visitor}: ${textOf(error)}`);
    }
  }
}
