// HSS/LMS keys (RFC 8554) in files: opens one, and signs with its next leaf.

import { realpathSync } from "node:fs";
import {
  foreignSigner,
  type HssParams,
  hssCapacity,
  hssPlaces,
  hssSign,
  hssTop,
  hssTrees,
  type LmsTree,
  leafCost,
  lmsPublicKey,
  rootOf,
  thumbprint,
} from "@firmseal/signer";
import { toHex } from "@firmseal/verifier/tools";
import { Failure } from "../errors/failure.js";
import { KeyFileError } from "../errors/key-file.js";
import { STDIO } from "../files/read.js";
import { warn } from "../notices.js";
import { type Asking, type OpenedKey, withRetries } from "../source.js";
import { visible } from "../words.js";
import { buildCachedNodes } from "./build.js";
import { type HssFile, readHssFile, unlockHss } from "./file.js";
import { HssPlaceOnDisk, type HssState, type SignedRoots, stateFault } from "./state.js";
import { readTreeFile, writeTreeFile } from "./tree-file.js";

/** Returns whether a key is nearly used up: at least 90 % of the leaves are used, or at most 10 are left. */
export function isNearlyUsed(params: HssParams, next: bigint): boolean {
  const all = hssCapacity(params);
  return next * 10n >= all * 9n || all - next <= 10n;
}

/** Returns a Failure, KEY_EXHAUSTED, for an HSS/LMS key without an unused leaf. `name`: its name in the message. */
export function exhaustedFailure(name: string): Failure {
  return new Failure(
    1,
    "ERR_KEY_EXHAUSTED",
    `${name}: every leaf of the key is used`,
    "make a new key, and make devices trust it before the next release",
  );
}

/** Returns the Failure for a key that another process used in the meantime: nothing was signed. */
export function overtakenFailure(name: string, what: string): Failure {
  return stateFault(`${name}: ${what}`, "run the command again; nothing was signed");
}

/** Returns the place of the state of the key in `path`. */
export function hssPlaceOf(path: string, file: HssFile): HssPlaceOnDisk {
  return new HssPlaceOnDisk(realpathSync(path), path, toHex(thumbprint(file.public)));
}

/**
 * Opens the key in a file with the given text. Refuses a key without a usable state, before asking for a passphrase.
 */
export async function openHss(path: string, text: string, ask: Asking): Promise<OpenedKey> {
  const file = readHssFile(text, path);
  if (ask.publicOnly) return { name: path, public: file.public, ...(path !== STDIO && { file: path }) };
  if (path === STDIO)
    throw new KeyFileError("stdin: an HSS/LMS private key, whose state is beside its file", "name the file: `key` KEY.hss", 2);
  const place = hssPlaceOf(path, file);
  if (place.checked().next >= hssCapacity(file.params)) throw exhaustedFailure(path);
  const seed = await withRetries(ask, () => unlockHss(file, path, () => ask.secret(`Passphrase for ${visible(path)}: `)));
  // in an unencrypted file, this is the seed
  file.content.fill(0);
  const key = new HssKey(file, place, seed, ask.signal);
  return {
    name: path,
    public: file.public,
    file: path,
    // signatures are verified with the verifier of the devices; the leaf of an invalid one is lost
    signer: foreignSigner(file.public, (tbs) => key.sign(tbs)),
    claim: () => key.claim(),
    left: () => hssCapacity(file.params) - place.checked().next,
    patience: key.patience(),
    async [Symbol.asyncDispose]() {
      key.wipe();
    },
  };
}

/** A claimed leaf and the function that signs with it. */
interface Claimed {
  index: bigint;
  trees: LmsTree[];
  floors: Uint8Array[];
}

class HssKey {
  private readonly top: LmsTree;
  /** Claimed leaves that have not signed yet. */
  private readonly claimed: Claimed[] = [];
  private wiped = false;
  private readonly floors = new Map<number, { tree: bigint; floor: Uint8Array }>();

  constructor(
    private readonly file: HssFile,
    private readonly place: HssPlaceOnDisk,
    seed: Uint8Array,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.top = hssTop(file.params, Uint8Array.from(file.public.key.subarray(12, 28)), seed);
    // the tree has a copy
    seed.fill(0);
  }

  /** Ends the use of the key and erases secrets. */
  wipe(): void {
    this.wiped = true;
    this.top.seed.fill(0);
  }

  /** Claims the next leaf for one signature. It is never given out again, whether the signature is made or not. */
  async claim(): Promise<string> {
    const claimed = await this.next();
    this.claimed.push(claimed);
    return String(claimed.index);
  }

