/**
 * Which folder of the product may import which: imports point downwards only, and the folders of one layer do not know
 * each other.
 *
 * @module
 */

/** The parts of the product from the bottom layer to the top one. */
const LAYERS: readonly (readonly string[])[] = [
  ["errors", "version", "generated_key", "log", "address", "bytes", "runtime/types", "core/failure"],
  ["runtime", "report", "config", "relay", "wire", "http", "core/contract"],
  ["tunnel", "master", "core", "agent"],
  ["engine"],
  ["start", "command", "mod", "cli"],
];

/** Imports inside the top layer: the entry points stand on the start functions, never the other way round. */
const TOP_ORDER: readonly string[] = ["start", "command", "mod", "cli"];

/** Parts that live one folder deeper than the others because they belong to another layer than their folder. */
const DEEP_PARTS: readonly string[] = ["runtime/types", "core/contract", "core/failure"];

/** The npm packages that only some parts may use; a package that is not listed may be used anywhere. */
const PACKAGE_HOMES: Readonly<Record<string, readonly RegExp[]>> = {
  hono: [/^src\/(http|master|core)\//],
  valibot: [/^src\/config\//, /schemas/, /^src\/core\/contract\//],
  "@grpc/grpc-js": [/^src\/core\/grpc\//, /^src\/agent\//],
  "@bufbuild/protobuf": [/^src\/core\/(contract|grpc)\//, /^src\/agent\//],
  postgres: [/^src\/core\/store\//],
  ioredis: [/^src\/core\/ephemeral\//],
  "mmdb-lib": [/^src\/core\/ip_info\//],
};

/** What Core stands on: it shares no more with tunnels and masters, so that it can be read and moved on its own. */
const CORE_BASE: readonly string[] = [
  "errors",
  "version",
  "log",
  "address",
  "bytes",
  "runtime/types",
  "http",
  "core/contract",
];

/** The part a file belongs to, from its path relative to the root, or null for files outside the product. */
export function partOf(path: string): string | null {
  if (path === "mod.ts" || path === "cli.ts") return path.slice(0, -3);
  if (!path.startsWith("src/")) return null;
  const inner = path.slice("src/".length).replace(/\.ts$/, "");
  const deep = DEEP_PARTS.find((part) => inner === part || inner.startsWith(part + "/"));
  return deep ?? inner.split("/")[0] ?? null;
}

/** Why `from` may not import `to` (both relative to the root), or null when it may. */
export function refuseImport(from: string, to: string): string | null {
  const fromPart = partOf(from);
  if (fromPart === null) return null;
  const toPart = partOf(to);
  if (toPart === null) return `The product does not import ${to}`;
  // The Deno adapter falls back to the Node one where Deno has no socket of its own for the task.
  if (adapterOf(from) === "node" && adapterOf(to) === "deno") {
    return "The Node adapter does not import the Deno adapter";
  }
  if (fromPart === toPart || toPart === "errors") return null;
  if (fromPart === "core" && !CORE_BASE.includes(toPart) && LAYERS[1]?.includes(toPart)) {
    return `"core" does not stand on "${toPart}"`;
  }
  const fromLayer = layerOf(fromPart);
  const toLayer = layerOf(toPart);
  if (fromLayer === null) return `"${fromPart}" has no layer: add it to scripts/gate/layers.ts`;
  if (toLayer === null) return `"${toPart}" has no layer: add it to scripts/gate/layers.ts`;
  if (toLayer < fromLayer) return null;
  if (toLayer > fromLayer) return `"${fromPart}" (layer ${fromLayer}) imports upwards "${toPart}" (layer ${toLayer})`;
  if (fromLayer === LAYERS.length - 1) {
    if (TOP_ORDER.indexOf(toPart) < TOP_ORDER.indexOf(fromPart)) return null;
  }
  return `"${fromPart}" imports "${toPart}" of its own layer ${fromLayer}`;
}

/** Why a file may not import an npm package, or null when it may. */
export function refusePackage(from: string, specifier: string): string | null {
  if (partOf(from) === null) return null;
  const name = specifier.split("/").slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
  const homes = PACKAGE_HOMES[name];
  if (homes === undefined || homes.some((home) => home.test(from))) return null;
  return `"${name}" is not used in ${from}`;
}

/** Why a file may not import a `node:` module, or null when it may; `explained` tells of a comment above the import. */
export function refuseNodeModule(from: string, specifier: string, explained: boolean): string | null {
  if (partOf(from) === null) return null;
  if (specifier === "node:sqlite") {
    return from.startsWith("src/core/store/sqlite") ? null : `"${specifier}" is used in src/core/store/sqlite* alone`;
  }
  if (explained) return null;
  if (from.startsWith("src/runtime/")) return null;
  return `"${specifier}" outside src/runtime needs a comment above it that names the web API both runtimes lack`;
}

/** Whether a file may say `Deno.`: the adapter for it, and the file that picks an adapter. */
export function maySayDeno(path: string): boolean {
  return partOf(path) === null || path.startsWith("src/runtime/deno/") || path === "src/runtime/detect.ts";
}

/** The layer of a part, or null when nobody gave it one. */
function layerOf(part: string): number | null {
  const layer = LAYERS.findIndex((parts) => parts.includes(part));
  return layer === -1 ? null : layer;
}

/** "deno" or "node" for a file of that runtime adapter. */
function adapterOf(path: string): string | null {
  return /^src\/runtime\/(deno|node)\//.exec(path)?.[1] ?? null;
}
