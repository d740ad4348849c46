import { deepStrictEqual } from "node:assert/strict";
import { dirname, join } from "node:path/posix";
import { fileURLToPath } from "node:url";
import plugin from "../../scripts/gate/lint_plugin.ts";
import { refuseImport } from "../../scripts/gate/layers.ts";

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The ids of the rules that a file with this path and text breaks. */
function broken(path: string, text: string): string[] {
  return Deno.lint.runPlugin(plugin, join(ROOT, path), text).map((diagnostic) => diagnostic.id);
}

Deno.test("layers refuses an upward import of every kind", () => {
  deepStrictEqual(broken("src/relay/x.ts", 'import { a } from "../tunnel/a.ts";'), ["nodepass/layers"]);
  deepStrictEqual(broken("src/relay/x.ts", 'export * from "../tunnel/a.ts";'), ["nodepass/layers"]);
  deepStrictEqual(broken("src/relay/x.ts", 'export { a } from "../tunnel/a.ts";'), ["nodepass/layers"]);
  deepStrictEqual(broken("src/relay/x.ts", 'const a = await import("../tunnel/a.ts");'), ["nodepass/layers"]);
  deepStrictEqual(broken("src/relay/x.ts", 'type A = import("../tunnel/a.ts").A;'), ["nodepass/layers"]);
  deepStrictEqual(broken("src/relay/x.ts", 'import { a } from "../../tests/a.ts";'), ["nodepass/layers"]);
});

Deno.test("layers lets imports point downwards and inside a part", () => {
  const text = 'import { a } from "../relay/a.ts"; import { b } from "./b.ts"; import { c } from "../errors.ts";';
  deepStrictEqual(broken("src/tunnel/x.ts", text), []);
  deepStrictEqual(broken("cli.ts", 'import { a } from "./src/command/a.ts";'), []);
  deepStrictEqual(broken("tests/unit/x.ts", 'import { a } from "../../src/tunnel/a.ts";'), []);
});

Deno.test("refuseImport() knows the parts of one layer", () => {
  const refused = (from: string, to: string): boolean => refuseImport(from, to) !== null;
  deepStrictEqual(refused("src/relay/a.ts", "src/wire/secure/b.ts"), true);
  deepStrictEqual(refused("src/relay/a.ts", "src/runtime/types.ts"), false);
  deepStrictEqual(refused("src/relay/a.ts", "src/runtime/detect.ts"), true);
  deepStrictEqual(refused("src/runtime/detect.ts", "src/runtime/deno/runtime.ts"), false);
  deepStrictEqual(refused("src/runtime/deno/a.ts", "src/runtime/node/b.ts"), false);
  deepStrictEqual(refused("src/runtime/node/a.ts", "src/runtime/deno/b.ts"), true);
  deepStrictEqual(refused("src/master/a.ts", "src/tunnel/b.ts"), true);
  deepStrictEqual(refused("src/master/a.ts", "src/core/contract/b.ts"), false);
  deepStrictEqual(refused("src/core/a.ts", "src/core/contract/b.ts"), false);
  deepStrictEqual(refused("src/core/a.ts", "src/http/b.ts"), false);
  deepStrictEqual(refused("src/core/a.ts", "src/runtime/types.ts"), false);
  for (const part of ["config", "wire", "relay", "report", "runtime/node", "tunnel", "master"]) {
    deepStrictEqual(refused("src/core/a.ts", `src/${part}/b.ts`), true);
  }
  deepStrictEqual(refused("src/log/a.ts", "src/errors.ts"), false);
  deepStrictEqual(refused("src/errors.ts", "src/log/a.ts"), true);
  deepStrictEqual(refused("src/start/a.ts", "src/command/b.ts"), true);
  deepStrictEqual(refused("src/command/a.ts", "src/start/b.ts"), false);
  deepStrictEqual(refused("src/unknown/a.ts", "src/relay/b.ts"), true);
});

Deno.test("packages refuses node modules without a reason and packages away from home", () => {
  const rule = ["nodepass/packages"];
  deepStrictEqual(broken("src/relay/x.ts", 'import { a } from "node:fs";'), rule);
  deepStrictEqual(broken("src/relay/x.ts", '// Web crypto has no scrypt.\nimport { a } from "node:crypto";'), []);
  deepStrictEqual(broken("src/relay/x.ts", '/** Text. */\n\nimport { a } from "node:crypto";'), rule);
  deepStrictEqual(broken("src/relay/x.ts", '// No scrypt.\nconst { a } = await import("node:crypto");'), []);
  deepStrictEqual(broken("src/relay/x.ts", '// No.\n\nconst { a } = await import("node:crypto");'), rule);
  deepStrictEqual(broken("src/runtime/node/x.ts", 'import { a } from "node:net";'), []);
  deepStrictEqual(broken("src/relay/x.ts", 'import * as v from "valibot";'), rule);
  deepStrictEqual(broken("src/config/x.ts", 'import * as v from "valibot";'), []);
  deepStrictEqual(broken("src/config/x.ts", 'import * as v from "npm:valibot";'), rule);
  deepStrictEqual(broken("src/core/store/sqlite.ts", 'import { a } from "node:sqlite";'), []);
  deepStrictEqual(broken("src/core/x.ts", '// No web API.\nimport { a } from "node:sqlite";'), rule);
  deepStrictEqual(broken("src/core/x.ts", 'import * as v from "valibot"; import g from "@grpc/grpc-js";'), [
    ...rule,
    ...rule,
  ]);
  deepStrictEqual(
    broken("src/core/grpc/x.ts", 'import g from "@grpc/grpc-js"; import p from "@bufbuild/protobuf";'),
    [],
  );
  deepStrictEqual(broken("src/master/x.ts", 'import p from "postgres"; import r from "ioredis";'), [...rule, ...rule]);
});

Deno.test("deno-global, file-names, unfinished and only refuse what they name", () => {
  deepStrictEqual(broken("src/relay/x.ts", "Deno.exit(1);"), ["nodepass/deno-global"]);
  deepStrictEqual(broken("src/relay/x.ts", "globalThis.Deno;"), ["nodepass/deno-global"]);
  deepStrictEqual(broken("src/runtime/deno/x.ts", "Deno.exit(1);"), []);
  deepStrictEqual(broken("src/relay/utils.ts", "export {};"), ["nodepass/file-names"]);
  deepStrictEqual(broken("src/relay/camelCase.ts", "export {};"), ["nodepass/file-names"]);
  deepStrictEqual(broken("src/relay/x.ts", "// TO" + "DO: later"), ["nodepass/unfinished"]);
  deepStrictEqual(broken("tests/unit/x_test.ts", 'test.only("a", () => {});'), ["nodepass/only"]);
});
