/**
 * What a tunnel does now and how it is configured.
 *
 * @module
 */
import { parameterNamed } from "../../../config/parameters.ts";
import { redactUrl, splitUrl } from "../../../config/url_text.ts";
import type { InstanceView } from "../../instance.ts";
import { textOf } from "./api.ts";
import type { Context } from "./context.ts";
import { copyButton } from "./copying.ts";
import { fill, freshId, h, setText } from "./dom.ts";
import { fieldGuides } from "./field_guide.ts";
import { formatBytes, formatPing, formatRate } from "./format.ts";
import type { Entry } from "./model.ts";
import { kindOf } from "./naming.ts";
import type { TabView } from "./panel_view.ts";
import { Sparkline } from "./sparkline.ts";
import { clientUrlFor, judge } from "./url_draft.ts";

const numbers = ["Received", "Sent", "TCP sessions", "UDP sessions", "Ready links", "Ping"] as const;

/** The first tab. */
export class OverviewView implements TabView {
  readonly element: HTMLElement;
  readonly #context: Context;
  readonly #spark = new Sparkline(420, 96);
  readonly #top: HTMLElement = h("span", {});
  readonly #now: HTMLElement = h("p", { "class": "chart-now" });
  readonly #numbers = new Map<typeof numbers[number], { readonly value: HTMLElement; readonly note: HTMLElement }>();
  readonly #warnings: HTMLElement = h("div", { "class": "warnings" });
  readonly #url: HTMLElement = h("div", {});
  readonly #restart: HTMLInputElement;
  #view: InstanceView;
  /** What was last drawn: a URL that somebody looks at is not drawn again. */
  #shown: { readonly url: string; readonly config: string; readonly failed: boolean } | null = null;

