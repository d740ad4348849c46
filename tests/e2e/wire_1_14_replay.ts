/**
 * What both directions of the replay tests need: our end with the ids of the recording, and looks at what it said.
 *
 * @module
 */
import { formatAddress } from "../../src/address/ip.ts";
import { defaultSettings } from "../../src/config/settings.ts";
import { parseTunnelUrl } from "../../src/config/tunnel_url.ts";
import type { Random, SocketAddress } from "../../src/runtime/types.ts";
import { writeAll } from "../../src/relay/write_all.ts";
import { startTunnel } from "../../src/start/tunnel.ts";
import type { TunnelHandle } from "../../src/tunnel/types.ts";
import { equal } from "../harness.ts";
import { CONTROL_ID, lineOf, signalOf } from "../peer_1_14/dialect.ts";
import type { Player } from "../peer_1_14/playback.ts";
import { linesFrom, type RecordedChunk, type RecordedConnection, type Recording } from "../peer_1_14/recordings.ts";
import { dial, type Own, runtime, UdpVisitor } from "../unit/tunnel/forward_fixture.ts";
import { within } from "./load.ts";

/** What was sent through the recorded tunnels. */
export const WORDS: Readonly<Record<"tcp" | "udp", readonly string[]>> = {
  tcp: ["hello tcp\n"],
  udp: ["hello udp", "two"],
};

/** Starts our end of the recorded tunnel. */
export async function startOurs(
  own: Own,
  recording: Recording,
  url: { readonly role: "server" | "client"; readonly tunnel: SocketAddress; readonly target: SocketAddress },
): Promise<TunnelHandle> {
  const { role, tunnel, target } = url;
  const mode = role === "client" || recording.flow === "forward" ? 2 : 1;
  const query = role === "server" ? `mode=${mode}&tls=0` : "mode=2&min=4";
  const text = `${role}://${recording.key}@${formatAddress(tunnel)}/${formatAddress(target)}?wire=1.14&${query}`;
  const { config } = parseTunnelUrl(text, { settings: defaultSettings, strict: true });
  const random = recordedIds(recording.ids.filter((id) => id !== CONTROL_ID));
  const handle = await startTunnel(config, { runtime: { ...runtime, random } });
  return await own(Object.assign(handle, { [Symbol.asyncDispose]: () => handle.close({ graceMs: 0 }) }));
}

/** The recorded ids in their order where four random bytes are asked for. */
function recordedIds(ids: readonly string[]): Random {
  let next = 0;
  return {
    bytes: (length) => {
      const id = length === 4 ? ids[next++] : undefined;
      return id === undefined
        ? runtime.random.bytes(length)
        : Uint8Array.from(id.match(/../g)!, (hex) => parseInt(hex, 16));
    },
    fraction: () => runtime.random.fraction(),
  };
}

/** The chunks of one side. */
export function chunksOf({ chunks }: RecordedConnection, side: RecordedChunk["from"]): Uint8Array[] {
  return chunks.filter(({ from }) => from === side).map(({ bytes }) => bytes);
}

/** A text without the time in it. */
export function undated(text: string): string {
  return text.replace(/^Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r$/m, "Date:\r");
}

/** Lines of a control connection; `skip` bytes of an id stand before them. */
export function linesOf(text: string, skip: 0 | 4): string[] {
  return text.slice(skip).match(/[^\n]*\n/g) ?? [];
}

/** Waits until our end pinged, and answered the three recorded pings, with the recorded lines. */
export async function hearPulse(control: Player, skip: 0 | 4, recording: Recording): Promise<void> {
  const recorded = [...linesFrom(recording, "client"), ...linesFrom(recording, "server")];
  const [ping, pong] = ["ping", "pong"].map((action) =>
    recorded.find((line) => signalOf(line.trim(), recording.key).action === action)!
  );
  const fits = (text: string): boolean => {
    const lines = linesOf(text, skip);
    return lines.includes(ping!) && lines.filter((line) => line === pong).length === 3;
  };
  await control.hear("a ping and three pongs", fits);
}

/** Waits for the line that announces a visitor, and checks each byte of it; the id of its link. */
export async function hearAnnouncement(
  control: Player,
  skip: 0 | 4,
  expected: { readonly action: "tcp" | "udp"; readonly remote: string; readonly key: string },
): Promise<string> {
  const { key, ...fixed } = expected;
  const find = (text: string): string | undefined =>
    linesOf(text, skip).find((line) => signalOf(line.trim(), key).action === fixed.action);
  const line = find(await control.hear(`a line of ${fixed.action}`, (text) => find(text) !== undefined))!;
  const { id = "" } = signalOf(line.trim(), key);
  equal(line, lineOf({ ...fixed, id }, key));
  return id;
}

/** A visitor that says the recorded words and expects them back. */
export interface WordsVisitor extends Disposable {
  readonly remote: string;
  /** Says them; resolves when the answer was right. */
  run(): Promise<void>;
}

/** Opens one. */
export async function wordsVisitor(action: "tcp" | "udp", entry: SocketAddress): Promise<WordsVisitor> {
  return action === "tcp" ? await tcpVisitor(entry) : await udpVisitor(entry);
}

async function tcpVisitor(entry: SocketAddress): Promise<WordsVisitor> {
  const visitor = await dial(entry);
  return {
    remote: formatAddress(visitor.local),
    async run() {
      const words = WORDS.tcp.join("");
      await writeAll(visitor, new TextEncoder().encode(words));
      let heard = "";
      const buffer = new Uint8Array(100);
      while (heard.length < words.length) {
        const count = await within(8_000, "an answer", visitor.read(buffer));
        if (count === null) break;
        heard += new TextDecoder().decode(buffer.subarray(0, count));
      }
      equal(heard, words);
    },
    [Symbol.dispose]: () => visitor.close(),
  };
}

async function udpVisitor(entry: SocketAddress): Promise<WordsVisitor> {
  const visitor = await UdpVisitor.bind(entry);
  return {
    remote: formatAddress(visitor.local),
    async run() {
      for (const word of WORDS.udp) {
        const answer = await within(8_000, "an answer", visitor.ask(new TextEncoder().encode(word)));
        equal(new TextDecoder().decode(answer), word);
      }
    },
    [Symbol.dispose]: () => visitor[Symbol.dispose](),
  };
}
