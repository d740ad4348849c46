/**
 * Makes text from outside safe to print: no control character, no terminal sequence, no change of writing direction.
 *
 * @module
 */

/** Longest value in a line, in characters; what is beyond is cut and marked with an ellipsis. */
export const MAX_VALUE_LENGTH = 1024;

/**
 * Characters that act on a terminal, end a line or hide text: C0, DEL, C1, soft hyphen, zero-width characters, bidi marks
 * and overrides, line separators, byte order mark, interlinear marks, halves of surrogate pairs, tag characters.
 */
const UNSAFE =
  // deno-lint-ignore no-control-regex
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\u{e0000}-\u{e007f}]/u;
const UNSAFE_ALL = new RegExp(UNSAFE, "gu");

const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Values that need no quotes: nothing in them can be taken for the end of the value or for another field. */
const BARE = /^[A-Za-z0-9_.:/@%+,*[\]{}()<>|?&#~!$^;'-]+$/;

/**
 * Text with every unsafe character written as an escape (`\n`, `\x1b`, `\u202e`), at most
 * {@linkcode MAX_VALUE_LENGTH} characters long.
 */
export function escapeValue(text: string): string {
  if (text.length <= MAX_VALUE_LENGTH && !UNSAFE.test(text)) return text;
  return fit(text, escapeCharacter);
}

/** A value as it stands behind `key=`: bare where that is unambiguous, else in double quotes with `"` and `\` escaped. */
export function quoteValue(text: string): string {
  if (text.length <= MAX_VALUE_LENGTH && BARE.test(text)) return text;
  return `"${fit(text, escapeQuoted)}"`;
}

/** The text that a JSON line carries: cut, unsafe characters left for the encoder. */
export function cutValue(text: string): string {
  return text.length <= MAX_VALUE_LENGTH ? text : fit(text, (character) => character);
}

/** JSON text of any value, printable: what JSON itself lets through (bidi marks, C1, ...) becomes `\uXXXX`. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(UNSAFE_ALL, jsonEscapes);
}

/** Joins the escaped characters up to the limit, so that the cut never falls inside an escape or a surrogate pair. */
function fit(text: string, escape: (character: string) => string): string {
  let out = "";
  let keep = 0;
  // No escape is shorter than its character, so nothing behind the limit can matter.
  for (const character of text.slice(0, MAX_VALUE_LENGTH + 1)) {
    out += escape(character);
    if (out.length > MAX_VALUE_LENGTH) return out.slice(0, keep) + "…";
    if (out.length < MAX_VALUE_LENGTH) keep = out.length;
  }
  return out;
}

function escapeQuoted(character: string): string {
  return character === '"' || character === "\\" ? `\\${character}` : escapeCharacter(character);
}

function escapeCharacter(character: string): string {
  if (!UNSAFE.test(character)) return character;
  const short = SHORT[character];
  if (short !== undefined) return short;
  const code = character.codePointAt(0)!;
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code <= 0xffff ? `\\u${code.toString(16).padStart(4, "0")}` : `\\u{${code.toString(16)}}`;
}

function jsonEscapes(character: string): string {
  let out = "";
  for (let i = 0; i < character.length; i++) out += `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`;
  return out;
}