  /**
   * The tab.
   *
   * @param context of the page
   * @param entry what it shows
   */
  constructor(context: Context, entry: Entry) {
    this.#context = context;
    this.#view = entry.view;
    const grid = h("dl", { "class": "numbers" });
    for (const name of numbers) {
      const value = h("span", { "class": "big-number" });
      const note = h("span", { "class": "number-note" });
      this.#numbers.set(name, { value, note });
      grid.append(h("div", {}, h("dt", {}, name), h("dd", {}, value, note)));
    }
    const id = freshId("restart");
    this.#restart = h("input", {
      id,
      type: "checkbox",
      "class": "switch",
      role: "switch",
      onchange: () => void this.#keep(),
    });
    this.element = h(
      "div",
      { "class": "overview" },
      this.#warnings,
      h(
        "figure",
        { "class": "chart" },
        h("figcaption", {}, "Recent traffic", this.#top),
        this.#spark.element,
        this.#now,
      ),
      grid,
      h(
        "div",
        { "class": "switch-row" },
        h("label", { "for": id }, "Start with the master"),
        this.#restart,
        h("p", { "class": "hint" }, "After a restart of the machine or the master this tunnel comes back by itself."),
      ),
      this.#url,
    );
    this.show(entry);
  }

  /** Shows the latest. */
  show({ view, rates }: Entry): void {
    this.#view = view;
    const running = view.status === "running";
    this.#spark.draw(rates.samples);
    setText(this.#top, rates.samples.length > 1 ? `top ${formatBytes(this.#spark.top)}/s` : "");
    const { rx, tx } = rates.current;
    fill(
      this.#now,
      h("span", { "class": "rate-rx" }, `↓ received ${running ? formatRate(rx) : "–"}`),
      h("span", { "class": "rate-tx" }, `↑ sent ${running ? formatRate(tx) : "–"}`),
    );
    const linked = running && kindOf(view) !== "forwarder";
    this.#number(
      "Received",
      formatBytes(view.tcprx + view.udprx),
      view.udprx > 0 ? `UDP ${formatBytes(view.udprx)}` : "",
    );
    this.#number("Sent", formatBytes(view.tcptx + view.udptx), view.udptx > 0 ? `UDP ${formatBytes(view.udptx)}` : "");
    this.#number("TCP sessions", String(view.tcps), "");
    this.#number("UDP sessions", String(view.udps), "");
    this.#number("Ready links", linked ? String(view.pool) : "–", linked && view.pool === 0 ? "no other end yet" : "");
    this.#number("Ping", linked && view.pool > 0 ? formatPing(view.ping) : "–", "");
    this.#restart.checked = view.restart;
    const failed = view.status === "error";
    if (this.#shown?.url !== view.url || this.#shown.failed !== failed) this.#showWarnings(view);
    if (this.#shown?.url !== view.url || this.#shown.config !== view.config) this.#showUrl(view);
    this.#shown = { url: view.url, config: view.config, failed };
  }

  /** Nothing to end. */
  close(): void {}

  #number(name: typeof numbers[number], value: string, note: string): void {
    const cell = this.#numbers.get(name);
    if (cell === undefined) return;
    setText(cell.value, value);
    setText(cell.note, note);
  }

  #showWarnings(view: InstanceView): void {
    const { warnings } = judge(view.url);
    const failed = view.status === "error"
      ? h(
        "p",
        { "class": "warning warning-bad" },
        "The last run failed. It is tried again by itself; the ",
        h("a", { href: `#/tunnel/${view.id}/log` }, "log"),
        " says why.",
      )
      : null;
    fill(this.#warnings, failed, ...warnings.map((text) => h("p", { "class": "warning" }, text)));
  }

  #showUrl(view: InstanceView): void {
    const host = location.hostname;
    const other = clientUrlFor(view.url, host);
    fill(
      this.#url,
      secretUrl("URL", view.url),
      other === null ? null : secretUrl("URL for a client of this server", other),
      other === null ? null : h(
        "p",
        { "class": "hint" },
        `Check the host, ${host}, and put the client's own service or entrance behind the slash.`,
      ),
      configTable(view),
    );
  }

  async #keep(): Promise<void> {
    const restart = this.#restart.checked;
    try {
      this.#context.model.put(await this.#context.api.change(this.#view.id, { restart }));
      this.#context.notices.done(restart ? "It will start with the master" : "It will not start with the master");
    } catch (error) {
      this.#restart.checked = !restart;
      this.#context.notices.failed(`Cannot change the start: ${textOf(error)}`);
    }
  }
}

/** A URL without its key until somebody wants to see it. */
function secretUrl(title: string, url: string): HTMLElement {
  const code = h("code", { "class": "url-text" }, redactUrl(url));
  const hasKey = redactUrl(url) !== url;
  const reveal = h("button", {
    type: "button",
    "class": "text-button",
    "aria-pressed": "false",
    onclick: () => {
      const shown = code.textContent === url;
      code.textContent = shown ? redactUrl(url) : url;
      reveal.setAttribute("aria-pressed", String(!shown));
    },
  }, "Show key");
  return h(
    "div",
    { "class": "url-box" },
    h(
      "div",
      { "class": "url-head" },
      h("h3", {}, title),
      hasKey ? reveal : null,
      copyButton(() => url, `Copy: ${title}`),
    ),
    code,
  );
}

/** Every parameter that is in force, what it means, and whether the URL sets it. */
function configTable(view: InstanceView): HTMLElement {
  const set = new Set(splitUrl(view.url)?.query.map(({ name }) => name) ?? []);
  const rows = (splitUrl(view.config)?.query ?? []).map(({ name, value }) =>
    h(
      "tr",
      { "class": set.has(name) ? "is-set" : null },
      h("th", { scope: "row" }, fieldGuides[name]?.label ?? parameterNamed(name)?.name ?? name, h("code", {}, name)),
      h("td", {}, h("code", {}, value ?? "")),
      h("td", { "class": "config-origin" }, set.has(name) ? "set" : "default"),
    )
  );
  return h(
    "details",
    { "class": "config" },
    h("summary", {}, "All parameters in force"),
    h("table", {}, h("tbody", {}, ...rows)),
  );
}
