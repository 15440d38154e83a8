// Who must have signed the open files: the open keys, or the open trust file.

import { acceptTrust, anchorOf, decodeTrust, keyOfAnchor, loadAlg, type PublicKey } from "@firmseal/signer";
import { type Anchor, errors, type Identity, policyOf, type Trust, type TrustAnchor, type TrustStore } from "@firmseal/verifier";
import { fromHex, ROLE_RELEASE, throwRefusal, toHex } from "@firmseal/verifier/tools";
import type { DeviceSettings } from "../../protocol.js";
import type { Main } from "../main-file.js";
import type { Desk } from "../open-files.js";
import { kindsOf } from "../release.js";

/**
 * The trust policy, and its keys in the order of the anchors. `others`: that of every other kind of device, with its
 * class in hex.
 */
export interface DeskPolicy {
  trust: Trust;
  others: { name: string; trust: () => Trust }[];
  keys: { key: PublicKey; anchor: Anchor; name?: string }[];
  list?: TrustList;
}

/** The open trust file. `before`: the previous one, if it is open too. */
export interface TrustList {
  store: TrustStore;
  pinned: boolean;
  before?: TrustStore;
}

/** A trust file, verified with these roots, or with its own. Throws refusals. */
function acceptedTrust({ bytes }: Main, roots: TrustStore | Trust | undefined): TrustStore {
  const own = decodeTrust(bytes);
  // a device would call it damaged CBOR
  if (own.signatures.length === 0) throwRefusal(errors.TRUST_SIGNERS, -1);
  return acceptTrust(bytes, roots ?? own.store);
}

/**
 * The trust file, verified with the open keys as its roots, or with its own, and the previous one first. Throws
 * refusals.
 */
function trustList({ trust, before: first, keys }: Desk): TrustList | undefined {
  if (!trust) return undefined;
  const pinned = keys.length > 0;
  const roots = pinned ? { anchors: keys.map(({ key }) => anchorOf(key)), threshold: keys.length } : undefined;
  if (!first) return { store: acceptedTrust(trust, roots), pinned };
  const before = acceptedTrust(first, roots);
  return { store: acceptedTrust(trust, before), pinned, before };
}

/** The policies of the devices that the release is for, beside that of `own`: each of them must accept it. */
function otherPolicies(store: TrustStore, main: Main, own: Identity): DeskPolicy["others"] {
  const idOf = ({ vendor, class: name }: Identity) => `${toHex(vendor?.[0] ?? [])} ${toHex(name?.[0] ?? [])}`;
  const identities = new Map(kindsOf(main).kinds.map(({ identity }) => [idOf(identity), identity]));
  identities.delete(idOf(own));
  return [...identities.values()].map((identity) => ({
    name: toHex(identity.class?.[0] ?? []),
    trust: () => policyOf(store, ROLE_RELEASE, identity),
  }));
}

function identityOf(device: DeviceSettings | undefined, main: Main): Identity {
  if (device) return { vendor: [fromHex(device.vendor)], class: [fromHex(device.class)] };
  const [first] = kindsOf(main).kinds;
  return { vendor: first?.identity.vendor ?? [], class: first?.identity.class ?? [] };
}

/**
 * Who must have signed the release. Undefined: neither keys nor a trust file are open. Throws refusals and Sentence.
 */
export async function policyFor(desk: Desk, threshold: number, device: DeviceSettings | undefined): Promise<DeskPolicy | undefined> {
  for (const { key } of desk.keys) await loadAlg(key.alg);
  const list = trustList(desk);
  if (list && !desk.envelope) return { trust: { anchors: [] }, others: [], keys: [], list };
  if (list && desk.envelope) {
    const own = identityOf(device, desk.envelope);
    const trust = policyOf(list.store, ROLE_RELEASE, own);
    const keys = trust.anchors.flatMap((one) => {
      const key = keyOfAnchor(one as TrustAnchor);
      return key ? [{ key, anchor: one }] : [];
    });
    const others = otherPolicies(list.store, desk.envelope, own);
    return { trust: { ...trust, anchors: keys.map((one) => one.anchor) }, others, keys, list };
  }
  if (desk.keys.length === 0) return undefined;
  const keys = desk.keys.map(({ key, name }) => ({ key, name, anchor: anchorOf(key) }));
  return { trust: { anchors: keys.map((one) => one.anchor), threshold }, others: [], keys };
}
