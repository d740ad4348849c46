/**
 * A path that one program holds at a time.
 *
 * Each contender puts a claim, an empty file named after its process, beside the path, and only then looks for others:
 * of two at the same time at least one sees the other and steps back. A claim whose process is gone is nobody's and can
 * be removed by everybody, since no process ever makes the same one again. Where the runtime can lock files, the system
 * says whether a claim's process is there; else its number and start time do. Claims of processes out of sight (another
 * container, another machine, no permission to look) count as long as their file is touched every second.
 *
 * @module
 */
import { open, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { NodePassError } from "../../errors.ts";
import type { FileLock } from "../types.ts";
import { canSee, ownMark, type ProcessMark, sightOf } from "./process_mark.ts";
import { randomName } from "./random_name.ts";

/** How often a holder touches its claim. */
const BEAT_MS = 1_000;
/** A claim out of sight that was not touched for this long is nobody's. */
const PATIENCE_MS = 5_000;
/** How often a claim is made before somebody else's counts as more than a contender that will step back, too. */
const ATTEMPTS = 8;
const PAUSE_MS = { least: 5, spread: 25 } as const;

/** Files that the system keeps locked for the process that made them. */
export interface KeptFiles {
  /** Makes an empty file and keeps it locked until the returned function is called or the process ends. */
  make(path: string): Promise<() => void>;
  /** Whether a process keeps this file locked. */
  isKept(path: string): Promise<boolean>;
}

interface Claim {
  readonly path: string;
  readonly name: string;
  readonly mark: ProcessMark;
  /** Its file is locked by its process. */
  readonly kept: boolean;
}

/** What an attempt knows of this program. */
interface Contender {
  readonly mark: ProcessMark;
  readonly keptFiles: KeptFiles | null;
}

/** Marks the names of claims whose file is locked. */
const KEPT = "k";
/** What stands behind the name of the path in the name of a claim. */
const CLAIM = /^(\d+)-(\d+)-(\d+)-([0-9a-f]+)-(k?)[0-9a-f]{12}$/;

/** Claims of this program, whatever it can see of itself. */
const ours = new Set<string>();

/**
 * Claims `path`.
 *
 * @param keptFiles null where the runtime cannot lock files
 * @throws {NodePassError} code `locked`
 */
export async function lockPath(path: string, keptFiles: KeptFiles | null = null): Promise<FileLock> {
  const own: Contender = { mark: await ownMark(), keptFiles };
  for (let attempt = 1;; attempt++) {
    const claim = await makeClaim(path, own);
    let holder: Claim | null;
    try {
      holder = await otherHolder(path, claim.name, own);
    } catch (error) {
      await claim.withdraw();
      throw error;
    }
    if (holder === null) return hold(claim);
    await claim.withdraw();
    if (attempt === ATTEMPTS || isOutOfSight(holder, own)) {
      throw new NodePassError("locked", `Cannot lock ${path}: process ${holder.mark.pid} holds it`);
    }
    await pause(PAUSE_MS.least + Math.random() * PAUSE_MS.spread);
  }
}

interface OwnClaim extends Pick<Claim, "path" | "name"> {
  withdraw(): Promise<void>;
}

async function makeClaim(path: string, { mark, keptFiles }: Contender): Promise<OwnClaim> {
  const unique = `${keptFiles === null ? "" : KEPT}${randomName()}`;
  const name = `${basename(path)}.${mark.pid}-${mark.start}-${mark.space}-${mark.boot}-${unique}`;
  const claim = join(dirname(path), name);
  let letGo = (): void => {};
  ours.add(name);
  try {
    if (keptFiles === null) await (await open(claim, "wx", 0o600)).close();
    else {
      // Seen only once it is locked: before, it would look like one that was left behind.
      const unseen = join(dirname(path), `.${name}`);
      letGo = await keptFiles.make(unseen);
      await rename(unseen, claim);
    }
  } catch (error) {
    letGo();
    ours.delete(name);
    throw error;
  }
  return {
    path: claim,
    name,
    async withdraw() {
      await rm(claim, { force: true });
      letGo();
      ours.delete(name);
    },
  };
}

/** Somebody else who is there; claims of those who are not are removed. */
async function otherHolder(path: string, ownName: string, own: Contender): Promise<Claim | null> {
  for (const claim of await claimsOn(path)) {
    if (claim.name === ownName) continue;
    if (ours.has(claim.name) || await isAlive(claim, own)) return claim;
    await rm(claim.path, { force: true });
  }
  return null;
}

async function claimsOn(path: string): Promise<Claim[]> {
  const folder = dirname(path);
  const start = `${basename(path)}.`;
  return (await readdir(folder)).filter((name) => name.startsWith(start)).flatMap((name) => {
    const [, pid, began, space, boot, kept] = CLAIM.exec(name.slice(start.length)) ?? [];
    if (pid === undefined || began === undefined || space === undefined || boot === undefined) return [];
    return [{ path: join(folder, name), name, mark: { pid, start: began, space, boot }, kept: kept === KEPT }];
  });
}

/** Watching it took longer than a contender needs to step back. */
function isOutOfSight({ mark, kept }: Claim, { mark: own, keptFiles }: Contender): boolean {
  return !(kept && keptFiles !== null) && !canSee(own, mark);
}

async function isAlive(claim: Claim, { mark, keptFiles }: Contender): Promise<boolean> {
  if (claim.kept && keptFiles !== null) return await keptFiles.isKept(claim.path);
  const sight = await sightOf(claim.mark, mark);
  return sight === "unknown" ? await isTouched(claim, mark) : sight === "alive";
}

/** Watches a claim until it is touched, is gone or was left alone for too long. */
async function isTouched(claim: Claim, own: ProcessMark): Promise<boolean> {
  const first = await touchedAt(claim);
  if (first === null) return false;
  // The same machine has one clock: what was left alone for long needs no watching.
  const age = claim.mark.boot === own.boot && own.boot !== "0" ? Date.now() - first : 0;
  for (let left = PATIENCE_MS - Math.max(0, age); left > 0; left -= BEAT_MS / 2) {
    await pause(Math.min(left, BEAT_MS / 2));
    const now = await touchedAt(claim);
    if (now !== first) return now !== null;
  }
  return false;
}

async function touchedAt({ path }: Pick<Claim, "path">): Promise<number | null> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return null;
    throw error;
  }
}

function hold(claim: OwnClaim): FileLock {
  let held = true;
  let released = false;
  let beating: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    const now = new Date();
    beating = utimes(claim.path, now, now).catch((error) => {
      if ((error as { code?: unknown }).code === "ENOENT") held = false;
    });
  }, BEAT_MS);
  return {
    get held() {
      return held;
    },
    async release() {
      if (released) return;
      released = true;
      held = false;
      clearInterval(timer);
      await beating;
      await claim.withdraw();
    },
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
