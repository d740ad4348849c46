/**
 * The logger of whoever asked for none.
 *
 * @module
 */
import type { Logger } from "./types.ts";

const nothing = (): void => {};

/** Writes nothing. */
export const silentLogger: Logger = Object.freeze({
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  event: nothing,
  enabled: () => false,
  with: () => silentLogger,
});
