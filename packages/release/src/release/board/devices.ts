// The devices of a product, as the bundle that they run decides: which keys are trusted, and what happens to a release.

import { existsSync } from "node:fs";
import { Failure, publicKeys } from "@firmseal/keys";
import { environment, publicFileOf, refusedInput, STDIO, schemeOf, shellWord, sizeOf, usage, visible } from "@firmseal/keys/internal";
import { type EnvelopeDraft, formatUuid, identityUuids, type PublicKey, ROLES } from "@firmseal/signer";
import { errors, type Identity } from "@firmseal/verifier";
import { codeOfRefusal, equalBytes, parseSequence, toHex } from "@firmseal/verifier/tools";
import { bigSequence } from "../../input/sequence.js";
import { productOption } from "../../product/file/file-name.js";
import { type Board, type Product, takesTrust } from "../../product/file/product.js";
import type { SigningRole } from "../../product/file/written.js";
import { type Cohort, type DeviceModel, modelOf } from "../../rotation/model.js";
import { checkSuccession } from "../../rotation/move.js";
import { planAsIfSigned } from "../../rotation/plan/as-if-signed.js";
import { type CohortResult, planSteps } from "../../rotation/plan/plan.js";
import { refuseLastNumber } from "../../signing/authorize-trust.js";
import { readTrustChain, refuseOtherLine, trustFilesIn } from "../../trust/chain.js";
import { countingKeys, knownFamilies } from "../../trust/quorum.js";
import { type PinOptions, readPinnedTrust, readTrustFile, type TrustOnFile } from "../../trust/read.js";
import type { TrustOptions } from "../../trust/trusted-keys.js";
import { refusalHint, refusalMeaning } from "../../verify/refusals.js";

/** The trust files that devices have: that of the product, and then the one that the release brings, if it is newer. */
export type TrustLists = readonly [TrustOnFile, ...TrustOnFile[]];

/** The keys that the devices of a product trust. */
export type ProductTrusted = { readonly lists: TrustLists } | { readonly keys: readonly PublicKey[]; readonly threshold: number };

/** Refuses a file that is not there. `member`: the member of the product file that names it. */
export function refuseMissingFile(product: Product, member: string, file: string, hint: string): void {
  if (schemeOf(file) !== undefined) return;
  try {
    sizeOf(file);
  } catch (e) {
    if (((e as Error).cause as NodeJS.ErrnoException | undefined)?.code !== "ENOENT") throw e;
    throw environment(`${product.path}: ${member}: ${visible(file)}: file not found`, hint);
  }
}

/** What the trust file of a product is checked against: its roots and its name. */
export const trustPins = ({ trust: { root, name } }: Product): PinOptions => ({
  ...(root.length > 0 && { root: [...root] }),
  ...(name !== undefined && { trustName: name }),
});

/**
 * Returns the options of `verify` for a product. Nothing that verifies may start a program or ask for a PIN, so keys
 * must be files. Throws a Failure if the product file names none.
 */
export function trustOptions(product: Product): TrustOptions {
  const { file, keys, threshold } = product.trust;
  if (file !== undefined) {
    refuseMissingFile(product, "[trust] file", file, "get the trust file of the product, or correct the name");
    return { trust: file, ...trustPins(product) };
  }
  const known = keys.length > 0 ? keys : product.keys.release;
  if (known.length === 0)
    throw product.fault(
      "/keys",
      "keys names no key, and devices trust only named keys",
      'name the public key: [trust] keys = "release.pub"',
    );
  const other = known.find((ref) => schemeOf(ref) !== undefined);
  if (other !== undefined)
    throw product.fault(
      "/keys/release",
      "the release key is not a file, and nothing that verifies may use it",
      'name its public half: [trust] keys = "release.pub"; firmseal pubkey KEY writes it',
    );
  for (const ref of known) {
    if (keys.length > 0) refuseMissingFile(product, "[trust] keys", ref, "get the public key of the signer, or correct the name");
    else
      refuseMissingFile(
        product,
        "[keys] release",
        ref,
        'name its public half: [trust] keys = "release.pub"; firmseal pubkey KEY writes it',
      );
  }
  return { key: [...known], threshold };
}

/** The trust files of a product, verified. */
export interface ProductLists {
  /** Undefined if the product has none. */
  readonly lists: TrustLists | undefined;
  /** What each release brings: a trust file, or a chain of them. */
  readonly carried: Uint8Array | undefined;
}

