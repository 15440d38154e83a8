// The devices of a product, as the bundle that they run decides: which keys are trusted, and what happens to a release.

import { Failure, publicKeys } from "@firmseal/keys";
import { environment, STDIO, schemeOf, shellWord, sizeOf, usage, visible } from "@firmseal/keys/internal";
import { type EnvelopeDraft, formatUuid, identityUuids, type PublicKey, ROLES } from "@firmseal/signer";
import { errors } from "@firmseal/verifier";
import { codeOfRefusal, parseSequence } from "@firmseal/verifier/tools";
import type { Board, Product } from "../../product/file/product.js";
import type { SigningRole } from "../../product/file/written.js";
import { type Cohort, type DeviceModel, modelOf } from "../../rotation/model.js";
import { planAsIfSigned } from "../../rotation/plan/as-if-signed.js";
import { type CohortResult, planSteps } from "../../rotation/plan/plan.js";
import { knownFamilies } from "../../trust/quorum.js";
import type { TrustOnFile } from "../../trust/read.js";
import { readPinnedTrust } from "../../trust/read.js";
import type { TrustOptions } from "../../trust/trusted-keys.js";
import { refusalHint, refusalMeaning } from "../../verify/refusals.js";

/** The keys that the devices of a product trust. */
export type ProductTrusted = { readonly trust: TrustOnFile } | { readonly keys: readonly PublicKey[]; readonly threshold: number };

/** Refuses a file that is not there. `member`: the member of the product file that names it. */
function refuseMissingFile(product: Product, member: string, file: string, hint: string): void {
  if (schemeOf(file) !== undefined) return;
  try {
    sizeOf(file);
  } catch (e) {
    if (((e as Error).cause as NodeJS.ErrnoException | undefined)?.code !== "ENOENT") throw e;
    throw environment(`${product.path}: ${member}: ${visible(file)}: file not found`, hint);
  }
}

/**
 * Returns the options of `verify` for a product. Nothing that verifies may start a program or ask for a PIN, so keys
 * must be files. Throws a Failure if the product file names none.
 */
