/**
 * From what a program passes (a URL or a configuration) to a complete configuration.
 *
 * @module
 */
import { readKeyFile } from "../config/named_file.ts";
import { readSettings } from "../config/settings.ts";
import { parseTunnelUrl } from "../config/tunnel_url.ts";
import type { TunnelConfig } from "../config/types.ts";
import { NodePassError } from "../errors.ts";
import { detectRuntime } from "../runtime/detect.ts";
import type { StartOptions } from "./options.ts";

/**
 * The configuration of `source` for one role.
 *
 * @throws {NodePassError} `usage` with all findings, or when the URL is for the other role
 */
export async function configure<Role extends TunnelConfig["role"]>(
  source: string | TunnelConfig,
  role: Role,
  options: StartOptions,
): Promise<Extract<TunnelConfig, { role: Role }>> {
  const config = typeof source === "string" ? await parse(source, options) : source;
  if (config.role !== role) {
    throw new NodePassError("usage", `Cannot start a ${role} from a ${config.role}:// URL`);
  }
  return config as Extract<TunnelConfig, { role: Role }>;
}

async function parse(url: string, options: StartOptions): Promise<TunnelConfig> {
  const { process, files } = options.runtime ?? await detectRuntime();
  const settings = readSettings((name) => process.env(name));
  const keyText = await readKeyFile(url, settings, files);
  const { config, warnings } = parseTunnelUrl(url, { settings, strict: true, keyText });
  for (const warning of warnings) options.logger?.warn(warning);
  return config;
}