/** Reads the trust files of a product. */
export async function productLists(product: Product): Promise<ProductLists> {
  const { file, carry } = product.trust;
  if (file === undefined) return { lists: undefined, carried: undefined };
  const { store, bytes } = await readPinnedTrust(file, trustPins(product));
  const has = { path: file, store, bytes };
  if (carry === undefined) return { lists: [has], carried: undefined };
  const { next, carried, isNewer } = carriedAfter(product, carry, has);
  return { lists: isNewer ? [has, next] : [has], carried };
}

/** What releases bring to devices. */
export interface Carried {
  /** The trust file, or the chain of them. */
  readonly carried: Uint8Array;
  /** The trust file that devices have then. */
  readonly next: TrustOnFile;
  /** Whether it differs from the one before. */
  readonly isNewer: boolean;
}

/** Returns what releases bring to devices with `has`. Throws a Failure if they would not take it. */
export function carriedAfter(product: Product, carry: string, has: TrustOnFile): Carried {
  refuseMissingFile(product, "[trust] carry", carry, "get the trust file that releases bring, or correct the name");
  const chain = readTrustChain(carry);
  refuseOtherLine(carry, chain.store, has);
  checkSuccession(has, chain);
  refuseLastNumber(bigSequence(chain.store.sequence));
  const carried = chain.bytes;
  const next = { ...chain, bytes: trustFilesIn(carried).at(-1) as Uint8Array };
  return { carried, next, isNewer: !equalBytes(has.store.payload, next.store.payload) };
}

/** The keys that the product file says devices trust. Undefined if it names none, or a trust file. */
export async function productTrustKeys({ trust: { keys } }: Product, lists: TrustLists | undefined): Promise<PublicKey[] | undefined> {
  return lists || keys.length === 0 ? undefined : await publicKeys(keys, []);
}

/**
 * The keys that devices trust: the trust file of the product, or the keys that it names. If it has neither, `signers`,
 * the keys that sign.
 */
export function productTrusted(
  product: Product,
  { lists, trustKeys }: { readonly lists: TrustLists | undefined; readonly trustKeys: readonly PublicKey[] | undefined },
  signers: readonly PublicKey[],
): ProductTrusted {
  return lists ? { lists } : { keys: trustKeys ?? signers, threshold: product.trust.threshold };
}

/** The class identifiers of a board, and their names. */
export function classesOf(product: Product, board: Board): { vendor: string; classes: { name: string; id: string }[] } {
  const ids = board.classes.map((name) => ({ name, ...identityUuids(product.vendor, name) }));
  return {
    vendor: formatUuid((ids[0] as (typeof ids)[number]).vendor),
    classes: ids.map(({ name, class: id }) => ({ name, id: formatUuid(id) })),
  };
}

/** Returns the kinds of device of a board, vendor/class, as logs name them. */
export function scopeOfBoard(product: Product, board: Board): string[] {
  const { vendor, classes } = classesOf(product, board);
  return classes.map(({ id }) => `${vendor}/${id}`);
}

/** Devices of a board, the keys that they trust, and the role in which they install its releases. */
export interface BoardDevices {
  readonly product: Product;
  readonly board: Board;
  readonly trusted: ProductTrusted;
  readonly role: SigningRole;
}

/** The keys with a role in a trust file: those that count for a number on devices of the board, or all of the file. */
function keysIn({ store }: TrustOnFile, { role, product, board, sequence }: NeededBy): string[] {
  const name = ({ key }: { readonly key: ArrayLike<number> }) => toHex(Uint8Array.from(key));
  if (!board || sequence === undefined) return store.anchors.filter(({ roles }) => roles.includes(ROLES[role])).map(name);
  const found = identitiesOf(product, board).flatMap((identity) => countingKeys(store, ROLES[role], identity, sequence));
  return [...new Set(found.map(name))];
}

/** What neededOf() asks for: of a board and a number, or of the product. */
type NeededBy = Pick<BoardDevices, "product" | "trusted" | "role"> & { readonly board?: Board; readonly sequence?: bigint };

/** How many keys a trust file needs at least: families of algorithms can need more than the threshold. */
const needOf = ({ store }: TrustOnFile, role: SigningRole): number =>
  Math.max(
    store.thresholds[ROLES[role]] as number,
    (knownFamilies(store, ROLES[role]) ?? []).reduce((n, { threshold }) => n + threshold, 0),
  );

/** How many keys must sign at least. Two trust files need more than one of them, unless the same keys count in both. */
export function neededOf(by: NeededBy): number {
  const { trusted, role, board } = by;
  if (!("lists" in trusted)) return trusted.threshold;
  const lists = board ? trustListsOf({ board, trusted }) : trusted.lists;
  const needs = lists.map((list) => needOf(list, role));
  const [first = [], ...others] = lists.map((list) => keysIn(list, by));
  const inBoth = first.filter((key) => others.every((keys) => keys.includes(key))).length;
  const sum = needs.reduce((n, one) => n + one, 0);
  return lists.length < 2 ? sum : Math.max(...needs, sum - Math.min(inBoth, ...needs));
}

