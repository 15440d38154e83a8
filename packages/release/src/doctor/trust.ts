// Whom devices trust: the trust file or the keys of a product file, and whether the keys that sign are enough for them.

import { keyFacts, keyName, numberVersion, refuseTestKeys } from "@firmseal/keys";
import { glanceAt, keyWords, plural, refusedInput, refuseOtherFamily, schemeOf, shellWord, someOf, usage } from "@firmseal/keys/internal";
import { isDeviceAlg, type PublicKey, ROLES, roleNames, trustName } from "@firmseal/signer";
import type { TrustAnchor } from "@firmseal/verifier";
import { equalBytes, formatSequence } from "@firmseal/verifier/tools";
import { bigSequence, isLittleRoom } from "../input/sequence.js";
import type { Product } from "../product/file/product.js";
import type { SigningRole } from "../product/file/written.js";
import { bootTrust, refuseUntrustedBoot } from "../release/board/boot-image.js";
import {
  carriedAfter,
  neededOf,
  type ProductTrusted,
  refuseBeforeSigning,
  refuseFewKeys,
  refuseMissingFile,
  signingKeys,
  type TrustLists,
  trustOptions,
  trustPins,
} from "../release/board/devices.js";
import { earlierLists } from "../release/board/earlier-lists.js";
import { type ImageReader, prepareBoard } from "../release/board/prepare.js";
import { refuseSamePerson } from "../signing/approval.js";
import { refuseMovedKeys, refuseRootKeys } from "../signing/coverage.js";
import { marginWords, roleMargins } from "../trust/margins.js";
import { readPinnedTrust, readTrustFile, refuseOtherName, type TrustOnFile } from "../trust/read.js";
import type { Checks } from "./checks.js";
import type { CheckedKey } from "./keys.js";

/** Reads public keys without asking for a passphrase. Undefined if one of them is not known. */
async function publicHalves(checks: Checks, what: string, refs: readonly string[]): Promise<PublicKey[] | undefined> {
  const found: PublicKey[] = [];
  for (const ref of refs)
    await checks.run(what, ref, async () => {
      const { public: key } = await glanceAt(ref);
      if (!key) throw usage("it is an encrypted private key", `name its public half: firmseal pubkey ${shellWord(ref)} writes it`);
      checks.add(what, ref, "ok", keyWords(keyFacts(key)));
      found.push(key);
    });
  return found.length === refs.length ? found : undefined;
}

/** What devices trust, and whether releases can be verified with it without a secret. */
export interface KnownTrust {
  readonly trusted: ProductTrusted;
  /** What releases bring: a trust file, or a chain of them. */
  readonly carried?: Uint8Array | undefined;
  readonly verifies: boolean;
}

/** Checks the trust of a product. Undefined if it is not known. */
export async function checkTrusted(checks: Checks, product: Product, keys: readonly CheckedKey[]): Promise<KnownTrust | undefined> {
  const { file, root, keys: named, threshold } = product.trust;
  if (file !== undefined) {
    const roots = await publicHalves(checks, "root key", root);
    return roots && (await checks.run("trust file", file, () => checkTrustFile(checks, product, file, root)));
  }
  if (named.length > 0) {
    const all = await publicHalves(checks, "trusted key", named);
    if (!all) return undefined;
    await checks.run("threshold", product.path, () => {
      const different = new Set(all.map((key) => keyFacts(key).thumbprint)).size;
      if (threshold > different)
        throw refusedInput(
          "ERR_PRODUCT",
          `${threshold} keys must sign, and [trust] keys has ${different} different ones`,
          "name the others, or correct threshold",
        );
    });
    return { trusted: { keys: all, threshold }, verifies: true };
  }
  const own = keys.filter(({ roles }) => roles.includes("release"));
  const known = own.flatMap((key) => key.public ?? []);
  const verifies = own.length > 0 && own.every(({ isReadable }) => isReadable);
  if (!verifies && own.length > 0)
    checks.add(
      "trust",
      product.path,
      "warning",
      "names no public key, so nothing can verify its releases without a secret",
      '[trust] keys = "release.pub"; firmseal pubkey KEY writes it',
    );
  return { trusted: { keys: known, threshold }, verifies };
}

/** Checks the public keys of those who must approve a release. */
export async function checkApprovers(checks: Checks, product: Product): Promise<void> {
  const { keys, threshold } = product.approval;
  const all = await publicHalves(checks, "approver", keys);
  if (!all || all.length === 0) return;
  await checks.run("approval", product.path, () => {
    refuseTestKeys(all, []);
    refuseSamePerson(all, "name each person once: [approval] keys");
    checks.add("approval", product.path, "ok", `${threshold} of ${keys.length} must approve a release before it is signed`);
  });
}

