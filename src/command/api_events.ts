/**
 * The events of a master, as they come.
 *
 * @module
 */
import { messageOf, NodePassError } from "../errors.ts";
import type { EventType } from "../master/events/types.ts";
import type { InstanceView } from "../master/instance.ts";
import { type ApiClient, refused } from "./api_client.ts";

/** One event of the stream. */
export interface ApiEvent {
  readonly type: EventType | "lagged";
  /** Milliseconds since the epoch, by the master's clock. */
  readonly time: number;
  readonly instance: InstanceView | null;
}

/** Longest event that is kept. */
const FRAME_LIMIT = 1024 * 1024;

/**
 * Calls `onEvent` for each event until the stream ends or the signal aborts.
 *
 * @returns the id of the last event, to resume from
 * @throws {NodePassError} when the stream cannot be had or breaks
 */
export async function followEvents(
  api: ApiClient,
  { signal, lastEventId, onEvent }: {
    readonly signal: AbortSignal;
    readonly lastEventId: string | null;
    readonly onEvent: (event: ApiEvent) => void;
  },
): Promise<string | null> {
  const headers = { Accept: "text/event-stream", ...(lastEventId === null ? {} : { "Last-Event-ID": lastEventId }) };
  const response = await api.open("GET", "/events", { signal, headers });
  if (response.statusCode !== 200) {
    response.destroy();
    throw refused("GET /events", api.name, { status: response.statusCode ?? 0, body: null, date: null, ms: 0 });
  }
  const decoder = new TextDecoder();
  let text = "";
  let id = lastEventId;
  try {
    for await (const chunk of response) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      const frames = text.split("\n\n");
      text = frames.pop() ?? "";
      if (text.length > FRAME_LIMIT) throw new NodePassError("protocol", "an event is longer than 1 MiB");
      for (const frame of frames) id = readFrame(frame, onEvent) ?? id;
    }
  } catch (error) {
    if (!signal.aborted) {
      throw new NodePassError("connection_reset", `Events of ${api.name} broke off: ${messageOf(error)}`, {
        cause: error,
      });
    }
  } finally {
    response.destroy();
  }
  return id;
}

function readFrame(frame: string, onEvent: (event: ApiEvent) => void): string | null {
  const fields = new Map(
    frame.split("\n").map((line) => {
      const colon = line.indexOf(":");
      return colon === -1 ? [line, ""] : [line.slice(0, colon), line.slice(colon + 1).trimStart()];
    }),
  );
  const id = fields.get("id") ?? null;
  if (fields.get("event") === "lagged") onEvent({ type: "lagged", time: NaN, instance: null });
  const data = fields.get("data");
  if (fields.get("event") !== "instance" || data === undefined) return id;
  let value: { type?: unknown; time?: unknown; instance?: unknown };
  try {
    value = JSON.parse(data);
  } catch {
    return id;
  }
  onEvent({
    type: value.type as EventType,
    time: Date.parse(String(value.time)),
    instance: (value.instance ?? null) as InstanceView | null,
  });
  return id;
}