/** Refuses a product file that names some of the keys that must sign, and not all. Throws a Failure: PRODUCT. */
export function refuseFewKeys(named: number, needed: number): void {
  if (named > 0 && named < needed)
    throw refusedInput(
      "ERR_PRODUCT",
      `[keys] has ${named} of the ${needed} keys that must sign`,
      "name the others too, or none: then each person signs with firmseal sign",
    );
}

/** Returns the identities of the devices of a board, one for each class. */
export const identitiesOf = (product: Product, board: Board): Identity[] =>
  board.classes.map((name) => {
    const { vendor, class: id } = identityUuids(product.vendor, name);
    return { vendor: [vendor], class: [id] };
  });

/** The trust files that devices of a board may have. */
export const trustListsOf = ({ board, trusted }: Pick<BoardDevices, "board" | "trusted">): readonly TrustOnFile[] =>
  "lists" in trusted ? trusted.lists.slice(0, takesTrust(board) ? undefined : 1) : [];

/** A device of each class of a board, with each trust file that it may have, and with nothing installed. */
export function devicesOf(to: BoardDevices): Cohort[] {
  const lists = trustListsOf(to);
  const suffix = ({ path }: TrustOnFile) => (lists.length < 2 && path === to.product.trust.file ? "" : ` with ${path}`);
  return lists.length === 0 ? devicesWith(to, undefined) : lists.flatMap((list) => devicesWith(to, list, suffix(list)));
}

function devicesWith({ product, board, trusted, role }: BoardDevices, trust: TrustOnFile | undefined, suffix = ""): Cohort[] {
  return identitiesOf(product, board).map((identity, i) => {
    const own = "lists" in trusted ? { trust: trust as TrustOnFile } : { embedded: { keys: trusted.keys, threshold: trusted.threshold } };
    const model: DeviceModel = modelOf({
      identity,
      verifier: board.for === "micro" ? "micro" : "general",
      role: ROLES[role],
      ...own,
    });
    const floor = parseSequence("0");
    return { name: `${board.classes[i]}${suffix}`, devices: 1, model, floor, floors: { debug: floor, recovery: floor } };
  });
}

/** The Failure for a trust file that devices of a class do not take out of a release. */
const untaken = (board: Board, name: string, code: number): Failure =>
  new Failure(
    1,
    codeOfRefusal(code),
    `board ${board.name}: a device of class ${name} would not take the trust file of the release: ${refusalMeaning(code)}`,
    "sign with as many keys as both trust files need: [trust] file, and the one that the release carries",
  );

/** Whether a device takes the release, and the trust file in it. */
const isStepTaken = ({ code, fit, trustCode }: CohortResult["steps"][number]): boolean =>
  code === 0 && fit === "addressed" && trustCode === 0;

function refuseRefused(board: Board, results: readonly CohortResult[], keys: number): void {
  for (const { name, steps } of results)
    for (const step of steps) {
      const { code, fit, trustCode } = step;
      if (isStepTaken(step)) continue;
      if (code === 0 && fit === "addressed") throw untaken(board, name, trustCode);
      const few = code === errors.SIGNATURE_THRESHOLD ? `: ${keys} ${keys === 1 ? "key signs" : "keys sign"} it` : "";
      throw new Failure(
        1,
        codeOfRefusal(code),
        `board ${board.name}: a device of class ${name} would refuse the release: ${refusalMeaning(code)}${few}`,
        few === "" ? refusalHint(code) : "name more keys in [keys] of the product file, or sign one after the other: `key`",
      );
    }
}

/** What devices do with an envelope without signatures once `keys` have signed it. */
function offeredAsIfSigned(to: BoardDevices, draft: EnvelopeDraft, keys: readonly PublicKey[]): Promise<CohortResult[]> {
  return planAsIfSigned(devicesOf(to), to.board.name, draft, keys, trustListsOf(to));
}

/** What devices do with a signed envelope. */
function offered(to: BoardDevices, draft: EnvelopeDraft): CohortResult[] {
  const step = { name: to.board.name, envelope: draft.bytes, sequence: draft.sequence };
  const stores = trustListsOf(to).map(({ store }) => store);
  return planSteps(devicesOf(to), [step], { lost: new Set(), stolen: new Set() }, stores);
}

const areTaken = (results: readonly CohortResult[]): boolean => results.every(({ steps }) => steps.every(isStepTaken));

/** Whether devices accept an envelope without signatures once `keys` have signed it. */
export const isAccepted = async (to: BoardDevices, draft: EnvelopeDraft, keys: readonly PublicKey[]): Promise<boolean> =>
  areTaken(await offeredAsIfSigned(to, draft, keys));

