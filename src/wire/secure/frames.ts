/**
 * The frames of the secure wire: 1 byte type, 3 bytes length (big-endian), payload.
 *
 * @module
 */
import { formatIp, parseIp } from "../../address/ip.ts";
import { NodePassError } from "../../errors.ts";
import type { AbortReason, Opening } from "../types.ts";

/** Bytes in front of each payload. */
export const FRAME_HEADER_BYTES = 4;
/** Largest payload. */
export const MAX_FRAME_BYTES = 1_048_576;
/** Largest CONFIG payload. */
export const MAX_CONFIG_BYTES = 4_096;
/** Largest REFUSED reason. */
export const MAX_REASON_BYTES = 256;

/** Frame types. Unknown ones with the high bit are skipped, other unknown ones end the link. */
export const FrameType = {
  /** Starts a session: sequence u32, protocol u8, family u8, port u16, address 4 or 16. */
  OPEN: 1,
  /** Bytes of the session. */
  DATA: 2,
  /** One direction ended: sequence u32. */
  FIN: 3,
  /** Both directions ended badly: sequence u32, reason u8. */
  ABORT: 4,
  /** The dialling side is done with the last session and waits for the next: sequence u32. */
  READY: 5,
  /** One datagram: session u16, bytes. */
  DGRAM: 6,
  /** A datagram session ended: session u16. */
  CLOSE: 7,
  /** Are you there: token u32. */
  PING: 8,
  /** Yes: the token of the PING. */
  PONG: 9,
  /** Configuration: JSON, once in each direction, first on a control channel. */
  CONFIG: 10,
  /** Ends a session on a link that is stuck: link counter u64, sequence u32. */
  CANCEL: 11,
  /** The sender is going to stop: drain time in ms u32. */
  GOAWAY: 12,
  /** The sender cannot serve: UTF-8 reason. */
  REFUSED: 13,
  /** More ready links are wanted: count u16. */
  DEMAND: 14,
} as const;

/** Type and payload length of a frame; owned by the reader and filled again and again. */
export interface FrameHeader {
  type: number;
  length: number;
}

/** What travels on a control channel besides PING and PONG. */
export type ControlMessage =
  /** JSON for `config_message.ts`. */
  | { readonly kind: "config"; readonly json: Uint8Array }
  /** `link` is the counter of the preface. */
  | { readonly kind: "cancel"; readonly link: number; readonly sequence: number }
  | { readonly kind: "goaway"; readonly drainMs: number }
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "demand"; readonly links: number; readonly datagrams: number };

const PROTOCOL_CODES = { tcp: 1, udp: 2 } as const;
const ABORT_CODES: Readonly<Record<AbortReason, number>> = {
  reset: 1,
  dial: 2,
  slot: 3,
  idle: 4,
  cut: 5,
  shutdown: 6,
  link_lost: 7,
};
const ABORT_REASONS = new Map(Object.entries(ABORT_CODES).map(([reason, code]) => [code, reason as AbortReason]));
const SKIPPABLE = 0x80;
const OPEN_FIXED_BYTES = 8;

/** Smallest and largest payload of each type, by type. */
const PAYLOAD_LIMITS: readonly (readonly [name: string, least: number, most: number] | undefined)[] = [
  undefined,
  ["OPEN", OPEN_FIXED_BYTES + 4, OPEN_FIXED_BYTES + 16],
  ["DATA", 0, MAX_FRAME_BYTES],
  ["FIN", 4, 4],
  ["ABORT", 5, 5],
  ["READY", 4, 4],
  ["DGRAM", 2, 2 + 65_535],
  ["CLOSE", 2, 2],
  ["PING", 4, 4],
  ["PONG", 4, 4],
  ["CONFIG", 2, MAX_CONFIG_BYTES],
  ["CANCEL", 12, 12],
  ["GOAWAY", 4, 4],
  ["REFUSED", 0, MAX_REASON_BYTES],
  ["DEMAND", 2, 4],
];

/** Writes a header at `offset`. */
export function writeFrameHeader(buffer: Uint8Array, offset: number, type: number, length: number): void {
  buffer[offset] = type;
  buffer[offset + 1] = length >>> 16;
  buffer[offset + 2] = length >>> 8;
  buffer[offset + 3] = length;
}

/**
 * Reads the header at `offset` into `header` and checks its length against the limits of its type.
 *
 * @throws {NodePassError} `protocol`, naming type and length
 */
export function readFrameHeader(buffer: Uint8Array, offset: number, header: FrameHeader): void {
  const type = buffer[offset]!;
  const length = (buffer[offset + 1]! << 16) | (buffer[offset + 2]! << 8) | buffer[offset + 3]!;
  checkLength(type, length);
  header.type = type;
  header.length = length;
}

