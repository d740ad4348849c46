/**
 * Two columns of text.
 *
 * @module
 */

/** Rows of name and text, the text broken at `width` columns and aligned. */
export function table(rows: readonly (readonly [name: string, text: string])[], width: number): string {
  const indent = Math.min(30, Math.max(...rows.map(([name]) => name.length)) + 4);
  return rows.map(([name, text]) => {
    const lines = wrap(text, Math.max(30, width - indent));
    const head = `  ${name}`;
    const first = head.length + 2 > indent ? [head] : [head.padEnd(indent) + (lines.shift() ?? "")];
    return [...first, ...lines.map((line) => " ".repeat(indent) + line)].join("\n");
  }).join("\n");
}

/** Lines of at most `width` characters, broken at spaces. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