/** Checks the keys of boot loaders, as far as no secret is needed. */
export async function checkBootKeys(checks: Checks, product: Product): Promise<void> {
  const { keys, trusted } = product.boot;
  if (trusted.length === 0) return;
  await checks.run("boot loaders", product.path, async () => {
    const known = await bootTrust(product);
    for (const ref of keys.filter((one) => schemeOf(one) === undefined)) {
      refuseMissingFile(product, "[keys] boot", ref, `make the key, firmseal keygen --out ${shellWord(ref)}, or correct the name`);
      const { public: key } = await glanceAt(ref);
      if (key) await refuseUntrustedBoot(product, [{ name: ref, public: key }]);
    }
    checks.add("boot loaders", product.path, "ok", `trust ${plural(known.length, "key")}; ${keys.length} of this file sign images`);
  });
}

async function checkTrustFile(checks: Checks, product: Product, file: string, root: readonly string[]): Promise<KnownTrust> {
  // says if it is missing
  trustOptions(product);
  const isPinned = root.length > 0;
  const { store, bytes } = isPinned ? await readPinnedTrust(file, trustPins(product)) : readTrustFile(file);
  refuseOtherName(file, store, product.trust.name);
  const has = { path: file, store, bytes };
  const words = `${trustName(store)}, sequence number ${formatSequence(store.sequence)}, ${plural(store.anchors.length, "key")}`;
  if (isPinned) checks.add("trust file", file, "ok", words);
  else
    checks.add(
      "trust file",
      file,
      "warning",
      `${words}; no root is given, so anybody may have made it`,
      '[trust] root = "root.pub" names the public key of a root',
    );
  const { carry } = product.trust;
  const brings = carry === undefined ? undefined : await checks.run("carried", carry, () => checkCarried(checks, product, carry, has));
  const { earlier } = product.trust;
  if (earlier.length > 0)
    await checks.run("earlier", earlier.join(", "), async () => {
      const numbers = (await earlierLists(product, undefined)).map(({ number }) => number);
      checks.add("earlier", earlier.join(", "), "ok", `sequence number ${numbers.join(", ")}`);
    });
  const lists: TrustLists = brings?.isNewer ? [has, brings.next] : [has];
  return { trusted: { lists }, carried: brings?.carried, verifies: isPinned };
}

/** Checks the trust file that releases bring. */
function checkCarried(checks: Checks, product: Product, carry: string, has: TrustOnFile) {
  const brings = carriedAfter(product, carry, has);
  const { store } = brings.next;
  const words = `${trustName(store)}, sequence number ${formatSequence(store.sequence)}`;
  checks.add("carried", carry, "ok", brings.isNewer ? words : `${words}, the same as ${has.path}`);
  return brings;
}

/** Why a key does not count in a role. Undefined if it does. */
function whyNot(key: PublicKey, { trusted }: KnownTrust, role: SigningRole): string | undefined {
  if (!("lists" in trusted))
    return trusted.keys.some((other) => equalBytes(other.key, key.key)) ? undefined : "is not among the trusted keys";
  const found = trusted.lists.flatMap(({ store, path }) =>
    store.anchors.flatMap((anchor) => (equalBytes(anchor.key, key.key) ? [{ anchor, path }] : [])),
  );
  const [first] = found;
  // devices do not verify it: it signs beside one that they do
  if (!first) return isDeviceAlg(key.alg) ? `is not a key of ${trusted.lists.map(({ path }) => path).join(" or ")}` : undefined;
  if (found.some(({ anchor }) => anchor.roles.includes(ROLES[role]))) return undefined;
  return `has the role ${roleNames(first.anchor).join(" and ")} in ${first.path}, not ${role}`;
}

/** Whether a key of a trust file counts for numbers after `last`. */
const isOver = ({ until }: TrustAnchor, last: bigint): boolean => until !== undefined && bigSequence(until) <= last;

const publicKeysOf = (keys: readonly { readonly public: PublicKey }[]): PublicKey[] => keys.map((key) => key.public);

/**
 * Asks the devices of each board whether they take a release that these keys have signed. An image takes no part in
 * that.
 */
async function refuseOnDevices(
  product: Product,
  role: SigningRole,
  { trusted, carried }: KnownTrust,
  keys: readonly PublicKey[],
  sequence: bigint,
): Promise<void> {
  for (const board of product.boards) {
    const reader: ImageReader = ({ files }, i) => ({ path: files[i] as string, real: files[i] as string, bytes: Uint8Array.of(0) });
    const { draft } = await prepareBoard(product, board, numberVersion(sequence), role, reader, carried);
    await refuseBeforeSigning({ product, board, trusted, role }, draft(sequence), keys);
  }
}