/**
 * An OPEN.
 *
 * @throws {NodePassError} `protocol` when the visitor's host is no literal IP
 */
export function encodeOpen(sequence: number, opening: Opening): Uint8Array<ArrayBuffer> {
  const { host, port } = opening.visitor;
  const ip = parseIp(host);
  if (ip === null) throw new NodePassError("protocol", `Cannot announce visitor "${host}": not an IP address`);
  const frame = newFrame(FrameType.OPEN, OPEN_FIXED_BYTES + ip.length);
  writeU32(frame, 4, sequence);
  frame[8] = PROTOCOL_CODES[opening.protocol];
  frame[9] = ip.length === 4 ? 4 : 6;
  writeU16(frame, 10, port);
  frame.set(ip, 12);
  return frame;
}

/** A FIN. */
export function encodeFin(sequence: number): Uint8Array<ArrayBuffer> {
  return numberFrame(FrameType.FIN, sequence);
}

/** An ABORT; its code comes from {@linkcode abortCode}. */
export function encodeAbort(sequence: number, code: number): Uint8Array<ArrayBuffer> {
  const frame = newFrame(FrameType.ABORT, 5);
  writeU32(frame, 4, sequence);
  frame[8] = code;
  return frame;
}

/** A READY. */
export function encodeReady(sequence: number): Uint8Array<ArrayBuffer> {
  return numberFrame(FrameType.READY, sequence);
}

/** A CLOSE. */
export function encodeClose(session: number): Uint8Array<ArrayBuffer> {
  return smallNumberFrame(FrameType.CLOSE, session);
}

/** A PING. */
export function encodePing(token: number): Uint8Array<ArrayBuffer> {
  return numberFrame(FrameType.PING, token);
}

/** A PONG. */
export function encodePong(token: number): Uint8Array<ArrayBuffer> {
  return numberFrame(FrameType.PONG, token);
}

/** A CONFIG around JSON of at most {@linkcode MAX_CONFIG_BYTES}. */
export function encodeConfig(json: Uint8Array): Uint8Array<ArrayBuffer> {
  checkLength(FrameType.CONFIG, json.length);
  const frame = newFrame(FrameType.CONFIG, json.length);
  frame.set(json, FRAME_HEADER_BYTES);
  return frame;
}

/** A CANCEL of the session on the link with this counter. */
export function encodeCancel(link: number, sequence: number): Uint8Array<ArrayBuffer> {
  const frame = newFrame(FrameType.CANCEL, 12);
  writeU32(frame, 4, Math.floor(link / 2 ** 32));
  writeU32(frame, 8, link >>> 0);
  writeU32(frame, 12, sequence);
  return frame;
}

/** A GOAWAY. */
export function encodeGoaway(drainMs: number): Uint8Array<ArrayBuffer> {
  return numberFrame(FrameType.GOAWAY, Math.min(drainMs, 0xffff_ffff));
}

/** A REFUSED; a reason above {@linkcode MAX_REASON_BYTES} is cut between two characters. */
export function encodeRefused(reason: string): Uint8Array<ArrayBuffer> {
  const text = new Uint8Array(MAX_REASON_BYTES);
  const { written } = new TextEncoder().encodeInto(reason, text);
  const frame = newFrame(FrameType.REFUSED, written);
  frame.set(text.subarray(0, written), FRAME_HEADER_BYTES);
  return frame;
}

/** A DEMAND: ready links that are wanted, and links for datagrams. */
export function encodeDemand(links: number, datagrams = 0): Uint8Array<ArrayBuffer> {
  const frame = newFrame(FrameType.DEMAND, datagrams === 0 ? 2 : 4);
  writeU16(frame, 4, Math.min(links, 0xffff));
  if (datagrams > 0) writeU16(frame, 6, Math.min(datagrams, 0xffff));
  return frame;
}

/**
 * Content of an OPEN.
 *
 * @throws {NodePassError} `protocol`
 */
export function parseOpen(payload: Uint8Array): { readonly sequence: number; readonly opening: Opening } {
  checkLength(FrameType.OPEN, payload.length);
  const family = payload[5]!;
  const ip = payload.subarray(OPEN_FIXED_BYTES);
  if (ip.length !== (family === 4 ? 4 : family === 6 ? 16 : -1)) {
    throw new NodePassError("protocol", `Peer sent OPEN of family ${family} with an address of ${ip.length} bytes`);
  }
  const code = payload[4]!;
  if (code !== PROTOCOL_CODES.tcp && code !== PROTOCOL_CODES.udp) {
    throw new NodePassError("protocol", `Peer sent OPEN of the unknown protocol ${code}`);
  }
  const protocol = code === PROTOCOL_CODES.tcp ? "tcp" : "udp";
  const visitor = { host: formatIp(ip), port: readU16(payload, 6) };
  return { sequence: readU32(payload, 0), opening: { protocol, visitor } };
}

