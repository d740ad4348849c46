/**
 * What the commands are given.
 *
 * @module
 */
import type { TunnelConfig } from "../config/types.ts";
import type { Logger } from "../log/types.ts";
import type { Runtime } from "../runtime/types.ts";
import type { TunnelHandle, TunnelStats } from "../tunnel/types.ts";

/** Starts one instance. */
export type StartTunnel = (
  config: TunnelConfig,
  options: {
    readonly runtime: Runtime;
    readonly logger: Logger;
    readonly signal: AbortSignal;
    readonly onReport?: (stats: TunnelStats) => void;
  },
) => Promise<TunnelHandle>;

/** What every command is given. */
export interface CommandContext {
  readonly runtime: Runtime;
  readonly startTunnel: StartTunnel;
  /** Folder or file that worker threads are loaded from; null where loading them needs no permission. */
  readonly workerModules?: () => Promise<string | null>;
}

/** 0 ok, 1 cannot start or cut short, 2 usage. */
export type ExitCode = 0 | 1 | 2;

/** One line (or several) on standard output. */
export function print({ runtime }: CommandContext, text: string): void {
  runtime.process.stdout(text.endsWith("\n") ? text : `${text}\n`);
}

/** JSON on standard output, for `--json`. */
export function printJson(context: CommandContext, value: unknown): void {
  print(context, JSON.stringify(value, null, 2));
}
