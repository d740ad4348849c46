/**
 * The log of a tunnel: what is kept of it, then what comes.
 *
 * @module
 */
import { textOf } from "./api.ts";
import type { Context } from "./context.ts";
import { copyButton } from "./copying.ts";
import { freshId, h, setText } from "./dom.ts";
import type { Entry } from "./model.ts";
import type { TabView } from "./panel_view.ts";

const LINES = 500;
const AT_END_PX = 24;
const LEVEL = /\b(DEBUG|INFO|WARN|ERROR|EVENT)\b/i;
// deno-lint-ignore no-control-regex -- log lines may carry the colours of a terminal
const COLOURS = /\x1b\[[0-9;]*m/g;

/** The tab. */
export class LogView implements TabView {
  readonly element: HTMLElement;
  readonly #lines: HTMLElement;
  readonly #note: HTMLElement = h("p", { "class": "hint" }, "Reading…");
  readonly #follow: HTMLInputElement;
  readonly #forget: () => void;
  /** Lines that came before what is kept had arrived. */
  #early: string[] | null = [];

  /**
   * The tab.
   *
   * @param context of the page
   * @param entry whose log
   */
  constructor(context: Context, entry: Entry) {
    const { id } = entry.view;
    const follow = freshId("follow");
    this.#follow = h("input", { id: follow, type: "checkbox", checked: true, onchange: () => this.#toEnd() });
    this.#lines = h("div", { "class": "log", role: "log", "aria-label": "Log lines", tabindex: 0 });
    this.#lines.addEventListener("scroll", () => {
      const { scrollHeight, scrollTop, clientHeight } = this.#lines;
      this.#follow.checked = scrollHeight - scrollTop - clientHeight < AT_END_PX;
    });
    const text = (): string => [...this.#lines.children].map((line) => line.textContent).join("\n");
    this.element = h(
      "div",
      { "class": "log-place" },
      h(
        "div",
        { "class": "log-head" },
        this.#note,
        h("span", { "class": "spacer" }),
        h("label", { "class": "follow", "for": follow }, this.#follow, "Follow"),
        copyButton(text, "Copy log"),
      ),
      this.#lines,
    );
    this.#forget = context.model.listenToLogs((from, line) => {
      if (from !== id) return;
      if (this.#early === null) this.#add([line]);
      else this.#early.push(line);
    });
    void this.#read(context, id);
  }

  /** The log is told by itself. */
  show(_entry: Entry): void {}

  /** Stops listening. */
  close(): void {
    this.#forget();
  }

  async #read(context: Context, id: string): Promise<void> {
    try {
      const kept = await context.api.logs(id, LINES);
      const early = this.#early ?? [];
      const known = new Set(kept);
      this.#add([...kept, ...early.filter((line) => !known.has(line))]);
      this.#early = null;
    } catch (error) {
      setText(this.#note, `Cannot read the log: ${textOf(error)}`);
    }
  }

  #add(lines: readonly string[]): void {
    for (const line of lines) {
      const text = line.replace(COLOURS, "");
      const level = LEVEL.exec(text)?.[1]?.toLowerCase() ?? "info";
      this.#lines.append(h("p", { "data-level": level }, text));
    }
    while (this.#lines.childElementCount > LINES) this.#lines.firstElementChild?.remove();
    const count = this.#lines.childElementCount;
    setText(this.#note, count === 0 ? "Nothing yet. New lines appear by themselves." : `Live, last ${count} lines`);
    this.#toEnd();
  }

  #toEnd(): void {
    if (this.#follow.checked) this.#lines.scrollTop = this.#lines.scrollHeight;
  }
}