/**
 * The sequence that FIN, ABORT and READY start with.
 *
 * @throws {NodePassError} `protocol`
 */
export function parseSequence(payload: Uint8Array): number {
  return parseU32(payload, "a sequence");
}

/**
 * The token of PING and PONG.
 *
 * @throws {NodePassError} `protocol`
 */
export function parseToken(payload: Uint8Array): number {
  return parseU32(payload, "a token");
}

/** Code of a reason for ABORT. */
export function abortCode(reason: AbortReason): number {
  return ABORT_CODES[reason];
}

/** Reason of a code; one that this version does not know is a reset. */
export function abortReason(code: number | undefined): AbortReason {
  return ABORT_REASONS.get(code ?? 0) ?? "reset";
}

/**
 * Content of a control frame; null for a type of a newer peer that may be skipped.
 *
 * @throws {NodePassError} `protocol` for a type that does not belong on a control channel, and for bad content
 */
export function parseControlMessage(type: number, payload: Uint8Array): ControlMessage | null {
  checkLength(type, payload.length);
  switch (type) {
    case FrameType.CONFIG:
      return { kind: "config", json: payload };
    case FrameType.CANCEL:
      return parseCancel(payload);
    case FrameType.GOAWAY:
      return { kind: "goaway", drainMs: readU32(payload, 0) };
    case FrameType.REFUSED:
      return { kind: "refused", reason: new TextDecoder().decode(payload) };
    case FrameType.DEMAND:
      return { kind: "demand", links: readU16(payload, 0), datagrams: payload.length < 4 ? 0 : readU16(payload, 2) };
    default:
      if (type >= SKIPPABLE) return null;
      throw new NodePassError(
        "protocol",
        `Peer sent ${PAYLOAD_LIMITS[type]?.[0]} of ${payload.length} bytes on a control channel`,
      );
  }
}

function parseCancel(payload: Uint8Array): ControlMessage {
  const link = readU32(payload, 0) * 2 ** 32 + readU32(payload, 4);
  if (!Number.isSafeInteger(link)) throw new NodePassError("protocol", "Peer sent CANCEL with a counter out of range");
  return { kind: "cancel", link, sequence: readU32(payload, 8) };
}

function checkLength(type: number, length: number): void {
  const limits = PAYLOAD_LIMITS[type];
  if (limits === undefined) {
    if (type >= SKIPPABLE && length <= MAX_FRAME_BYTES) return;
    throw new NodePassError(
      "protocol",
      `Peer sent a frame of unknown type ${type} with ${length} bytes: update the older end`,
    );
  }
  const [name, least, most] = limits;
  if (length >= least && length <= most) return;
  const expected = least === most ? `${least}` : `${least} to ${most}`;
  throw new NodePassError("protocol", `Peer sent ${name} (type ${type}) with ${length} bytes: expected ${expected}`);
}

function parseU32(payload: Uint8Array, what: string): number {
  if (payload.length < 4) {
    throw new NodePassError("protocol", `Peer sent ${what} of ${payload.length} bytes: expected 4`);
  }
  return readU32(payload, 0);
}

function newFrame(type: number, length: number): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(FRAME_HEADER_BYTES + length);
  writeFrameHeader(frame, 0, type, length);
  return frame;
}

function numberFrame(type: number, value: number): Uint8Array<ArrayBuffer> {
  const frame = newFrame(type, 4);
  writeU32(frame, 4, value);
  return frame;
}

function smallNumberFrame(type: number, value: number): Uint8Array<ArrayBuffer> {
  const frame = newFrame(type, 2);
  writeU16(frame, 4, value);
  return frame;
}

function writeU16(buffer: Uint8Array, offset: number, value: number): void {
  buffer[offset] = value >>> 8;
  buffer[offset + 1] = value;
}

function readU16(buffer: Uint8Array, offset: number): number {
  return (buffer[offset]! << 8) | buffer[offset + 1]!;
}

function writeU32(buffer: Uint8Array, offset: number, value: number): void {
  writeU16(buffer, offset, value >>> 16);
  writeU16(buffer, offset + 2, value);
}

function readU32(buffer: Uint8Array, offset: number): number {
  return ((readU16(buffer, offset) << 16) | readU16(buffer, offset + 2)) >>> 0;
}
