/**
 * From `.proto` files to the code that reads and writes their messages, with nothing to install but npm packages: the
 * generator is a plugin of protoc that runs in this process.
 *
 * @module
 */
import { create } from "@bufbuild/protobuf";
import { CodeGeneratorRequestSchema } from "@bufbuild/protobuf/wkt";
import { protocGenEs } from "@bufbuild/protoc-gen-es/dist/cjs/src/protoc-gen-es-plugin.js";
import { join } from "node:path/posix";
import { describe } from "./descriptor.ts";

/** Where the `.proto` files are, relative to the root. */
const SOURCES = "src/core/contract";

const NAMES = ["node_service.proto", "health.proto"];

/** The generator has a style of its own. */
const HEAD = "// deno-fmt-ignore-file\n// deno-lint-ignore-file\n";

/** The code of each file by its path, relative to the root. */
export async function generate(root: string): Promise<Map<string, string>> {
  const made = new Map<string, string>();
  for (const name of NAMES) {
    const request = create(CodeGeneratorRequestSchema, {
      fileToGenerate: [name],
      parameter: "target=ts,import_extension=ts",
      protoFile: [describe(name, await Deno.readTextFile(join(root, SOURCES, name)))],
    });
    const response = protocGenEs.run(request);
    for (const file of response.file) made.set(`${SOURCES}/generated/${file.name}`, `${HEAD}${file.content ?? ""}\n`);
  }
  return made;
}
