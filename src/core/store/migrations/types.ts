/**
 * A step from one version of the schema to the next.
 *
 * @module
 */

/** One version of the schema. */
export interface Migration {
  /** 1, 2, 3... without gaps. */
  readonly version: number;
  /** What it brings, in a word. */
  readonly name: string;
  /**
   * Statements for both dialects. The words in braces differ: `{id}` a primary key that counts up and is never used
   * twice, `{int}` 64 bits, `{bytes}`, `{strict}` and `{rowless}` behind a table; `{postgres: ...}` and
   * `{sqlite: ...}` on lines of their own stand for one dialect alone.
   */
  readonly text: string;
}
