/**
 * From a URL on the command line to a configuration that is ready to start.
 *
 * @module
 */
import { defaultSettings, readSettings } from "../config/settings.ts";
import { parseTunnelUrl } from "../config/tunnel_url.ts";
import type { Settings, TunnelConfig } from "../config/types.ts";
import { splitUrl } from "../config/url_text.ts";
import { messageOf, NodePassError } from "../errors.ts";
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
    if (!(error instanceof NodePassError) || error.code !== "usage") throw error;
    return { value: null, findings: error.message.split("\n") };
  }
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
  const keyFile = splitUrl(url)?.key === null ? settings.keyFile : null;
  const key = keyFile === null ? null : await readFile(keyFile, "Environment variable NP_KEY_FILE", files);
  if (key !== null && key.text === null) return { value: null, findings: [key.finding] };
  const parsed = checked(() => parseTunnelUrl(url, { settings, strict: true, keyText: key?.text ?? null }));
  if (parsed.value === null) return parsed;
  const { config, warnings } = parsed.value;
  const findings = await checkCertificateFiles(config, files);
  return findings.length > 0 ? { value: null, findings } : { value: { config, warnings, name }, findings: [] };
}

type ReadFile = { readonly text: string; readonly finding: null } | { readonly text: null; readonly finding: string };

async function readFile(path: string, what: string, files: Files): Promise<ReadFile> {
  try {
    return { text: await files.readText(path), finding: null };
  } catch (error) {
    return { text: null, finding: `${what} is ${JSON.stringify(path)}: cannot read this file, ${reason(error)}` };
  }
}

function reason(error: unknown): string {
  const code = error instanceof NodePassError ? error.code : null;
  if (code === "not_found") return "it does not exist";
  if (code === "permission_denied") return "permission denied";
  return messageOf(error);
}

/** What keeps the certificate files of a tunnel from being used. */
export async function checkCertificateFiles(config: TunnelConfig, files: Files): Promise<string[]> {
  const findings: string[] = [];
  const check = async (name: string, path: string, label: RegExp, expected: string): Promise<void> => {
    const { text, finding } = await readFile(path, `Parameter "${name}"`, files);
    if (finding !== null) findings.push(finding);
    else if (!label.test(text)) {
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
