/**
 * The version of this program, as in `deno.json` and `package.json`.
 *
 * @module
 */

/** `major.minor.patch` */
export const VERSION: string = "1.0.0";