export function trustOptions(product: Product): TrustOptions {
  const { file, root, keys, threshold } = product.trust;
  if (file !== undefined) {
    refuseMissingFile(product, "[trust] file", file, "get the trust file of the product, or correct the name");
    return { trust: file, ...(root.length > 0 && { root: [...root] }) };
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

/** The trust file of a product, verified. Undefined if it has none. */
export async function productTrustFile({ trust: { file, root } }: Product): Promise<TrustOnFile | undefined> {
  if (file === undefined) return undefined;
  const { store, bytes } = await readPinnedTrust(file, root.length > 0 ? { root: [...root] } : {});
  return { path: file, store, bytes };
}

/** The keys that the product file says devices trust. Undefined if it names none, or a trust file. */
export async function productTrustKeys({ trust: { keys } }: Product, trust: TrustOnFile | undefined): Promise<PublicKey[] | undefined> {
  return trust || keys.length === 0 ? undefined : await publicKeys(keys, []);
}

/**
 * The keys that devices trust: the trust file of the product, or the keys that it names. If it has neither, `signers`,
 * the keys that sign.
 */
export function productTrusted(
  product: Product,
  { trust, trustKeys }: { readonly trust: TrustOnFile | undefined; readonly trustKeys: readonly PublicKey[] | undefined },
  signers: readonly PublicKey[],
): ProductTrusted {
  return trust ? { trust } : { keys: trustKeys ?? signers, threshold: product.trust.threshold };
}

/** The class identifiers of a board, and their names. */
export function classesOf(product: Product, board: Board): { vendor: string; classes: { name: string; id: string }[] } {
  const ids = board.classes.map((name) => ({ name, ...identityUuids(product.vendor, name) }));
  return {
    vendor: formatUuid((ids[0] as (typeof ids)[number]).vendor),
    classes: ids.map(({ name, class: id }) => ({ name, id: formatUuid(id) })),
  };
}

/** Devices of a board, the keys that they trust, and the role in which they install its releases. */
export interface BoardDevices {
  readonly product: Product;
  readonly board: Board;
  readonly trusted: ProductTrusted;
  readonly role: SigningRole;
}

/** How many keys must sign at least: families of algorithms can need more than the threshold. */
export function neededOf({ trusted, role }: Pick<BoardDevices, "trusted" | "role">): number {
  if (!("trust" in trusted)) return trusted.threshold;
  const { store } = trusted.trust;
  const ofFamilies = (knownFamilies(store, ROLES[role]) ?? []).reduce((n, { threshold }) => n + threshold, 0);
  return Math.max(store.thresholds[ROLES[role]] as number, ofFamilies);
}

/** A device of each class of a board, with nothing installed. */
export function devicesOf({ product, board, trusted, role }: BoardDevices): Cohort[] {
  return board.classes.map((name) => {
    const id = identityUuids(product.vendor, name);
    const own = "trust" in trusted ? trusted : { embedded: { keys: trusted.keys, threshold: trusted.threshold } };
    const model: DeviceModel = modelOf({
      identity: { vendor: [id.vendor], class: [id.class] },
      verifier: board.for === "micro" ? "micro" : "general",
      role: ROLES[role],
      ...own,
    });
    const floor = parseSequence("0");
    return { name, devices: 1, model, floor, floors: { debug: floor, recovery: floor } };
  });
}

function refuseRefused(board: Board, results: readonly CohortResult[], keys: number): void {
  for (const { name, steps } of results)
    for (const { code, fit } of steps) {
      if (code === 0 && fit === "addressed") continue;
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
  const others = "trust" in to.trusted ? [to.trusted.trust] : [];
  return planAsIfSigned(devicesOf(to), to.board.name, draft, keys, others);
}

/** What devices do with a signed envelope. */
function offered(to: BoardDevices, draft: EnvelopeDraft): CohortResult[] {
  const step = { name: to.board.name, envelope: draft.bytes, sequence: draft.sequence };
  const stores = "trust" in to.trusted ? [to.trusted.trust.store] : [];
  return planSteps(devicesOf(to), [step], { lost: new Set(), stolen: new Set() }, stores);
}

const areTaken = (results: readonly CohortResult[]): boolean =>
  results.every(({ steps }) => steps.every(({ code, fit }) => code === 0 && fit === "addressed"));

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

/** Whose keys sign: those that are given, those of the product file, or nobody now. */
export interface Signing {
  /** References of keys that sign instead of those in the product file. */
  readonly keys?: readonly string[];
  /** Nobody signs now: others do so later. */
  readonly unsigned?: boolean;
}

/** Whether the signatures of several keys are needed, as far as the product file says it: a trust file may say it. */
const isForSeveral = ({ trust: { file, threshold } }: Product): boolean => file !== undefined || threshold > 1;

/** References of the keys that sign now. Empty if others do so later. Throws a Failure if the product names no key. */
export function referencesOf(product: Product, role: SigningRole, o: Signing): readonly string[] {
  if (o.unsigned && o.keys) throw usage("`unsigned`: nobody signs now, and a key is given", "drop one of them");
  if (o.unsigned) return [];
  if (o.keys) return o.keys;
  return isForSeveral(product) && product.keys[role].length === 0 ? [] : signingKeys(product, role);
}

/**
 * Refuses a release whose keys are not there, before anything else is tried. References of other kinds are opened
 * later.
 */
export function refuseMissingKeys(product: Product, role: SigningRole, o: Signing = {}): void {
  for (const ref of o.keys ?? []) if (schemeOf(ref) === undefined && ref !== STDIO) sizeOf(ref);
  if (o.keys) return;
  for (const ref of referencesOf(product, role, o))
    refuseMissingFile(
      product,
      `[keys] ${role}`,
      ref,
      `make the key, firmseal keygen --out ${shellWord(visible(ref))}, or correct the name`,
    );
}

/** Returns the keys of a role. Throws a Failure if the product has none. */
export function signingKeys(product: Product, role: SigningRole): readonly string[] {
  const refs = product.keys[role];
  if (refs.length === 0)
    throw product.fault(
      "/keys",
      `keys names no ${role} key`,
      `[keys] ${role} = "${role}.pem"; firmseal keygen --out ${role}.pem makes one`,
    );
  return refs;
}

/** Refuses a role without a trust file: ignoring a role would let a debug key stand for a release key. */
export function refuseRole(product: Product, role: string | undefined): void {
  if (role !== undefined && product.trust.file === undefined)
    throw usage(`\`role\`: ${product.path} has no trust file, and roles are those of trust files`, "drop it, or name one: [trust] file");
}