/** Whether devices accept a signed envelope. */
export const isTaken = (to: BoardDevices, draft: EnvelopeDraft): boolean => areTaken(offered(to, draft));

/** Refuses an envelope that devices would refuse once `keys` have signed it, before any of them does. */
export async function refuseBeforeSigning(to: BoardDevices, draft: EnvelopeDraft, keys: readonly PublicKey[]): Promise<void> {
  refuseRefused(to.board, await offeredAsIfSigned(to, draft, keys), keys.length);
}

/** Refuses an envelope that this number of `keys` signed if the bundle of the devices refuses it. */
export function refuseSigned(to: BoardDevices, draft: EnvelopeDraft, keys: number): void {
  refuseRefused(to.board, offered(to, draft), keys);
}

/**
 * Refuses a signed envelope that brings a trust file which devices with the trust file of the product do not take. They
 * may have a newer one.
 */
export function refuseUntakenTrust(product: Product, board: Board, role: SigningRole, draft: EnvelopeDraft): void {
  const { file } = product.trust;
  if (file === undefined || !takesTrust(board)) return;
  for (const { steps, name } of offered({ product, board, trusted: { lists: [readTrustFile(file)] }, role }, draft))
    for (const { trustCode } of steps) if (trustCode !== 0 && trustCode !== errors.TRUST_ROLLBACK) throw untaken(board, name, trustCode);
}

/** Whose keys sign: those that are given, those of the product file, or nobody now. */
export interface Signing {
  /** References of keys that sign instead of those in the product file. */
  readonly keys?: readonly string[];
  /** Nobody signs now: others do so later. */
  readonly unsigned?: boolean;
}

/** Whether the signatures of several keys are needed, as far as the product file says it: a trust file may say it. */
const isForSeveral = ({ trust: { file, threshold } }: Product): boolean => file !== undefined || threshold > 1;

/** What else a person can do whose product file names no key for a release. */
export function ifNoKey({ path }: Product, role: SigningRole): string {
  const line = (how: string) =>
    `firmseal release --version VERSION${role === "release" ? "" : ` --role ${role}`}${productOption(path)} --${how}`;
  return `; with a key for this release alone: ${line("key KEY")}; if people sign elsewhere: ${line("unsigned")}`;
}

/** References of the keys that sign now. Empty if others do so later. Throws a Failure if the product names no key. */
export function referencesOf(product: Product, role: SigningRole, o: Signing): readonly string[] {
  if (o.unsigned && o.keys) throw usage("`unsigned`: nobody signs now, and a key is given", "drop one of them");
  if (o.unsigned) return [];
  if (o.keys) return o.keys;
  return isForSeveral(product) && product.keys[role].length === 0 ? [] : signingKeys(product, role, ifNoKey(product, role));
}

/**
 * Refuses a release whose keys are not there, before anything else is tried. References of other kinds are opened
 * later.
 */
export function refuseMissingKeys(product: Product, role: SigningRole, o: Signing = {}): void {
  for (const ref of o.keys ?? []) if (schemeOf(ref) === undefined && ref !== STDIO) sizeOf(ref);
  if (o.keys) return;
  for (const ref of referencesOf(product, role, o)) refuseMissingKey(product, role, ref);
}

/** Refuses a key of the product file that is a file and is not there. */
export function refuseMissingKey(product: Product, role: SigningRole, ref: string): void {
  const publicKey = publicFileOf(ref);
  const hint = existsSync(publicKey)
    ? `bring the file here, or correct the name; if the key is lost: firmseal incident lost --key ${shellWord(visible(publicKey))}`
    : `make the key, firmseal keygen --out ${shellWord(visible(ref))}, or correct the name`;
  refuseMissingFile(product, `[keys] ${role}`, ref, hint);
}

/** Returns the keys of a role. Throws a Failure if the product has none. `others`: what else a person can do. */
export function signingKeys(product: Product, role: SigningRole, others = ""): readonly string[] {
  const refs = product.keys[role];
  if (refs.length === 0)
    throw product.fault(
      "/keys",
      `keys names no ${role} key`,
      `[keys] ${role} = "${role}.pem"; firmseal keygen --out ${role}.pem makes one${others}`,
    );
  return refs;
}

/** Refuses a role without a trust file: ignoring a role would let a debug key stand for a release key. */
export function refuseRole(product: Product, role: string | undefined): void {
  if (role !== undefined && product.trust.file === undefined)
    throw usage(`\`role\`: ${product.path} has no trust file, and roles are those of trust files`, "drop it, or name one: [trust] file");
}
