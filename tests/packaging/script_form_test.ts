import { equal, throws } from "../harness.ts";
import { toScript } from "../../scripts/package/script_form.ts";

/** Runs a script form and gives what it left in `globalThis.answer`. */
async function run(module: string): Promise<unknown> {
  const script = toScript(module);
  const { createRequire } = await import("node:module");
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const load = new Function("require", "__filename", "answer", script);
  load(createRequire(import.meta.url), "/somewhere/nodepass", resolve);
  return await promise;
}

Deno.test("toScript() keeps imports of every form and top-level await", async () => {
  const module = [
    'import path from "node:path";',
    'import { basename, dirname as folderOf } from "node:path";',
    'import * as url from "node:url";',
    "const name = await Promise.resolve(url.fileURLToPath(import.meta.url));",
    'answer([path.sep, basename(name), folderOf(name)].join(" "));',
    "export {\n  name\n};",
  ].join("\n");
  equal(await run(module), "/ nodepass /somewhere");
});

Deno.test("toScript() leaves text alone that only looks like an import", async () => {
  equal(await run('const text = `a\nimports from "node:path";\n`;\nanswer(text);'), 'a\nimports from "node:path";\n');
});

Deno.test("toScript() refuses what it cannot turn", () => {
  throws(() => toScript('import { WebSocket } from "ws";'), /Cannot turn/);
  throws(() => toScript("import.meta.resolve('x');"), /Cannot turn/);
});
