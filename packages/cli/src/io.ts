// Files, stdin and stdout. Nothing is read from what is no regular file, and an output file is the old one or the new one, never a part.

import { createHash, randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { Digested } from "@firmseal/signer";
import { errors, type HashState, type Host, type Source } from "@firmseal/verifier";
import { headSize, looksLikeEnvelope } from "./envelope-kind.js";
import { environment, Failure, systemFault, tooMuch, usage } from "./failure.js";
import { hintOf } from "./hints.js";
import { grouped, LIMITS } from "./limits.js";
import { Progress, product } from "./ui.js";

/** Up to here a file is read whole; above, through a window. */
const IN_MEMORY = 64 * 1024 * 1024;
const STDIN = "-";

/**
 * Opens a regular file, with more flags where they are given. A directory, FIFO or device is wrong use; a missing or unreadable file is the
 * environment's fault.
 */
export function openRegular(path: string, flags = 0): { fd: number; size: number } {
  // descriptions and fleets name files, and Node has an error of its own for these
  if (path.includes("\0")) throw environment(`${path}: no file has a NUL in its name`, "name a file that is there");
  let fd: number;
  try {
    // O_NONBLOCK: a FIFO without a writer must not hang here
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | flags);
  } catch (e) {
    throw systemFault(e, path) ?? e;
  }
  const stat = fstatSync(fd);
  if (stat.isFile()) return { fd, size: stat.size };
  closeSync(fd);
  throw usage(
    `${path}: is a ${stat.isDirectory() ? "directory" : stat.isFIFO() ? "FIFO" : "device"}, not a file`,
    "give a regular file, or - for stdin",
  );
}

/** What is read before anything is judged. */
const HEAD = 4096;

const tooLarge = (name: string, size: string, limit: number) =>
  usage(`${name}: is too large (${size} bytes)`, `at most ${grouped(limit)} bytes are read here`);

