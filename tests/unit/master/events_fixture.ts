/**
 * Instances, readers and hubs for tests of events.
 *
 * @module
 */
import type { FrameSink } from "../../../src/master/events/types.ts";
import { Hub } from "../../../src/master/events/hub.ts";
import { API_KEY_ID, EMPTY_META, type InstanceView } from "../../../src/master/instance.ts";
import { FakeClock } from "../../fake_clock.ts";

/** An instance as the API shows it. */
export function view(id: string, change: Partial<InstanceView> = {}): InstanceView {
  return {
    id,
    alias: "",
    type: "server",
    status: "running",
    url: "server://k@127.0.0.1:1/127.0.0.1:2",
    config: "server://k@127.0.0.1:1/127.0.0.1:2?log=info",
    restart: true,
    meta: EMPTY_META,
    mode: 0,
    ping: 0,
    pool: 0,
    tcps: 0,
    udps: 0,
    tcprx: 0,
    tcptx: 0,
    udprx: 0,
    udptx: 0,
    ...change,
  };
}

/** The pseudo instance with the API key. */
export function keyView(): InstanceView {
  return view(API_KEY_ID, {
    type: "",
    status: "",
    url: "0123456789abcdef0123456789abcdef",
    config: "f378ec6f25ae10fa",
  });
}

/** Data of an event. */
export interface Data {
  readonly type: string;
  readonly time: string;
  readonly instance: InstanceView | null;
  readonly logs: string;
}

/** One frame, taken apart. */
export interface Frame {
  readonly id: string | null;
  readonly event: string | null;
  readonly data: Data;
}

/** A reader that takes frames as the test says. */
export class FakeSink implements FrameSink {
  readonly frames: string[] = [];
  ended = false;
  broken = false;
  /** Frames that it takes until it is behind. */
  room: number;
  #drain: (() => void) | null = null;
  #closed: (() => void)[] = [];

  constructor(room: number = Infinity) {
    this.room = room;
  }

  write(frame: string): boolean {
    this.frames.push(frame);
    return --this.room > 0;
  }

  whenWritable(run: () => void): void {
    this.#drain = run;
  }

  end(): void {
    this.ended = true;
    this.close();
  }

  break(): void {
    this.broken = true;
    this.close();
  }

  onClose(run: () => void): void {
    this.#closed.push(run);
  }

  /** The connection is gone. */
  close(): void {
    for (const run of this.#closed.splice(0)) run();
  }

  /** It takes so many frames more. */
  take(count: number = Infinity): void {
    this.room = count;
    const drain = this.#drain;
    this.#drain = null;
    drain?.();
  }

  /** All events, without the first words. */
  get events(): Frame[] {
    return this.frames.filter((frame) => !frame.startsWith("retry:")).map(parseFrame);
  }

  /** What happened to whom, for short. */
  get story(): string[] {
    return this.events.map(({ data: { type, instance, logs } }) =>
      [type, instance?.id, logs].filter((word) => word !== undefined && word !== "").join(" ")
    );
  }
}

/** Takes one frame apart. */
export function parseFrame(frame: string): Frame {
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(frame)?.[1] ?? null;
  return { id: field("id"), event: field("event"), data: JSON.parse(field("data") ?? "null") };
}

/** A hub over a list of instances that the test changes. */
export function hubOf(
  instances: InstanceView[],
  run: number = 7,
): { readonly hub: Hub; readonly clock: FakeClock; readonly instances: InstanceView[] } {
  const clock = new FakeClock(Date.UTC(2026, 0, 1));
  const source = {
    list: () => instances,
    get: (id: string) => instances.find((instance) => instance.id === id) ?? null,
  };
  return { hub: new Hub({ clock, run, instances: source }), clock, instances };
}
