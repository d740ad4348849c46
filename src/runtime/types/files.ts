/**
 * The port for files.
 *
 * @module
 */

/** How `Files.writeAtomically` writes. */
export interface WriteOptions {
  /** Permission bits of the file, whatever the umask says. */
  readonly mode: number;
  /** Waits until the disk itself has the bytes and the name. @default true */
  readonly sync?: boolean;
}

/** A claim on a path that no other program holds at the same time. */
export interface FileLock {
  /** False once it was released, or taken over by another program while this one stood still for seconds. */
  readonly held: boolean;
  /** Lets go. Idempotent. */
  release(): Promise<void>;
}

/** Files and folders of the machine. Paths in errors are those that were asked for. */
export interface Files {
  /** The text of a file. */
  readText(path: string): Promise<string>;
  /** Milliseconds since the epoch of the last change. */
  modifiedAt(path: string): Promise<number>;
  /** All bytes of a file; rejects with code `limit` where there are more than `limit`. */
  readBytes(path: string, limit: number): Promise<Uint8Array>;
  /**
   * Replaces a file: readers see the old bytes or the new ones, also after the power failed. Whatever goes wrong (code
   * `no_space` on a full disk), the old file is intact.
   */
  writeAtomically(path: string, bytes: Uint8Array, options: WriteOptions): Promise<void>;
  /** Gives a file another name in the same file system; what had that name is gone. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file; a missing one is fine. */
  remove(path: string): Promise<void>;
  /** Makes a folder and those above it; one that exists stays as it is. */
  makeDirectory(path: string, mode: number): Promise<void>;
  /** Names in a folder, sorted. */
  list(path: string): Promise<readonly string[]>;
  /** Whether something of this name is there. */
  exists(path: string): Promise<boolean>;
  /**
   * Claims a path for this program alone. A claim ends with the process that made it, however that ended.
   * Rejects with code `locked`, naming the process that holds it.
   *
   * @param path need not exist; the folder must
   */
  lock(path: string): Promise<FileLock>;
}