/** How many bytes came; 0 at the end. */
function readSome(fd: number, into: Uint8Array, at: number, most: number): number {
  for (;;) {
    try {
      return readSync(fd, into, at, Math.min(most, into.length - at), null);
    } catch (e) {
      const { code } = e as NodeJS.ErrnoException;
      // Windows says EOF for a closed pipe
      if (code === "EOF") return 0;
      // who shares the descriptor may have made it non-blocking
      if (code !== "EAGAIN") throw e;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

/**
 * Reads a descriptor to its end, where that comes within `limit` bytes: it is counted while it is read, for a pipe has no size and a file may grow.
 * `begins` sees the first bytes, and may refuse before the rest is read.
 */
export function readToEnd(fd: number, name: string, limit: number, size = 0, begins?: (head: Uint8Array) => void): Uint8Array {
  // pages that nothing is read into take no memory
  let into = new Uint8Array(size > 0 && size < limit ? size + 1 : limit + 1);
  let n = 0;
  try {
    for (let seen = false; ; ) {
      const more = readSome(fd, into, n, seen ? limit : HEAD);
      n += more;
      if (!seen && (n >= 8 || more === 0)) {
        seen = true;
        begins?.(into.subarray(0, n));
      }
      if (more === 0) return into.subarray(0, n);
      if (n > limit) throw tooLarge(name, `more than ${grouped(limit)}`, limit);
      if (n === into.length) {
        const longer = new Uint8Array(limit + 1);
        longer.set(into);
        // it may hold a secret
        into.fill(0);
        into = longer;
      }
    }
  } catch (e) {
    throw systemFault(e, name) ?? e;
  }
}

/** The whole content of a file, or of stdin for "-". `begins`: as for readToEnd(). */
export function readAll(path: string, limit: number, begins?: (head: Uint8Array) => void): Uint8Array {
  if (path === STDIN) return readToEnd(0, "stdin", Math.min(limit, LIMITS.stdin), 0, begins);
  const { fd, size } = openRegular(path);
  try {
    if (size > limit) {
      begins?.(readHead(path, HEAD));
      throw tooLarge(path, String(size), limit);
    }
    return readToEnd(fd, path, limit, size, begins);
  } finally {
    closeSync(fd);
  }
}

/** The first bytes of a file. */
export function readHead(path: string, n: number): Uint8Array {
  const { fd } = openRegular(path);
  try {
    const out = new Uint8Array(n);
    return out.subarray(0, readSync(fd, out, 0, n, 0));
  } finally {
    closeSync(fd);
  }
}

/**
 * An envelope as octets. What is plainly something else is called so, not damaged CBOR. All of it is read at once: what is verified and what is used
 * must be the same bytes, whoever writes to the file meanwhile.
 */
export function readEnvelope(path: string): Uint8Array {
  return admitted(
    path,
    readAll(path, LIMITS.envelope, (head) => {
      if (!looksLikeEnvelope(head))
        throw new Failure(1, "ENVELOPE_NONE", errors.ENVELOPE_NONE, `${path}: not a SUIT envelope`, hintOf(errors.ENVELOPE_NONE));
    }),
  );
}

/** The same bytes, where there is not too much besides payloads: all of that is looked at command by command. */
export function admitted(path: string, envelope: Uint8Array): Uint8Array {
  const size = headSize(envelope);
  if (size > LIMITS.envelopeHead)
    throw tooMuch(
      `${path}: the envelope has ${grouped(size)} bytes besides its payloads`,
      `at most ${grouped(LIMITS.envelopeHead)} are read: make the manifest shorter`,
    );
  return envelope;
}

/** A file as octets, or where it is large as a Source; "-" is stdin. */
export function readSource(path: string): Uint8Array | Source {
  if (path === STDIN) return readAll(path, LIMITS.stdin);
  const { fd, size } = openRegular(path);
  if (size <= IN_MEMORY) {
    closeSync(fd);
    return readAll(path, IN_MEMORY);
  }
  return {
    length: size,
    chunk: 1 << 20,
    read(offset: number, n: number) {
      const out = new Uint8Array(n);
      for (let have = 0; have < n; ) {
        const got = readSync(fd, out, have, n - have, offset + have);
        if (got === 0) return out.subarray(0, have);
        have += got;
      }
      return out;
    },
  };
}

/** Read at a time: large enough that the calls do not count, small enough to stay in the processor's cache until it is hashed. */
const HASH_CHUNK = 1 << 18;
/** Signals are looked at each time so much has been hashed. */
const HASH_TURN = 1 << 26;

/** Digest and size of a file of any size, in constant memory. */
export async function hashFile(path: string, algorithm: "sha-256" | "sha-384" | "sha-512" = "sha-256"): Promise<Digested> {
  const { fd, size } = openRegular(path);
  const hash = createHash(algorithm.replace("-", ""));
  const progress = new Progress(`hashing ${basename(path)}`, size);
  const buffer = Buffer.allocUnsafe(HASH_CHUNK);
  let done = 0;
  try {
    for (;;) {
      const n = readSync(fd, buffer, 0, HASH_CHUNK, done);
      if (n === 0) break;
      hash.update(n === HASH_CHUNK ? buffer : buffer.subarray(0, n));
      done += n;
      progress.at(done);
      if (done % HASH_TURN < HASH_CHUNK) await new Promise(setImmediate);
    }
    return { digest: new Uint8Array(hash.digest()), size: done };
  } catch (e) {
    throw systemFault(e, path) ?? e;
  } finally {
    progress.end();
    closeSync(fd);
  }
}

function nodeHash(name: string) {
  return {
    create(): HashState {
      const hash = createHash(name);
      return {
        update: (bytes) => void hash.update(bytes instanceof Uint8Array ? bytes : Uint8Array.from(bytes)),
        digest: () => hash.digest(),
      };
    },
  };
}

/** The hash functions of Node in the verifier's shape. */
export const host: Host = { sha256: nodeHash("sha256"), sha384: nodeHash("sha384"), sha512: nodeHash("sha512") };

let temporary: string | undefined;

function cleanUp(): void {
  if (temporary === undefined) return;
  try {
    unlinkSync(temporary);
  } catch {
    // gone already
  }
  temporary = undefined;
}

const SIGNALS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;

function onSignal(signal: NodeJS.Signals): void {
  cleanUp();
  process.exit(128 + SIGNALS[signal as keyof typeof SIGNALS]);
}

/** How many are writing. */
let holders = 0;

/**
 * From here on a signal waits until what is being written is whole, up to the call of the function that comes back. To be called when writing
 * begins: at any other time, while stdin or a large file is read or a token signs, a signal has to end the program at once, and where a
 * function is installed for it, it does nothing before the call that is under way returns.
 */
export function holdSignals(): () => void {
  if (holders++ === 0) for (const signal of Object.keys(SIGNALS)) process.on(signal, onSignal);
  let released = false;
  return () => {
    if (released) return;
    released = true;
    // after the next look at what has come: one that came meanwhile must not get lost
    setImmediate(() => {
      if (--holders === 0) for (const signal of Object.keys(SIGNALS)) process.off(signal, onSignal);
    });
  };
}

/**
 * To be waited for before code of others is called that may not return, such as a token's module: signals that have come end the program now,
 * and those that come while it is called end it at once.
 */
export function signalsFree(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

// a file-size limit then shows as EFBIG and is told in words
process.on("SIGXFSZ", () => {});

/** Where an output file goes: a symbolic link stays, and what it leads to is replaced. It must be a regular file, or not there yet. */
function targetOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return path;
  if (!stat.isFile())
    throw usage(
      `${path}: is a ${stat.isDirectory() ? "directory" : stat.isFIFO() ? "FIFO" : "device"}, not a file`,
      "give a file name, or - for stdout",
    );
  return realpathSync(path);
}

function isSame(a: string, b: string): boolean {
  const [one, other] = [a, b].map((path) => statSync(path, { throwIfNoEntry: false }));
  return one && other ? one.dev === other.dev && one.ino === other.ino : resolve(a) === resolve(b);
}

/** How files of private keys begin, and those of the state of one: PEM, minisign, HSS/LMS. A JWK has its parts in any order. */
const OF_KEYS = /^(-----BEGIN ([A-Z0-9 ]+ )?PRIVATE KEY-----|-----BEGIN FIRMSEAL HSS KEY|untrusted comment: .*secret key|firmseal hss )/;

function isOfKey(path: string): boolean {
  const text = Buffer.from(readHead(path, 1024)).toString("latin1");
  return OF_KEYS.test(text) || (/"kty"\s*:/.test(text) && /"d"\s*:/.test(text));
}

function noFolder(path: string, cause?: unknown): Failure {
  return environment(`${path}: there is no folder ${dirname(path)}`, "make the folder, or choose another name", cause);
}

/**
 * An output must not be what it is made from, a private key or the state of one, or another output. An existing file of another name than
 * *.suit is replaced by an envelope only where it is one: a mistyped name must not cost a key or an image.
 */
export function checkOutput(path: string, option: string, others: readonly string[], envelope: boolean): void {
  if (path === STDIN) return;
  // before a key is used for what cannot be written
  if (!statSync(dirname(path), { throwIfNoEntry: false })) throw noFolder(path);
  const clash = others.find((other) => other !== STDIN && isSame(path, other));
  if (clash !== undefined) throw usage(`${option} ${path}: would replace ${clash}, which is in use here`, "choose another name");
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return;
  if (isOfKey(path)) throw usage(`${option} ${path}: is a private key, or the state of one`, "choose another name");
  if (!envelope || path.toLowerCase().endsWith(".suit")) return;
  const head = readHead(path, 8);
  if (head.length > 0 && !looksLikeEnvelope(head))
    throw usage(`${option} ${path}: exists and is no envelope`, "choose another name, or move the file away");
}

/** With --json, what would go to stdout is a member of the one object there. */
export function inJson(out: string, bytes: Uint8Array, asJson: boolean | undefined): { data?: string } {
  return asJson && out === STDIN ? { data: Buffer.from(bytes).toString("base64") } : {};
}

/** Writes an output, but what goes into the JSON: returns that. */
export function deliver(out: string, bytes: Uint8Array, asJson: boolean | undefined, o: { fresh?: boolean } = {}): { data?: string } {
  const member = inJson(out, bytes, asJson);
  if (member.data === undefined) writeWhole(out, bytes, o);
  return member;
}

/** Makes what was done in a folder durable. */
export function syncFolder(folder: string): void {
  const fd = openSync(folder, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Makes a new file; what is in it is durable when it returns, its name only after syncFolder(). */
export function writeDurably(path: string, bytes: Uint8Array, mode: number): void {
  const fd = openSync(path, "wx", mode);
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Writes a file by temporary file, fsync and rename, "-" to stdout. `fresh`: the file must not exist yet (then it is linked, not renamed,
 * so that one made in the meantime is not replaced). `mode` holds from the first byte on.
 */
export function writeWhole(path: string, bytes: Uint8Array, { mode = 0o644, fresh = false } = {}): void {
  if (path === STDIN) {
    try {
      product(bytes);
    } catch (e) {
      throw systemFault(e, "stdout") ?? e;
    }
    return;
  }
  const release = holdSignals();
  try {
    const target = fresh ? path : targetOf(path);
    const folder = dirname(target);
    // short, for a name may be 255 bytes long and this one is longer
    temporary = join(folder, `.${basename(target).slice(0, 40)}.${randomBytes(6).toString("hex")}.tmp`);
    // what is replaced keeps its mode: a file that others could not read must not become one that they can
    writeDurably(temporary, bytes, (statSync(target, { throwIfNoEntry: false })?.mode ?? mode) & 0o777);
    if (fresh) {
      linkSync(temporary, path);
      cleanUp();
    } else {
      renameSync(temporary, target);
      temporary = undefined;
    }
    syncFolder(folder);
  } catch (e) {
    cleanUp();
    if ((e as NodeJS.ErrnoException).code === "ENOENT") throw noFolder(path, e);
    if (fresh && (e as NodeJS.ErrnoException).code === "EEXIST")
      throw usage(`${path}: exists already and is never overwritten`, "choose another name, or move the file away");
    throw systemFault(e, path) ?? e;
  } finally {
    release();
  }
}
