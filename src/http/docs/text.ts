/**
 * Text of the documentation page: escaped, with paragraphs and code.
 *
 * @module
 */

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text that is safe between tags and in attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

/** Escaped text in which `code` stands between backticks. */
export function phrase(text: string): string {
  return escapeHtml(text).replace(/`([^`]+)`/g, "<code>$1</code>");
}

/** Paragraphs of such text; an empty line is between two of them. */
export function prose(text: string): string {
  return text.split("\n\n").map((paragraph) => `<p>${phrase(paragraph)}</p>`).join("");
}

/** A JSON value as a block of code. */
export function codeBlock(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  return `<pre tabindex="0"><code>${escapeHtml(text)}</code></pre>`;
}
