/**
 * The text of events as readers get it.
 *
 * @module
 */
import { API_KEY_ID, type InstanceView } from "../instance.ts";
import { cutText } from "../logs.ts";
import type { EventType } from "./types.ts";

/** A frame is shorter than this, in bytes of UTF-8. */
export const FRAME_BYTES: number = 64 * 1024;

/** Room for everything around the data of a frame. */
const ENVELOPE_BYTES = 128;

/** The first thing that every reader gets. */
export const RETRY_FRAME = "retry: 3000\n\n";

const encoder = new TextEncoder();

/** How many bytes a text takes in UTF-8. */
export function byteLength(text: string): number {
  return encoder.encode(text).length;
}

/** The data of one event: one line of JSON that fits into a frame. */
export function eventData(
  type: EventType | "lagged",
  wallMs: number,
  instance: InstanceView | null,
  logs: string = "",
): string {
  const time = new Date(wallMs).toISOString();
  // The URL of this one is the API key: whoever reads events has it already, and copies of events get around.
  const shown = instance?.id === API_KEY_ID ? { ...instance, url: "" } : instance;
  let text = cutText(logs);
  for (;;) {
    const data = JSON.stringify({ type, time, instance: shown, logs: text });
    const room = FRAME_BYTES - ENVELOPE_BYTES;
    if (data.length * 3 < room || text === "" || byteLength(data) < room) return data;
    // Control characters take six bytes each once they are escaped.
    text = cutText(text, Math.floor(Math.min(byteLength(text), FRAME_BYTES / 4) / 2));
  }
}

/** One event for the wire; without an id it cannot be resumed from. */
export function eventFrame(data: string, id: string | null, name: "instance" | "lagged" = "instance"): string {
  return `${id === null ? "" : `id: ${id}\n`}event: ${name}\ndata: ${data}\n\n`;
}
