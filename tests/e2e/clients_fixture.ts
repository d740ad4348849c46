/**
 * A master for the tests of its clients, and a reader of events that works as theirs do.
 *
 * @module
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path/posix";
import type { InstanceView } from "../../src/master/instance.ts";
import type { EventType } from "../../src/master/events/types.ts";
import { openApiDocument } from "../../src/master/openapi/document.ts";
import { detectRuntime } from "../../src/runtime/detect.ts";
import type { Runtime } from "../../src/runtime/types.ts";
import { type MasterHandle, startMaster } from "../../src/start/master.ts";
import { type CheckedApi, checkedApi } from "./checked_api.ts";
import { test } from "../harness.ts";
import { DocumentCheck } from "./document_check.ts";

/** A running master with an empty state. */
export interface TestMaster {
  readonly handle: MasterHandle;
  /** Base of the API: `http://127.0.0.1:port/api/v1`. */
  readonly base: string;
  readonly key: string;
  readonly api: CheckedApi;
  /** Opens the event stream; it is closed at the end of the test. */
  events(headers?: Readonly<Record<string, string>>): Promise<EventReader>;
}

/** Registers a test with a master whose instances run in this program. */
export function masterTest(
  name: string,
  run: (master: TestMaster) => Promise<void>,
  env: Readonly<Record<string, string>> = {},
): void {
  test(name, async () => {
    const directory = await mkdtemp(join(tmpdir(), "nodepass-clients-"));
    const readers: EventReader[] = [];
    const handle = await startMaster("master://127.0.0.1:0", { stateDir: directory, runtime: await runtimeWith(env) });
    const base = `http://127.0.0.1:${handle.addr.port}/api/v1`;
    const key = handle.key.reveal();
    const events: TestMaster["events"] = async (headers = {}) => {
      const reader = await EventReader.open(base, key, headers);
      readers.push(reader);
      return reader;
    };
    try {
      await run({ handle, base, key, api: checkedApi(base, key), events });
    } finally {
      await Promise.all(readers.map((reader) => reader.close()));
      await handle.close({ graceMs: 0 });
      await rm(directory, { recursive: true, force: true });
    }
  });
}

/** The runtime of this program with other variables. */
async function runtimeWith(variables: Readonly<Record<string, string>>): Promise<Runtime> {
  const runtime = await detectRuntime();
  const env = (name: string): string | undefined => variables[name] ?? runtime.process.env(name);
  const process = Object.create(runtime.process, { env: { value: env } });
  return Object.create(runtime, { process: { value: process } });
}

/** One event as a client decodes it. */
export interface ClientEvent {
  readonly type: EventType;
  readonly time: string;
  readonly instance: InstanceView | null;
  readonly logs: string;
}

/** Events as they come, read the way a page does: cut at empty lines, two expressions for the rest. */
export class EventReader {
  /** The answer with the stream. */
  readonly response: Response;
  /** Everything before the first event. */
  preamble = "";
  /** Events so far. */
  readonly events: ClientEvent[] = [];
  /** Names of all frames so far. */
  readonly names: string[] = [];
  /** Milliseconds from the call to the first byte. */
  firstByteMs: number = NaN;
  /** True once the stream came to a clean end. */
  ended = false;
  readonly #abort: AbortController;
  readonly #pump: Promise<void>;
  readonly #check: DocumentCheck = new DocumentCheck(openApiDocument("/api"));
  #failure: unknown = null;
  #wake: () => void = () => {};

  private constructor(response: Response, abort: AbortController, startedAt: number) {
    this.response = response;
    this.#abort = abort;
    this.#pump = this.#read(startedAt).catch((error) => {
      if (!abort.signal.aborted) this.#failure = error;
    }).finally(() => this.#wake());
  }

  /** Opens the stream of a base with a key. */
  static async open(base: string, key: string, headers: Record<string, string> = {}): Promise<EventReader> {
    const abort = new AbortController();
    const startedAt = performance.now();
    const response = await fetch(`${base}/events`, {
      headers: { "X-API-Key": key, Accept: "text/event-stream", "Cache-Control": "no-cache", ...headers },
      signal: abort.signal,
    });
    return new EventReader(response, abort, startedAt);
  }

  /** The first event from number `from` on that fits. */
  async until(fits: (event: ClientEvent) => boolean, from = 0, ms = 15_000): Promise<ClientEvent> {
    const deadline = performance.now() + ms;
    for (let at = from;; at++) {
      while (at >= this.events.length) await this.#more(deadline);
      if (fits(this.events[at]!)) return this.events[at]!;
    }
  }

  /** Waits for the end of the stream. */
  async end(ms = 15_000): Promise<void> {
    const deadline = performance.now() + ms;
    while (!this.ended) await this.#more(deadline);
  }

  /** Gives the stream up. Idempotent. */
  async close(): Promise<void> {
    this.#abort.abort();
    await this.#pump;
  }

  async #more(deadline: number): Promise<void> {
    if (this.#failure !== null) throw this.#failure;
    if (this.ended) throw new Error(`The stream ended after ${this.events.length} events`);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const seen = this.events.map(({ type, instance }) => `${type} ${instance?.id} ${instance?.status}`).join("\n");
    const timer = setTimeout(() => reject(new Error(`No such event:\n${seen}`)), deadline - performance.now());
    this.#wake = resolve;
    await promise.finally(() => clearTimeout(timer));
  }

  async #read(startedAt: number): Promise<void> {
    const reader = this.response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let buffer = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      if (Number.isNaN(this.firstByteMs)) this.firstByteMs = performance.now() - startedAt;
      const frames = (buffer + value).split("\n\n");
      buffer = frames.pop() ?? "";
      for (const frame of frames) this.#take(frame);
      this.#wake();
    }
    this.ended = true;
  }

  #take(frame: string): void {
    const name = /^event: (.+)$/m.exec(frame)?.[1];
    const data = /^data: (.+)$/m.exec(frame)?.[1];
    if (name === undefined || data === undefined) {
      this.preamble += `${frame}\n\n`;
      return;
    }
    this.names.push(name);
    if (name !== "instance") return;
    const event: ClientEvent = JSON.parse(data);
    const problems = this.#check.againstNamed("InstanceEvent", event);
    if (problems.length > 0) throw new Error(`${problems.join("\n")}\n${data}`);
    this.events.push(event);
  }
}

/** A key of the kind that `nodepass keygen` makes: ready at once, where others are stretched first. */
export const KEY = "npk1_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