  private next(): Promise<Claimed> {
    return this.place.locked((stillOurs) => this.reserve(stillOurs), this.patience(), this.signal);
  }

  async sign(message: Uint8Array): Promise<Uint8Array> {
    if (this.wiped) throw new RangeError("the key was closed");
    const { params } = this.file;
    const { index, trees, floors } = this.claimed.shift() ?? (await this.next());
    // nothing below can cause a second signature with this leaf: if anything fails, the number is lost
    try {
      return hssSign(params, trees, floors, index, message);
    } finally {
      for (const { seed } of trees.slice(1)) seed.fill(0);
    }
  }

  /**
   * How many seconds to wait for other users: one of them may be computing the next lower tree, at a million hashes per
   * second or more.
   */
  patience(): number {
    const { n, levels } = this.file.params;
    return 60 + Math.max(0, ...levels.slice(1).map(({ height, width }) => (2 ** height * leafCost(n, width)) / 1e6));
  }

  /** Claims the next number and prepares its signature. */
  private async reserve(stillOurs: () => boolean): Promise<Claimed> {
    const { place } = this;
    const { params } = this.file;
    const state = place.checked();
    const index = state.next;
    if (index >= hssCapacity(params)) throw exhaustedFailure(place.name);
    const trees = hssTrees(params, this.top, index);
    const places = hssPlaces(params, index);
    const floors: Uint8Array[] = [];
    const roots: Map<number, { tree: bigint; root: string }> = new Map();
    for (const [level, tree] of trees.entries()) {
      const number = places[level]?.tree as bigint;
      const floor = await this.cachedOf(level, number, tree);
      const root = rootOf(tree, floor);
      if (level === 0) this.checkTop(tree, root);
      else roots.set(level, this.checkLower(level, number, root, state));
      floors.push(floor);
    }
    const next = index + 1n;
    this.signal?.throwIfAborted();
    // Computing a lower tree takes minutes. If a person removed our locks meanwhile, stop before a leaf is lost.
    if (!stillOurs()) throw overtakenFailure(place.name, "the locks of the key were removed");
    const follows = (now: HssState | string) =>
      typeof now !== "string" && now.next < next && [...roots].every(([level, one]) => fitsPlace(level, one, now.roots));
    if (!place.advance(state, { next, roots }, follows)) throw overtakenFailure(place.name, "another process used the key in the meantime");
    const left = hssCapacity(params) - next;
    if (index > state.seen + 1n)
      warn(`${visible(place.name)}: its state was ${index - state.seen} leaves ahead of what this machine has signed`);
    if (left === 0n)
      warn(`${visible(place.name)}: this was the last of ${hssCapacity(params)} signatures; the next release needs a new key`);
    else if (isNearlyUsed(params, next))
      warn(
        `${visible(place.name)}: ${left} of ${hssCapacity(params)} signatures are left; make devices trust a new key before they run out`,
      );
    return { index, trees, floors };
  }

  private async cachedOf(level: number, number: bigint, tree: LmsTree): Promise<Uint8Array> {
    const known = this.floors.get(level);
    if (known?.tree === number) return known.floor;
    const path = this.place.tree(level);
    let floor = readTreeFile(path, tree);
    if (!floor) {
      floor = await buildCachedNodes(tree, `making tree ${number} of level ${level + 1}`);
      if (level === 0) this.checkTop(tree, rootOf(tree, floor));
      writeTreeFile(path, tree, floor);
    }
    this.floors.set(level, { tree: number, floor });
    return floor;
  }

  private checkTop(tree: LmsTree, root: Uint8Array): void {
    if (!Buffer.from(lmsPublicKey(tree, root)).equals(this.file.public.key.subarray(4)))
      throw new KeyFileError(
        `${this.place.name}: the public key does not match the secret`,
        "the file mixes two keys, or this machine computes wrong results: restore the key from a backup, but not its state",
        2,
      );
  }

  /**
   * A tree that has been signed must yield the same public key again: otherwise the leaf above would sign two messages
   * (SP 800-208 §9.2).
   */
  private checkLower(level: number, tree: bigint, root: Uint8Array, state: HssState): { tree: bigint; root: string } {
    const one = { tree, root: toHex(root) };
    if (!fitsPlace(level, one, state.roots))
      throw stateFault(
        `${this.place.name}: a lower tree differs from the one that was signed: this machine computes wrong results`,
        "sign on another machine, with this key and its state",
      );
    return one;
  }
}

/** Whether the tree was signed with this public key, or has not been signed yet. */
function fitsPlace(level: number, { tree, root }: { tree: bigint; root: string }, roots: SignedRoots): boolean {
  const signed = roots.get(level);
  return signed?.tree !== tree || signed.root === root;
}
