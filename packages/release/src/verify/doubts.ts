// What people must know about a release that enough trusted keys have signed: whom else it is signed by, and which
// devices refuse it.

import { explainManifest, type RefusingDevice, refusingDevices, refusingWords } from "@firmseal/behaviour";
import { warn } from "@firmseal/keys/internal";
import { keyOfAnchor, testKeyName } from "@firmseal/signer";
import { nodeHost } from "@firmseal/simulator";
import type { Anchor, Manifest, TrustAnchor } from "@firmseal/verifier";
import { type CoseSignature, rawKey } from "@firmseal/verifier/tools";
import type { SignatureClaim } from "./loose-envelope.js";
import { deviceKinds } from "./manifest-facts.js";
import { triedInterpreter } from "./payload-check.js";
import { type IdentifiedSignature, signersOf } from "./signers.js";

/** A signature that no trusted key made which counts. */
export interface OtherSignature extends Pick<IdentifiedSignature, "alg" | "kid"> {
  /** The published test key that made it. */
  readonly testKey: string | null;
}

/** Whether a trusted key made a signature. */
export const isByAnchor = ({ alg, message, signature }: SignatureClaim, a: Anchor): boolean =>
  a.alg.ids.includes(alg) && a.alg.verify(rawKey(a.key), message, signature, nodeHost) === true;

/** Returns the signatures that none of these keys made. */
export async function otherSignatures(signatures: readonly CoseSignature[], anchors: readonly Anchor[]): Promise<OtherSignature[]> {
  const others = signatures.filter((one) => !anchors.some((a) => isByAnchor(one, a)));
  return (await signersOf(others, [])).map(({ alg, kid, testKey }) => ({ alg, kid, testKey: testKey ?? null }));
}

/** Returns how people read a signature of nobody known. */
export const otherWords = ({ alg, kid, testKey }: OtherSignature): string =>
  testKey === null
    ? `${alg}${kid === null ? "" : `, key identifier ${kid}`}, of an unknown key`
    : `${alg}, of the published test key ${testKey}`;

/** Returns the names of the published test keys among keys that have signed. */
const testKeysThatSigned = (signed: readonly Anchor[]): string[] =>
  signed.flatMap((a) => {
    const key = keyOfAnchor(a as TrustAnchor);
    return (key && testKeyName(key)) ?? [];
  });

/** Returns the devices that refuse the release, and whether each device with one identity is one of them. */
export function refusingOf(m: Manifest): { all: RefusingDevice[]; isEach: boolean } {
  const kinds = deviceKinds(m);
  const { behaviours } = explainManifest(triedInterpreter(), m, kinds, { slots: new Set(kinds.map(({ slot }) => slot)).size > 1 });
  return { all: refusingDevices(behaviours), isEach: behaviours.every(({ refused }) => refused) };
}

/**
 * Returns the devices that refuse the release, and warns of each. If each device with one identity does, judgeRefusal()
 * has warned.
 */
export function warnOfRefusing(m: Manifest): RefusingDevice[] {
  const { all, isEach } = refusingOf(m);
  if (isEach) return all;
  for (const one of all) {
    const what = one.refused.during === "start" ? "refuse to start this release once it is installed" : "refuse this release";
    warn(`devices of ${refusingWords(one)} will ${what}: ${one.refused.words} (${one.refused.reason})`);
  }
  return all;
}

/** Returns the facts of a device that refuses the release for the JSON output. */
export const refusingFacts = ({ refused: { during, code, reason }, vendor, class: name, device, slot }: RefusingDevice) => ({
  ...{ vendor, class: name, device: device ?? null, slot: slot ?? null },
  ...{ during, code, reason },
});

/** What people must know about a release, although it is correctly signed. */
export interface Doubts {
  /** Names of the published test keys among the trusted keys that signed. */
  readonly signedByTestKeys: readonly string[];
  readonly otherSignatures: readonly OtherSignature[];
  /** Devices that refuse the release: some of them, or with an override all. */
  readonly refusing: readonly RefusingDevice[];
}

/**
 * Returns the doubts about a release that `signed` have signed, and warns of devices that refuse it.
 */
export async function doubtsAbout(m: Manifest, signatures: readonly CoseSignature[], signed: readonly Anchor[]): Promise<Doubts> {
  return {
    signedByTestKeys: testKeysThatSigned(signed),
    otherSignatures: signatures.length > signed.length ? await otherSignatures(signatures, signed) : [],
    refusing: warnOfRefusing(m),
  };
}
