import { join } from "node:path/posix";
import { deepEqual, equal, match, ok } from "../harness.ts";
import { ROOT } from "../../scripts/gate/files.ts";
import { findNode } from "../../scripts/gate/node_program.ts";
import { buildNpmPackage, publishedManifest } from "../../scripts/package/npm_package.ts";
import { runTool } from "../../scripts/package/tool.ts";
import { checkCommand, checkTunnel } from "./tunnel_check.ts";

const CONSUMER = `import { NodePassError } from "nodepass";
const error: Error = new NodePassError("usage", "Cannot start");
// @ts-expect-error a code that does not exist
new NodePassError("no such code", "Cannot start");
console.log(error.message);
`;

Deno.test("publishedManifest() names the emitted files and drops what only development needs", () => {
  const published = publishedManifest({
    name: "nodepass",
    version: "1.0.0",
    private: false,
    bin: { nodepass: "./cli.ts" },
    exports: { ".": "./mod.ts", "./package.json": "./package.json" },
    dependencies: { ws: "1.0.0" },
    devDependencies: { "fast-check": "1.0.0" },
  });
  deepEqual(published, {
    name: "nodepass",
    version: "1.0.0",
    bin: { nodepass: "./cli.js" },
    exports: { ".": { types: "./mod.d.ts", default: "./mod.js" }, "./package.json": "./package.json" },
    dependencies: { ws: "1.0.0" },
  });
});

Deno.test("the npm package installs, has types and tunnels on Node", async () => {
  const folder = await Deno.makeTempDir({ prefix: "nodepass-npm-" });
  try {
    const tarball = await buildNpmPackage(ROOT, join(folder, "built"));
    const { stdout: listing } = await runTool(["tar", "-tzf", tarball], folder);
    const names = listing.trim().split("\n");
    for (
      const name of ["package/mod.js", "package/mod.d.ts", "package/cli.js", "package/LICENSE", "package/CHANGELOG.md"]
    ) {
      ok(names.includes(name), `${name} is not in the package`);
    }
    const strays = names.filter((name) =>
      /\.ts$/.test(name) && !/\.d\.ts$/.test(name) || /_test\.|\/tests\//.test(name)
    );
    deepEqual(strays, []);

    const project = join(folder, "project");
    await Deno.mkdir(project);
    await Deno.writeTextFile(
      join(project, "package.json"),
      '{ "name": "consumer", "type": "module", "private": true }\n',
    );
    const install = ["npm", "install", "--no-audit", "--no-fund", "--prefer-offline", "--ignore-scripts", tarball];
    await runTool(install, project);

    const manifest = JSON.parse(await Deno.readTextFile(join(project, "node_modules/nodepass/package.json")));
    equal(manifest.engines.node, ">=22.13");
    equal(manifest.scripts, undefined);

    await Deno.writeTextFile(join(project, "main.ts"), CONSUMER);
    await Deno.writeTextFile(join(project, "deno.json"), '{ "nodeModulesDir": "manual" }\n');
    await runTool([Deno.execPath(), "check", "main.ts"], project);

    const installed = join(project, "node_modules/nodepass/cli.js");
    const bundle = await Deno.readTextFile(installed);
    const imported = [...bundle.matchAll(/^import .* from "([^"]+)";$/gm)].map(([, name = ""]) => name);
    ok(imported.length > 0);
    deepEqual(imported.filter((name) => !name.startsWith("node:")), []);
    for (const dependency of Object.keys(manifest.dependencies)) {
      match(bundle, new RegExp(`^${dependency} [\\d.]+\\n\\n.*(license|copyright)`, "im"));
    }
    ok(!names.some((name) => name.startsWith("package/src/command/")));

    const node = await findNode();
    ok(node !== null, "No Node >= 22.18 was found");
    await runTool([node, "--input-type=module", "-e", 'await import("nodepass")'], project);
    const command = [node, join(project, "node_modules/.bin/nodepass")];
    await checkCommand(command, manifest.version);
    await checkTunnel(command, { NP_WORKERS: "2" });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
