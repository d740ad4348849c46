/**
 * JSON as it comes from outside: strict UTF-8, no byte order mark, no text that is no Unicode.
 *
 * @module
 */
import { Failure } from "../failure.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The value of a body. Of equal keys the last one counts.
 *
 * @throws {Failure} VALIDATION_FAILED
 */
export function parseJson(bytes: Uint8Array): unknown {
  return parseJsonText(decoded(bytes));
}

/**
 * The value of text that is Unicode for sure.
 *
 * @throws {Failure} VALIDATION_FAILED
 */
export function parseJsonText(text: string): unknown {
  // A byte order mark is no white space of JSON, but some parsers skip it.
  if (text.startsWith("\ufeff")) throw invalid("expected JSON without a byte order mark");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid("expected JSON");
  }
  if (hasLoneSurrogate(text)) throw invalid("expected JSON without lone surrogates");
  return value;
}

function decoded(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw invalid("expected UTF-8");
  }
}

/**
 * Whether the text of valid JSON escapes half a character. The text itself is well formed, so that halves can only come
 * from escapes, and only two escapes side by side make a whole.
 */
function hasLoneSurrogate(text: string): boolean {
  if (!/\\u[dD][89a-fA-F]/.test(text)) return false;
  let highEnd = -1;
  for (const match of text.matchAll(/\\(?:u([0-9a-fA-F]{4})|.)/g)) {
    const unit = match[1] === undefined ? 0 : parseInt(match[1], 16);
    const low = unit >= 0xdc00 && unit <= 0xdfff;
    if (highEnd === -1 ? low : !low || highEnd !== match.index) return true;
    highEnd = unit >= 0xd800 && unit <= 0xdbff ? match.index + match[0].length : -1;
  }
  return highEnd !== -1;
}

function invalid(message: string): Failure {
  return new Failure("VALIDATION_FAILED", message, { issues: [{ path: "", message }] });
}
