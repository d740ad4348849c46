/**
 * From a URL on the command line to a configuration that is ready to start.
 *
 * @module
 */
import { readKeyFile, readNamedFile } from "../config/named_file.ts";
import { defaultSettings, readSettings } from "../config/settings.ts";
import { parseTunnelUrl } from "../config/tunnel_url.ts";
import type { Settings, TunnelConfig } from "../config/types.ts";
import { NodePassError } from "../errors.ts";
import type { Files } from "../runtime/types.ts";

/** A tunnel that can be started. */
export interface LoadedTunnel {
  readonly config: TunnelConfig;
  readonly warnings: readonly string[];
  /** Name in a run file. */
  readonly name: string | null;
}

/** A value, or everything that is wrong with it. */
export type Checked<T> = { readonly value: T; readonly findings: readonly [] } | {
  readonly value: null;
  readonly findings: readonly string[];
};

/** Runs `read` and turns its usage error into findings. */
export function checked<T>(read: () => T): Checked<T> {
  try {
    return { value: read(), findings: [] };
  } catch (error) {
    return { value: null, findings: findingsOf(error) };
  }
}

/** Like {@linkcode checked}, for what takes time. */
async function settled<T>(reading: Promise<T>): Promise<Checked<T>> {
  try {
    return { value: await reading, findings: [] };
  } catch (error) {
    return { value: null, findings: findingsOf(error) };
  }
}

function findingsOf(error: unknown): readonly string[] {
  if (!(error instanceof NodePassError) || error.code !== "usage") throw error;
  return error.message.split("\n");
}

/** Reads the environment; a bad value leaves the defaults, and a finding. */
export function loadSettings(
  env: (name: string) => string | undefined,
): { settings: Settings; findings: readonly string[] } {
  const { value, findings } = checked(() => readSettings(env));
  return { settings: value ?? defaultSettings, findings };
}

/** Parses one URL and makes sure that the files it names can be read. */
export async function loadTunnel(
  url: string,
  name: string | null,
  settings: Settings,
  files: Files,
): Promise<Checked<LoadedTunnel>> {
  const key = await settled(readKeyFile(url, settings, files));
  if (key.findings.length > 0) return { value: null, findings: key.findings };
  const parsed = checked(() => parseTunnelUrl(url, { settings, strict: true, keyText: key.value }));
  if (parsed.value === null) return parsed;
  const { config, warnings } = parsed.value;
  const findings = await checkCertificateFiles(config, files);
  return findings.length > 0 ? { value: null, findings } : { value: { config, warnings, name }, findings: [] };
}

/** What keeps the certificate files of a tunnel from being used. */
export async function checkCertificateFiles(config: TunnelConfig, files: Files): Promise<string[]> {
  const findings: string[] = [];
  const check = async (name: string, path: string, label: RegExp, expected: string): Promise<void> => {
    const { value: text, findings: unreadable } = await settled(readNamedFile(path, `Parameter "${name}"`, files));
    findings.push(...unreadable);
    if (text !== null && !label.test(text)) {
      findings.push(`Parameter "${name}" is ${JSON.stringify(path)}: expected ${expected} in this file`);
    }
  };
  const certificate = /-----BEGIN CERTIFICATE-----/;
  if (config.role === "client") {
    if (config.extraCa !== null) await check("crt", config.extraCa, certificate, "a PEM certificate");
  } else if (config.tls.kind === "files") {
    await check("crt", config.tls.files.chain, certificate, "a PEM certificate");
    await check("key", config.tls.files.key, /-----BEGIN [A-Z ]*PRIVATE KEY-----/, "a PEM private key");
  }
  return findings;
}