/**
 * Checks that the keys of each role may sign in it, and that they are enough or that others follow. `last`: the last
 * number that is known.
 */
export async function checkRoles(
  checks: Checks,
  product: Product,
  keys: readonly CheckedKey[],
  trust: KnownTrust,
  last: bigint,
): Promise<void> {
  const { trusted } = trust;
  const entries = keys.flatMap(({ log }) => log?.all ?? []);
  for (const role of Object.keys(product.keys) as SigningRole[]) {
    const own = keys.filter(({ roles }) => roles.includes(role));
    if (own.length === 0 && role !== "release") continue;
    await checks.run("role", role, async () => {
      const needed = neededOf({ product, trusted, role });
      const isElsewhere = own.length === 0 && !(needed > 1);
      if (isElsewhere && product.trust.file === undefined && product.trust.keys.length === 0) signingKeys(product, role);
      const known = own.flatMap((key) => (key.public ? [{ name: key.name, public: key.public }] : []));
      for (const { name, public: key } of known) {
        const why = whyNot(key, trust, role);
        if (why !== undefined)
          throw refusedInput("ERR_KEY_ROLE", `${name} ${why}`, "sign with a key that devices trust for this, or correct [trust]");
      }
      refuseMovedKeys(known, entries);
      for (const { public: key } of known) refuseOtherFamily(entries, { key: keyName(key) });
      refuseRootKeys(known, entries, {});
      refuseFewKeys(own.length, needed);
      if (known.length === own.length && known.length > 0 && "lists" in trusted)
        await refuseOnDevices(product, role, trust, publicKeysOf(known), last + 1n);
      const margins =
        "lists" in trusted
          ? trusted.lists.map(({ path, store }) => ({ path, margin: roleMargins(store).find((one) => one.role === role) }))
          : [];
      const none = margins.find(({ margin }) => !margin || margin.margin < 0);
      if (none)
        throw refusedInput(
          "ERR_KEY_ROLE",
          `no device has enough ${role} keys in ${none.path}`,
          `firmseal trust show ${shellWord(none.path)} lists them`,
        );
      if ("keys" in trusted && trusted.keys.length === 0) {
        checks.add("role", role, "not checked", "the public halves of its keys are not known", '[trust] keys = "release.pub" names them');
        return;
      }
      const margin = margins[0]?.margin;
      const of = margin ? margin.of : "keys" in trusted ? trusted.keys.length : 0;
      const who = own.length > 0 ? someOf(own.map(({ name }) => name)) : "others sign";
      const what = `${needed} of ${of} keys must sign${margin ? `, ${marginWords(margin)}` : ""}: ${who}`;
      if (!isElsewhere) checks.add("role", role, "ok", what);
      else checks.add("role", role, "warning", what, `release needs a key, [keys] ${role} = "${role}.pem", or firmseal release --unsigned`);
    });
  }
}

/** Checks until which number the keys of the product count. `last`: the last number that is known. */
export async function checkEnds(
  checks: Checks,
  { sequence: { source } }: Product,
  keys: readonly CheckedKey[],
  { trusted }: KnownTrust,
  last: bigint,
): Promise<void> {
  if (!("lists" in trusted)) return;
  const shown = (n: bigint) => (source === "version" ? `version ${numberVersion(n)}` : `sequence number ${n}`);
  for (const { name, public: key } of keys) {
    const listed = trusted.lists.flatMap(({ path, store }) =>
      store.anchors.flatMap((anchor) => (key && equalBytes(anchor.key, key.key) ? [{ anchor, path }] : [])),
    );
    const isOut = listed.every(({ anchor }) => isOver(anchor, last));
    for (const { anchor, path } of listed) {
      if (!anchor.until) continue;
      const until = bigSequence(anchor.until);
      const where = trusted.lists.length > 1 ? ` in ${path}` : "";
      const what = `counts up to ${shown(until)}${where}${last > 0n ? `; the last is ${shown(last)}` : ""}`;
      const isNear = isLittleRoom(last, until, source !== "version");
      const hint = "make devices trust another key before: docs/guides/rotation.md";
      if (isOut) checks.add("end of key", name, "fails", what, "sign with another key: docs/guides/rotation.md");
      else checks.add("end of key", name, isNear ? "warning" : "ok", what, isNear ? hint : null);
    }
  }
}
