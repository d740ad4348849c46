/**
 * The version of this program.
 *
 * @module
 */

/** Semantic version, without the `v`. */
export const version = "1.0.0";

/** The line that `nodepass version` prints. */
export const versionLine: string = `nodepass v${version}`;
