/**
 * Where a file lies.
 *
 * @module
 */

/** The folder of a path, with the separators of the path. */
export function dirname(path: string): string {
  const cut = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  return cut > 0 ? path.slice(0, cut) : cut === 0 ? path.slice(0, 1) : ".";
}
