/**
 * Turns a bundled module into a script: a Node executable starts from a CommonJS script, which has neither `import` nor
 * an `await` outside a function.
 *
 * @module
 */

const IMPORT = /^import (?:([\w$]+)|\{ ([^}]*) \}|\* as ([\w$]+)) from "(node:[\w/]+)";$/gm;
const EXPORT_LIST = /^export \{[^}]*\};?\s*$/m;

/** The script form of a module whose only imports are modules of Node itself. */
export function toScript(module: string): string {
  const body = module
    .replace(IMPORT, (_, name?: string, list?: string, all?: string, specifier?: string) => {
      const bound = name ?? all ?? `{ ${list?.replaceAll(" as ", ": ")} }`;
      return `const ${bound} = require("${specifier}");`;
    })
    .replace(EXPORT_LIST, "")
    .replaceAll("import.meta.url", 'require("node:url").pathToFileURL(__filename).href')
    .replaceAll("import.meta.main", "true");
  const left = /^(import|export) .*$|\bimport\.meta\b.*/m.exec(body);
  if (left !== null) throw new Error(`Cannot turn the bundle into a script: "${left[0]}"`);
  return `"use strict";\n(async () => {\n${body}\n})();\n`;
}
