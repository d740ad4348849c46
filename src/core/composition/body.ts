/**
 * One configuration as it is sent, in all its forms.
 *
 * @module
 */
import { toHex } from "../../bytes/hex.ts";
import { joinBytes } from "../../bytes/join.ts";
import type { NodeConfig } from "../contract/types.ts";
import { type Content, contentHead, contentTail, readTail, withoutTunnels } from "./content.ts";
import { gunzip, type GzipTail, gzipTail, spliceGzip } from "./gzip_splice.ts";
import type { LatestConfig } from "./types.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Hex digits of the hash that an entity tag carries. */
const TAG_DIGITS = 16;

/** A body under its number. */
export class ConfigBody implements LatestConfig {
  readonly revision: number;
  /** SHA-256 of the body without its revision, 64 hex digits. */
  readonly hash: string;
  readonly json: Uint8Array<ArrayBuffer>;
  readonly gz: Uint8Array<ArrayBuffer>;
  #config: NodeConfig | null = null;
  #plain: Promise<ConfigBody> | null = null;

  /** @param json and the same as `gz` */
  constructor(revision: number, hash: string, json: Uint8Array<ArrayBuffer>, gz: Uint8Array<ArrayBuffer>) {
    this.revision = revision;
    this.hash = hash;
    this.json = json;
    this.gz = gz;
  }

  get etag(): string {
    return `"${this.revision}-${this.hash.slice(0, TAG_DIGITS)}"`;
  }

  get config(): NodeConfig {
    this.#config ??= JSON.parse(decoder.decode(this.json)) as NodeConfig;
    return this.#config;
  }

  get clientMapJson(): string {
    return this.content.clientMapJson;
  }

  get mtprotoClientMapJson(): string {
    return this.content.mtprotoClientMapJson;
  }

  get servicesJson(): string {
    return this.content.servicesJson;
  }

  /** The parts as texts. */
  get content(): Content {
    return readTail(this.tail);
  }

  /** The body without its revision. */
  get tail(): string {
    return decoder.decode(this.json.subarray(encoder.encode(contentHead(this.revision)).length));
  }

  /** The same without its number. */
  async prepared(): Promise<PreparedBody> {
    return await prepareTail(this.tail);
  }

  /** About how much memory it takes. */
  get bytes(): number {
    return this.json.length + this.gz.length;
  }

  /** Whether this is its hash, in full or as in the entity tag. */
  hasHash(text: string): boolean {
    return text.length >= TAG_DIGITS && this.hash.startsWith(text.toLowerCase());
  }

  /** The same for an agent that runs no tunnels. */
  plain(): Promise<ConfigBody> {
    this.#plain ??= this.#withoutTunnels();
    return this.#plain;
  }

  async #withoutTunnels(): Promise<ConfigBody> {
    const { content } = this;
    const rest = withoutTunnels(content);
    return rest === content ? this : await makeBody(this.revision, await prepare(rest));
  }
}

/** A body that has no number yet. */
export interface PreparedBody {
  readonly hash: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Compressed when it is needed first. */
  readonly gzip: () => Promise<GzipTail>;
}

/** Hashes what was composed. */
export async function prepare(content: Content): Promise<PreparedBody> {
  return await prepareTail(contentTail(content));
}

async function prepareTail(tail: string): Promise<PreparedBody> {
  const bytes = encoder.encode(tail);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const hash = toHex(digest);
  let made: Promise<GzipTail> | null = null;
  return { hash, bytes, gzip: () => made ??= gzipTail(bytes) };
}

/** Puts a number on it. */
export async function makeBody(revision: number, { hash, bytes, gzip }: PreparedBody): Promise<ConfigBody> {
  const head = encoder.encode(contentHead(revision));
  const json = joinBytes([head, bytes], head.length + bytes.length);
  return new ConfigBody(revision, hash, json, spliceGzip(head, await gzip()));
}

/** A body that was stored. */
export async function readBody(
  revision: number,
  hash: string,
  gz: Uint8Array<ArrayBuffer>,
): Promise<ConfigBody> {
  return new ConfigBody(revision, hash, await gunzip(gz), gz);
}
