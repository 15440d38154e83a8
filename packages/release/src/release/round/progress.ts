// Who has signed a release, and who still has to, until the devices of each board accept it.

import type { MissingSignatures } from "@firmseal/behaviour";
import { keyName } from "@firmseal/keys";
import { EnvelopeDraft, type PublicKey, ROLES, type RoleName } from "@firmseal/signer";
import { equalBytes, toHex } from "@firmseal/verifier/tools";
import { hasProfileAlg } from "../../product/file/product.js";
import { type FamilyProgress, familyProgress } from "../../trust/families.js";
import { countingKeys } from "../../trust/quorum.js";
import { signersOf } from "../../verify/signers.js";
import { type BoardDevices, identitiesOf, isTaken, neededOf, trustListsOf } from "../board/devices.js";

/** The signatures of a board. */
export interface BoardProgress {
  readonly board: string;
  /** Devices of all its classes accept it, and a key with the algorithm of the profile has signed. */
  readonly isComplete: boolean;
  /** The trusted keys that have signed. */
  readonly signers: readonly PublicKey[];
  /** The trusted keys that have not, and that may still sign. */
  readonly others: readonly PublicKey[];
  /** How many must sign. */
  readonly needed: number;
  /** With thresholds for families of algorithms: how many of each have signed. */
  readonly families: readonly FamilyProgress[];
}

/** Whether a key is among others, in any form. */
export const isAmong = (key: PublicKey, keys: readonly PublicKey[]): boolean => keys.some((one) => keyName(one) === keyName(key));

/**
 * The keys whose signatures count for a release of a board with this number, each once: in any of the trust files,
 * because each key signs every board, and some boards have one of the trust files only.
 */
export function countedKeys({ trusted, role, product, board }: BoardDevices, sequence: bigint): PublicKey[] {
  const identities = identitiesOf(product, board);
  const all =
    "lists" in trusted
      ? trusted.lists.flatMap(({ store }) => identities.flatMap((identity) => countingKeys(store, ROLES[role], identity, sequence)))
      : trusted.keys;
  return [...new Map(all.map((key) => [keyName(key), key])).values()];
}

/** Finds out who has signed a board. `everywhere`: the keys that count on every board of the release. */
export async function progressOf(to: BoardDevices, draft: EnvelopeDraft, everywhere: readonly PublicKey[]): Promise<BoardProgress> {
  const { role, product } = to;
  const counted = countedKeys(to, draft.sequence);
  const { signatures } = EnvelopeDraft.read(draft.bytes).outline;
  const found = await signersOf(
    signatures,
    counted.map((key) => ({ name: "", key })),
  );
  const signed = found.flatMap(({ status, by }) => (status === "valid" && by ? [by.key] : []));
  const signers = counted.filter((key) => isAmong(key, signed));
  const raw = new Set(signers.map(({ key }) => toHex(key)));
  const accepted = isTaken(to, draft);
  // what devices accept lacks the algorithm of the profile alone
  const mayHelp = (key: PublicKey) => isAmong(key, everywhere) && (!accepted || hasProfileAlg(product, [key]));
  const isComplete = accepted && hasProfileAlg(product, signers);
  return {
    board: to.board.name,
    isComplete,
    signers,
    others: counted.filter((key) => !isAmong(key, signers) && (isComplete || mayHelp(key))),
    // which keys have signed may make one more necessary
    needed: Math.max(neededOf({ ...to, sequence: draft.sequence }), accepted ? 0 : signers.length + 1),
    families: trustListsOf(to).flatMap(({ store }) =>
      familyProgress(store, role as RoleName, (a) => raw.has(toHex(Uint8Array.from(a.key)))),
    ),
  };
}

/** What the record says about signatures that are missing. */
export const missingOf = (boards: readonly BoardProgress[]): MissingSignatures[] =>
  boards.flatMap(({ board, isComplete, signers, others, needed }) =>
    isComplete ? [] : [{ board, signed: signers.length, needed, by: others.map(keyName).sort() }],
  );

/**
 * As many more keys as an envelope has room for, so that enough could sign: of each algorithm and of each trust file in
 * turn, since there may be thresholds for families. `first`: those that have signed, or sign now. `most`: signatures
 * that devices read.
 */
export function withOthers(to: BoardDevices, first: readonly PublicKey[], counted: readonly PublicKey[], most: number): PublicKey[] {
  const lists = trustListsOf(to).map(({ store }) => store.anchors);
  const isListed = (key: PublicKey) => lists.map((anchors) => anchors.some((one) => equalBytes(one.key, key.key)));
  // of no use to this board
  const rest = counted.filter((key) => !isAmong(key, first) && (lists.length === 0 || isListed(key).includes(true)));
  const kind = (key: PublicKey) => `${key.alg} ${isListed(key)}`;
  const turn = (key: PublicKey) => rest.filter((one) => kind(one) === kind(key)).indexOf(key);
  const inTurn = rest.toSorted((a, b) => turn(a) - turn(b));
  return [...first, ...inTurn].slice(0, Math.max(most, first.length));
}
