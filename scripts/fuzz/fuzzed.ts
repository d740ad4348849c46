/**
 * A program whose API is sent what can be made from its document.
 *
 * @module
 */

/** See the module. */
export interface Fuzzed extends AsyncDisposable {
  readonly port: number;
  /** Before the paths of the document: `/api/v1`. */
  readonly base: string;
  /** What lets in. */
  readonly headers: Readonly<Record<string, string>>;
  /** Settings and hooks of the run, beside this file. */
  readonly config: string;
  readonly hooks: string;
  /** Lines of failed requests: there must be none. */
  readonly failures: readonly string[];
  /** Whether the run still gets in at its end: otherwise it proved little. */
  stillIn(): Promise<boolean>;
}
