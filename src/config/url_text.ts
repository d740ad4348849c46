/**
 * The text of a tunnel URL in its parts. Knows no parameter and judges no value.
 *
 * WHATWG `URL` refuses empty hosts and comma lists, and percent-encodes keys; hence this one.
 *
 * @module
 */

/** One `name=value` of the query; `value` is null when there is no `=`. */
export interface QueryEntry {
  /** Percent-decoded. */
  readonly name: string;
  /** Percent-decoded. */
  readonly value: string | null;
}

/** The parts of a URL, percent-decoded. */
export interface UrlText {
  /** Lower case. */
  readonly scheme: string;
  /** Before the last `@` of the authority; null when absent or empty. */
  readonly key: string | null;
  /** `host:port` after the key. */
  readonly address: string;
  /** From the first `/` to the query, without that `/`; null when there is none. */
  readonly path: string | null;
  readonly query: readonly QueryEntry[];
}

/**
 * Splits a URL. The authority ends at the first `/` or `?`; its key ends at its last `@`, so a key may contain `@` and
 * `:` as they are, and `/` and `?` as %2F and %3F. Null when there is no `scheme://`.
 */
export function splitUrl(text: string): UrlText | null {
  const match = /^([a-zA-Z][a-zA-Z0-9+.-]*):\/\/([^/?]*)(\/[^?]*)?(?:\?([\s\S]*))?$/.exec(text.trim());
  if (match === null) return null;
  const authority = match[2] ?? "";
  const at = authority.lastIndexOf("@");
  return {
    scheme: (match[1] ?? "").toLowerCase(),
    key: at > 0 ? decode(authority.slice(0, at)) : null,
    address: decode(authority.slice(at + 1)),
    path: match[3] === undefined ? null : decode(match[3].slice(1)),
    query: splitQuery(match[4] ?? ""),
  };
}

function splitQuery(text: string): QueryEntry[] {
  return text.split("&").filter((part) => part !== "").map((part) => {
    const equals = part.indexOf("=");
    if (equals === -1) return { name: decodeForm(part), value: null };
    return { name: decodeForm(part.slice(0, equals)), value: decodeForm(part.slice(equals + 1)) };
  });
}

/** Percent-decoded where that is possible, else as it is. */
function decode(text: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** As {@linkcode decode}, with `+` as a space: what HTML forms, `URLSearchParams` and Go write. */
function decodeForm(text: string): string {
  return decode(text.replaceAll("+", " "));
}

/** Percent-encodes what would end or change a value of the query, and keeps the rest readable. */
export function encodeValue(text: string): string {
  return encodeURIComponent(text).replace(/%(2F|3A|2C|40|5B|5D)/g, (escape) => decodeURIComponent(escape));
}

const anyScheme = /\b[a-z][a-z0-9+.-]*:\/\//gi;

/**
 * Puts `***` in place of the key of every URL in a text, complete or not. Where the key's end is in doubt
 * (`/` or `?` unencoded in a key), too much goes rather than too little.
 */
export function redactUrl(text: string): string {
  let result = "";
  let done = 0;
  for (const match of text.matchAll(anyScheme)) {
    if (match.index < done) continue;
    const start = match.index + match[0].length;
    const end = start + (/["'`<>\r\n]|\s(?=\S+:\/\/)|$/.exec(text.slice(start))?.index ?? 0);
    const keyEnd = endOfKey(text.slice(start, end));
    result += text.slice(done, start);
    done = start;
    if (keyEnd > 0) {
      result += "***";
      done = start + keyEnd;
    }
  }
  return result + text.slice(done);
}

/** Index of the `@` that ends the key, -1 without one. */
function endOfKey(rest: string): number {
  const query = rest.indexOf("?");
  const beforeQuery = query === -1 ? rest : rest.slice(0, query);
  const at = beforeQuery.lastIndexOf("@");
  // A path that starts before the query means that the authority is complete, so an "@" behind it is no key's end.
  if (at !== -1 || beforeQuery.includes("/")) return at;
  return rest.lastIndexOf("@");
}
