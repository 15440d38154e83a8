// Rules about who signed a release.

import { keyFacts } from "@firmseal/keys";
import { keyWords } from "@firmseal/keys/internal";
import { keyOfAnchor, ROLES, roleNames, thumbprint } from "@firmseal/signer";
import type { TrustAnchor, TrustStore } from "@firmseal/verifier";
import { equalBytes, formatSequence, toHex } from "@firmseal/verifier/tools";
import { bigSequence } from "../../input/sequence.js";
import { takesTrust } from "../../product/file/product.js";
import { areReached, familyProgress } from "../../trust/families.js";
import { testKeysAmong } from "../../verify/signers.js";
import type { LintContext, Rule } from "../rule.js";

/** The anchors of the keys that signed, as far as a trust file lists them. */
function signersIn({ release }: LintContext, store: TrustStore | undefined): TrustAnchor[] {
  const names = new Set(release.signatures.flatMap(({ status, by }) => (status === "valid" && by ? [toHex(thumbprint(by.key))] : [])));
  return (store?.anchors ?? []).filter((a) => {
    const key = keyOfAnchor(a);
    return key !== undefined && names.has(toHex(thumbprint(key)));
  });
}

function nameOf(a: TrustAnchor): string {
  const key = keyOfAnchor(a);
  return key ? keyWords(keyFacts(key)) : "a key";
}

const lists = (store: TrustStore, a: TrustAnchor) =>
  store.anchors.some((other) => equalBytes(other.key, a.key) && a.roles.every((role) => other.roles.includes(role)));

/** The trust file that devices have once the release is installed. */
const storeAfter = ({ trust, release }: LintContext): TrustStore | undefined =>
  [...release.carried].reverse().find((store) => trust && bigSequence(store.sequence) > bigSequence(trust.store.sequence)) ?? trust?.store;

/** Whether enough keys signed without those that devices will not count: of a bridge, keys of both trust files sign. */
function isEnoughWithout(context: LintContext, isRetiring: (a: TrustAnchor) => boolean): boolean {
  const { role = "release" } = context;
  const store = storeAfter(context);
  if (!store) return false;
  const left = signersIn(context, store).filter((a) => a.roles.includes(ROLES[role]) && !isRetiring(a));
  return (
    left.length >= (store.thresholds[ROLES[role]] ?? 1) &&
    areReached(familyProgress(store, role, (a) => left.some((one) => one.key === a.key)))
  );
}

/** Keys that signed, and that devices do not count for later releases. None if the others that signed are enough. */
function retiring(context: LintContext): string[] {
  const { release, trust } = context;
  if (isEnoughWithout(context, (a) => a.until !== undefined)) return [];
  return signersIn(context, trust?.store).flatMap((a) => [
    ...(a.until ? [`${nameOf(a)} counts up to sequence number ${formatSequence(a.until)} (${trust?.path})`] : []),
    ...(release.carried.some((store) => !lists(store, a))
      ? [`${nameOf(a)} is missing from the trust file that the release carries, or loses a role in it`]
      : []),
  ]);
}

/** The first trust file is in each device from the start. */
function notCarried({ release, trust, product, boards = [] }: LintContext): string[] {
  if (!trust || (boards.length > 0 && !boards.some(takesTrust))) return [];
  const number = bigSequence(trust.store.sequence);
  if (number < 2n && product?.trust.carry === undefined) return [];
  if (release.carried.some((store) => bigSequence(store.sequence) >= number)) return [];
  return [`carries no trust file, and ${trust.path} has the number ${number}`];
}

export const signerRules: readonly Rule[] = [
  {
    id: "L01",
    name: "test-key",
    severity: "error",
    title: "A published test key signed the release",
    why: "The private half of the key is published: anybody can sign for devices that trust it.",
    fix: "Use a key of your own, and make sure that no device trusts the test key.",
    needs: ["signed"],
    check: ({ release }) => testKeysAmong(release.signatures).map((name) => `signed with the published test key ${name}`),
  },
  {
    id: "L02",
    name: "debug-role",
    severity: "error",
    title: "A debug key signed the release",
    why: "Devices in the field do not count debug keys, and people keep debug keys with less care than release keys.",
    fix: "Use a key that has the role release in the trust file.",
    needs: ["trust", "signed"],
    check: (context) =>
      signersIn(context, context.trust?.store)
        .filter((a) => !roleNames(a).includes(context.role ?? "release"))
        .map((a) => `signed by ${nameOf(a)}, which has the role ${roleNames(a).join(" and ")} in ${context.trust?.path}`),
  },
  {
    id: "L03",
    name: "key-retiring",
    severity: "warning",
    title: "The trust file retires a key that signed the release, and the others are not enough",
    why: "Devices do not count the key for later releases, and too few of the keys that signed remain. A bridge has enough keys of both trust files.",
    fix: "Add a signature by the key that replaces it, and plan the rotation: docs/guides/rotation.md.",
    needs: ["trust", "signed"],
    check: retiring,
  },
  {
    id: "L04",
    name: "trust-not-carried",
    severity: "warning",
    title: "The release does not carry the trust file of its devices",
    why: "Devices learn only from releases that a key was retired or stolen. Those that missed the bridge still trust the key.",
    fix: "Name the trust file in the product file: [trust] carry. Without one, make the release with firmseal rotate bridge.",
    needs: ["trust"],
    check: notCarried,
  },
];
