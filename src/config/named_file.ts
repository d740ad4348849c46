/**
 * Text of the files that a URL or the environment names.
 *
 * @module
 */
import { messageOf, NodePassError } from "../errors.ts";
import type { Files } from "../runtime/types.ts";
import type { Settings } from "./types.ts";
import { splitUrl } from "./url_text.ts";

/**
 * Text of a file.
 *
 * @param what which setting names it, for the error: `Parameter "crt"`
 * @throws {NodePassError} `usage` when it cannot be read
 */
export async function readNamedFile(path: string, what: string, files: Pick<Files, "readText">): Promise<string> {
  try {
    return await files.readText(path);
  } catch (cause) {
    throw new NodePassError("usage", `${what} is ${JSON.stringify(path)}: cannot read this file, ${reason(cause)}`, {
      cause,
    });
  }
}

/**
 * Content of the file that `NP_KEY_FILE` names; null without one, and for a URL with a key, which comes first.
 *
 * @throws {NodePassError} `usage` when it cannot be read
 */
export async function readKeyFile(
  url: string,
  settings: Settings,
  files: Pick<Files, "readText">,
): Promise<string | null> {
  if (settings.keyFile === null || splitUrl(url)?.key !== null) return null;
  return await readNamedFile(settings.keyFile, "Environment variable NP_KEY_FILE", files);
}

function reason(error: unknown): string {
  const code = error instanceof NodePassError ? error.code : null;
  if (code === "not_found") return "it does not exist";
  if (code === "permission_denied") return "permission denied";
  return messageOf(error);
}
