/**
 * Refusing visitors by the protocol of their first bytes.
 *
 * Nothing is read ahead and nothing is held back: the visitor's bytes are judged as the relay reads them, so a protocol
 * whose server speaks first never waits. A blocked protocol is recognised before a complete request has passed.
 *
 * @module
 */
import { NodePassError } from "../errors.ts";
import type { Conn, SocketAddress } from "../runtime/types.ts";

/** Which protocols are refused. */
export interface SniffRules {
  readonly socks: boolean;
  readonly http: boolean;
  readonly tls: boolean;
}

/** A protocol that can be refused. */
export type SniffedProtocol = keyof SniffRules;

/** First bytes that are kept for the decision: the longest method, its space and `https:` fit. */
const HEAD_BYTES = 48;

const HTTP_REQUEST = /^[A-Z][A-Z-]{0,23} (\/|\*|https?:)|^CONNECT ./;
const HTTP_BEGINNING = /^$|^[A-Z][A-Z-]{0,23}( (h|ht|htt|http|https)?)?$/;

type Verdict = "yes" | "no" | "more";

function isSocks(head: Uint8Array): Verdict {
  const [version, second] = head;
  if (version !== 4 && version !== 5) return "no";
  if (second === undefined) return "more";
  // SOCKS 4: CONNECT or BIND. SOCKS 5: at least one method offered (DCE/RPC 5 has a zero there).
  return (version === 4 ? second === 1 || second === 2 : second > 0) ? "yes" : "no";
}

function isTls(head: Uint8Array): Verdict {
  const [type, major] = head;
  if (type !== 0x16) return "no";
  if (major === undefined) return "more";
  return major === 3 ? "yes" : "no";
}

function isHttp(head: Uint8Array): Verdict {
  // Servers skip empty lines before a request (RFC 9112, section 2.2).
  const text = String.fromCharCode(...head).replace(/^[\r\n]+/, "");
  if (HTTP_REQUEST.test(text)) return "yes";
  return HTTP_BEGINNING.test(text) ? "more" : "no";
}

/** What the first bytes of a visitor are; `more` while it depends on the next ones. */
export function classify(head: Uint8Array, rules: SniffRules): SniffedProtocol | "other" | "more" {
  if (head.length === 0) return "more";
  let more = false;
  for (const [protocol, judge] of [["socks", isSocks], ["tls", isTls], ["http", isHttp]] as const) {
    if (!rules[protocol]) continue;
    const verdict = judge(head);
    if (verdict === "yes") return protocol;
    if (verdict === "more") more = true;
  }
  return more && head.length < HEAD_BYTES ? "more" : "other";
}

/**
 * The visitor with its first bytes judged as they are read; `conn` itself when nothing is refused.
 *
 * When they are a refused protocol, `onBlocked` is called and that read rejects with code `protocol`.
 */
export function sniff(conn: Conn, rules: SniffRules, onBlocked: (protocol: SniffedProtocol) => void): Conn {
  return rules.socks || rules.http || rules.tls ? new SniffedConn(conn, rules, onBlocked) : conn;
}

class SniffedConn implements Conn {
  readonly #conn: Conn;
  readonly #rules: SniffRules;
  readonly #onBlocked: (protocol: SniffedProtocol) => void;
  /** Bytes seen so far; null once decided. */
  #head: Uint8Array | null = new Uint8Array(0);

  constructor(conn: Conn, rules: SniffRules, onBlocked: (protocol: SniffedProtocol) => void) {
    this.#conn = conn;
    this.#rules = rules;
    this.#onBlocked = onBlocked;
  }

  get local(): SocketAddress {
    return this.#conn.local;
  }

  get remote(): SocketAddress {
    return this.#conn.remote;
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.#head === null ? this.#conn.read(into) : this.#readFirst(into, this.#head);
  }

  async #readFirst(into: Uint8Array, before: Uint8Array): Promise<number | null> {
    const count = await this.#conn.read(into);
    if (count === null) return null;
    const taken = Math.min(count, HEAD_BYTES - before.length);
    const head = new Uint8Array(before.length + taken);
    head.set(before);
    head.set(into.subarray(0, taken), before.length);
    const verdict = classify(head, this.#rules);
    if (verdict === "more") {
      this.#head = head;
      return count;
    }
    this.#head = null;
    if (verdict === "other") return count;
    this.#onBlocked(verdict);
    throw new NodePassError("protocol", `Cannot serve visitor: ${verdict} is blocked`);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#conn.write(bytes);
  }

  closeWrite(): Promise<void> {
    return this.#conn.closeWrite();
  }

  close(): void {
    this.#conn.close();
  }

  reset(): void {
    this.#conn.reset();
  }
}
