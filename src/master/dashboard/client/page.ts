/**
 * The page behind the door: puts its parts together and keeps them current.
 *
 * @module
 */
import { API_KEY_ID } from "../../instance.ts";
import { type Api, textOf } from "./api.ts";
import { type Context, hashOf, type Place, placeOf } from "./context.ts";
import { showSecret, showShortcuts } from "./dialogs.ts";
import { fill, h } from "./dom.ts";
import { EventStream, type StreamState } from "./event_stream.ts";
import { type Form, openForm } from "./form_view.ts";
import { GaugesView } from "./gauges_view.ts";
import { HeaderView } from "./header_view.ts";
import { ListView } from "./list_view.ts";
import { Model } from "./model.ts";
import { Notices } from "./notices.ts";
import { PanelView } from "./panel_view.ts";

const INFO_PAUSE_MS = 3000;

/** What the door is told. */
export interface Door {
  signedOut(): void;
  newKey(key: string): void;
}

/** The page. */
export class Page {
  readonly #context: Context;
  readonly #api: Api;
  readonly #door: Door;
  readonly #model = new Model();
  readonly #notices = new Notices();
  readonly #header: HeaderView;
  readonly #gauges = new GaugesView();
  readonly #list: ListView;
  readonly #content: HTMLElement;
  readonly #stop = new AbortController();
  #stream: EventStream;
  #panel: PanelView | null = null;
  #form: Form | null = null;
  #place: Place = { page: "list" };
  #listed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Shows the page.
   *
   * @param place where
   * @param api the master
   * @param door where one goes from here
   */
  constructor(place: Element, api: Api, door: Door) {
    this.#api = api;
    this.#door = door;
    this.#context = {
      api,
      model: this.#model,
      notices: this.#notices,
      go: (to) => this.#go(to),
      rotateKey: () => this.#rotateKey(),
      signOut: () => door.signedOut(),
    };
    this.#header = new HeaderView(this.#context);
    this.#list = new ListView(this.#context);
    this.#content = h("main", { "class": "content" }, this.#gauges.element, this.#list.element);
    fill(place, this.#header.element, h("div", { "class": "stage" }, this.#content), this.#notices.element);
    this.#model.listen({ changed: (ids) => this.#changed(ids) });
    const { signal } = this.#stop;
    addEventListener("hashchange", () => this.#arrive(), { signal });
    addEventListener("keydown", (event) => this.#key(event), { signal });
    document.addEventListener("visibilitychange", () => document.hidden || this.#stream.hurry(), { signal });
    matchMedia("(max-width: 1080px)").addEventListener("change", () => this.#coverList(), { signal });
    this.#stream = this.#connect();
    void this.#askInfo();
    this.#gauges.showTotals(this.#model.totals());
    this.#arrive();
  }

  /** Ends everything that the page began. */
  close(): void {
    this.#stop.abort();
    this.#stream.close();
    clearTimeout(this.#timer);
    this.#panel?.close();
    for (const dialog of document.querySelectorAll("dialog")) dialog.remove();
  }

  #connect(): EventStream {
    return new EventStream(this.#api, {
      state: (state: StreamState) => this.#header.showState(state),
      opened: () => void this.#sync(),
      event: (event) => this.#model.take(event),
    });
  }

  /** What happened while no events arrived. */
  async #sync(): Promise<void> {
    const compare = this.#model.beginSync();
    try {
      compare(await this.#api.instances());
      this.#listed = true;
      this.#list.known();
      this.#arrive();
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#notices.failed(`Cannot list the tunnels: ${textOf(error)}`);
    }
  }

  async #askInfo(): Promise<void> {
    try {
      if (!document.hidden) {
        const info = await this.#api.info();
        this.#header.showInfo(info);
        this.#gauges.showInfo(info);
      }
    } catch {
      // The word beside the name of the master says already that it does not answer.
    }
    if (!this.#stop.signal.aborted) this.#timer = setTimeout(() => void this.#askInfo(), INFO_PAUSE_MS);
  }

  #changed(ids: ReadonlySet<string>): void {
    this.#list.update(ids);
    this.#gauges.showTotals(this.#model.totals());
    const panel = this.#panel;
    if (panel === null || !ids.has(panel.id)) return;
    const entry = this.#model.entries.get(panel.id);
    if (entry !== undefined) panel.show(entry);
    else this.#go({ page: "list" });
  }

  #go(to: Place): void {
    if (hashOf(to) === location.hash) this.#arrive();
    else location.hash = hashOf(to);
  }

  /** Shows what the address says. */
  #arrive(): void {
    const before = this.#place;
    const place = placeOf(location.hash);
    this.#place = place;
    if (place.page === "new" || place.page === "edit") return this.#openForm(place);
    this.#form?.close();
    const entry = place.page === "tunnel" ? this.#model.entries.get(place.id) : undefined;
    if (place.page !== "tunnel" || entry === undefined) {
      this.#closePanel(before);
      // An instance that is not there: the list is, and says so.
      if (place.page === "tunnel" && this.#listed) this.#go({ page: "list" });
      return;
    }
    if (this.#panel?.id !== place.id) {
      this.#panel?.close();
      this.#panel = new PanelView(this.#context, entry);
      this.#content.after(this.#panel.element);
      this.#panel.open(place.tab);
      this.#panel.focus();
    }
    this.#panel.open(place.tab);
    this.#list.select(place.id);
    this.#coverList();
  }

  #closePanel(before: Place): void {
    this.#panel?.close();
    this.#panel = null;
    this.#list.select(null);
    this.#coverList();
    if (before.page === "tunnel") this.#list.focus(before.id);
  }

  /** On a small screen the panel stands in front of the list: the keyboard must not get behind it. */
  #coverList(): void {
    this.#content.inert = this.#panel !== null && matchMedia("(max-width: 1080px)").matches;
  }

  #openForm(place: Place): void {
    if (this.#form !== null) return;
    const entry = place.page === "edit" ? this.#model.entries.get(place.id) : undefined;
    if (place.page === "edit" && entry === undefined) {
      if (this.#listed) this.#go({ page: "list" });
      return;
    }
    this.#form = openForm(this.#context, entry?.view ?? null, (id) => {
      this.#form = null;
      const { page } = placeOf(location.hash);
      if (page !== "new" && page !== "edit") return;
      this.#go(id === null ? { page: "list" } : { page: "tunnel", id, tab: "overview" });
    });
  }

  async #rotateKey(): Promise<void> {
    // What is still asked under the old key is refused, and that is no reason to leave.
    this.#stream.close();
    this.#api.ignoreRefusals(true);
    try {
      const { url } = await this.#api.change(API_KEY_ID, { action: "restart" });
      this.close();
      this.#door.newKey(url);
      await showSecret("The new API key", "It is in use here from now on. Every other program needs it too.", url);
    } catch (error) {
      this.#api.ignoreRefusals(false);
      this.#notices.failed(`Cannot make a new key: ${textOf(error)}`);
      this.#stream = this.#connect();
    }
  }

  #key(event: KeyboardEvent): void {
    const { target } = event;
    const typing = target instanceof Element && target.matches("input, textarea, select");
    if (document.querySelector("dialog[open]") !== null || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      if (typing && target instanceof HTMLInputElement && target.value !== "") return;
      if (this.#panel !== null && document.querySelector(":popover-open") === null) this.#go({ page: "list" });
    } else if (typing) {
      return;
    } else if (event.key === "/") {
      event.preventDefault();
      this.#list.search();
    } else if (event.key === "n") {
      event.preventDefault();
      this.#go({ page: "new" });
    } else if (event.key === "?") {
      showShortcuts();
    }
  }
}
