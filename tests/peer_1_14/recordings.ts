/**
 * What the Go program said, byte by byte, with both ends on one machine.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { readFile } from "node:fs/promises";
import { signalOf } from "./dialect.ts";

/** Bytes that went one way at one time. */
export interface RecordedChunk {
  readonly from: "client" | "server";
  /** Milliseconds since the start. */
  readonly at: number;
  readonly bytes: Buffer;
}

/** One connection. */
export interface RecordedConnection {
  readonly openedAt: number;
  readonly chunks: readonly RecordedChunk[];
}

/** A tunnel from its start. */
export interface Recording {
  readonly flow: "reverse" | "forward";
  readonly key: string;
  readonly handshake: RecordedConnection;
  readonly control: RecordedConnection;
  /** The others, by the ids that the server gave them. */
  readonly links: ReadonlyMap<string, RecordedConnection>;
  /** Ids in the order in which the connections were opened, the control connection's among them. */
  readonly ids: readonly string[];
}

interface Stored {
  readonly key: string;
  readonly conns: readonly { opened_ms: number; bytes: readonly (readonly ["c>s" | "s>c", number, string])[] }[];
}

/** Reads one. */
export async function readRecording(flow: Recording["flow"]): Promise<Recording> {
  const path = new URL(`../fixtures/wire_1_14/${flow}_tls0.json`, import.meta.url);
  const { key, conns } = JSON.parse(await readFile(path, "utf8")) as Stored;
  const [handshake, ...others] = conns.map(({ opened_ms: openedAt, bytes }): RecordedConnection => ({
    openedAt,
    chunks: bytes.map(([way, at, hex]) => ({
      from: way === "c>s" ? "client" : "server",
      at,
      bytes: Buffer.from(hex, "hex"),
    })),
  }));
  const links = new Map(
    others.map((connection) => [bytesFrom(connection, "server").toString("hex", 0, 4), connection]),
  );
  const ids = [...links.keys()];
  const control = links.get("00000000")!;
  links.delete("00000000");
  return { flow, key, handshake: handshake!, control, links, ids };
}

/** All bytes of one side. */
export function bytesFrom({ chunks }: RecordedConnection, side: RecordedChunk["from"]): Buffer {
  return Buffer.concat(chunks.filter(({ from }) => from === side).map(({ bytes }) => bytes));
}

/** The lines of one side of the control connection, with their ends. */
export function linesFrom({ control }: Recording, side: RecordedChunk["from"]): string[] {
  const text = bytesFrom(control, side).toString("latin1").replace(/^\0{4}/, "");
  return text.match(/[^\n]*\n/g) ?? [];
}

/** The line that announces a visitor, and what it says. */
export function announcements(recording: Recording): { line: string; action: string; remote: string; id: string }[] {
  const side = recording.flow === "reverse" ? "server" : "client";
  return linesFrom(recording, side).flatMap((line) => {
    const { action, remote = "", id = "" } = signalOf(line.trim(), recording.key);
    return id === "" ? [] : [{ line, action, remote, id }];
  });
}
