/**
 * The events of the master for as long as somebody is signed in: connects, reads, connects again.
 *
 * @module
 */
import type { InstanceView } from "../../instance.ts";
import type { Api } from "./api.ts";
import { ApiFailure } from "./api.ts";
import { FrameParser } from "./frame_parser.ts";

/** One event. */
export interface MasterEvent {
  readonly type: "initial" | "create" | "update" | "delete" | "shutdown" | "log";
  readonly time: string;
  readonly instance: InstanceView | null;
  readonly logs: string;
}

/** `live`: events arrive. `waiting`: the next attempt comes by itself. */
export type StreamState = "connecting" | "live" | "waiting";

/** Who listens. */
export interface StreamListener {
  state(state: StreamState): void;
  /** A new connection stands, or events were missed: what is known may be out of date. */
  opened(): void;
  event(event: MasterEvent): void;
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;
/** Every running instance is heard of every few seconds, but there may be none: then the master is asked again. */
const SILENCE_MS = 90_000;

/** The stream. */
export class EventStream {
  readonly #api: Api;
  readonly #listener: StreamListener;
  #lastId: string | null = null;
  #current: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #watch: ReturnType<typeof setTimeout> | undefined;
  #pause = FIRST_PAUSE_MS;
  #closed = false;

  /**
   * Connects at once.
   *
   * @param api the master
   * @param listener is told
   */
  constructor(api: Api, listener: StreamListener) {
    this.#api = api;
    this.#listener = listener;
    void this.#run();
  }

  /** The end: nothing is told any more. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#watch);
    this.#current?.abort();
  }

  /** Connects now instead of after the pause. */
  hurry(): void {
    if (this.#closed || this.#current !== null) return;
    clearTimeout(this.#timer);
    this.#pause = FIRST_PAUSE_MS;
    void this.#run();
  }

  async #run(): Promise<void> {
    const current = new AbortController();
    this.#current = current;
    this.#listener.state("connecting");
    try {
      const response = await this.#api.events(this.#lastId, current.signal);
      if (this.#closed) return;
      this.#listener.state("live");
      this.#listener.opened();
      await this.#read(response, current);
    } catch (error) {
      // The key is not taken any more: whoever holds it has been told.
      if (error instanceof ApiFailure && error.status === 401) this.#closed = true;
    } finally {
      clearTimeout(this.#watch);
      current.abort();
      this.#current = null;
    }
    if (this.#closed) return;
    this.#listener.state("waiting");
    this.#timer = setTimeout(() => void this.#run(), this.#pause * (0.75 + Math.random() / 2));
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE_MS);
  }

  async #read(response: Response, current: AbortController): Promise<void> {
    const reader = response.body?.getReader();
    if (reader === undefined) return;
    const decoder = new TextDecoder();
    const parser = new FrameParser();
    while (true) {
      clearTimeout(this.#watch);
      this.#watch = setTimeout(() => current.abort(), SILENCE_MS);
      const { done, value } = await reader.read();
      if (done || this.#closed) return;
      for (const frame of parser.push(decoder.decode(value, { stream: true }))) {
        if (frame.id !== null) this.#lastId = frame.id;
        // More was missed than the master remembers.
        if (frame.event === "lagged") this.#listener.opened();
        if (frame.event !== "instance") continue;
        this.#pause = FIRST_PAUSE_MS;
        this.#listener.event(JSON.parse(frame.data) as MasterEvent);
      }
    }
  }
}
