/**
 * A reader of events that checks that none is missing, over any number of connections.
 *
 * @module
 */

/** See the module. */
export class EventFollower {
  /** Milliseconds from an event to its arrival; both by the clock of this machine. */
  readonly delays: number[] = [];
  /** Events whose number was skipped. */
  lost = 0;
  /** How often it was told that it came back too late. */
  lagged = 0;
  readonly #url: string;
  readonly #key: string;
  #lastId: string | null = null;
  #reader: ReadableStreamDefaultReader<Uint8Array> | null = null;
  #reading: Promise<void> = Promise.resolve();

  constructor(url: string, key: string) {
    this.#url = url;
    this.#key = key;
  }

  /** Reads on from where it was. Resolves with the head of the answer. */
  async open(): Promise<void> {
    const headers = { "X-API-Key": this.#key, ...(this.#lastId === null ? {} : { "Last-Event-ID": this.#lastId }) };
    const response = await fetch(this.#url, { headers });
    if (response.status !== 200) throw new Error(`The events were refused with ${response.status}`);
    const opened = Date.now();
    this.#reader = response.body!.getReader();
    this.#reading = this.#read(this.#reader, opened).catch(() => {});
  }

  /** Goes away. */
  async close(): Promise<void> {
    // Not through a signal: on Deno it was seen to leave an answer open on which much arrives.
    await this.#reader?.cancel().catch(() => {});
    await this.#reading;
  }

  /** Forgets what it measured. */
  reset(): void {
    this.delays.length = 0;
    this.lost = this.lagged = 0;
  }

  async #read(reader: ReadableStreamDefaultReader<Uint8Array>, opened: number): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      const frames = (rest + decoder.decode(read.value, { stream: true })).split("\n\n");
      rest = frames.pop()!;
      for (const frame of frames) this.#take(frame, opened);
    }
  }

  #take(frame: string, opened: number): void {
    if (frame.startsWith("event: lagged")) {
      this.lagged++;
      this.lost++;
    }
    const id = /^id: (.+)$/m.exec(frame)?.[1];
    if (id === undefined) return;
    const n = Number(id.split("-")[1]);
    const initial = frame.includes('data: {"type":"initial"');
    // The number of an initial is that of the event before it.
    if (this.#lastId !== null && !initial) this.lost += n - Number(this.#lastId.split("-")[1]) - 1;
    this.#lastId = id;
    const time = Date.parse(/"time":"([^"]+)"/.exec(frame)?.[1] ?? "");
    // What it missed is old by nature.
    if (!initial && time >= opened) this.delays.push(Date.now() - time);
  }
}
