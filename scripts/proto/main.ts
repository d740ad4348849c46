/**
 * `deno task proto`: makes the code of the gRPC messages; `--check` only says whether what is there is
 * what the `.proto` files make.
 *
 * @module
 */
import { join } from "node:path/posix";
import { ROOT } from "../gate/files.ts";
import { generate } from "./generate.ts";

const made = await generate(ROOT);
if (made.size === 0) throw new Error("Nothing was generated");
for (const [path, text] of made) {
  if (!Deno.args.includes("--check")) {
    await Deno.writeTextFile(join(ROOT, path), text);
    console.log(path);
  } else if (await Deno.readTextFile(join(ROOT, path)).catch(() => "") !== text) {
    console.error(`${path} is not what its .proto file makes: run \`deno task proto\``);
    Deno.exitCode = 1;
  }
}
