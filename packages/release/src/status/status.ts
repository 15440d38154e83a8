// What a device says of itself, once its own key vouches for it. docs/reference/status.md has the message.

import { ROLES, toHex } from "@firmseal/signer";
import { nodeHost } from "@firmseal/simulator";
import type { Anchor, Sequence } from "@firmseal/verifier";
import {
  ALG_NAMES,
  formatSequence,
  readStatus,
  STATE_CONFIRMED,
  STATE_ROLLED_BACK,
  STATE_TRIAL,
  verifyStatus,
} from "@firmseal/verifier/tools";
import { type DigestText, formatDigest } from "../payload-check/tree.js";

const STATES: { readonly [state: number]: "confirmed" | "trial" | "rolled-back" } = {
  [STATE_CONFIRMED]: "confirmed",
  [STATE_TRIAL]: "trial",
  [STATE_ROLLED_BACK]: "rolled-back",
};

/** A device's status as JSON tells it. Numbers of 64 bits are texts. */
export interface DeviceStatus {
  /** In hex, and as text where it is printable ASCII; null where the device names no key. */
  kid: string | null;
  device: string | null;
  alg: string;
  verifier: string;
  state: "confirmed" | "trial" | "rolled-back";
  /** By role: the lowest sequence number that the device still accepts. */
  floors: { [role: string]: string };
  /** What runs; null where nothing is installed. */
  manifest: { digest: DigestText; sequence: string } | null;
  /** The trust list in force; null where keys are embedded. */
  trust: { name: string; sequence: string } | null;
}

/** The name of a role; the reader of a status has refused all others. */
const roleName = (role: number) => Object.entries(ROLES).find(([, code]) => code === role)?.[0] ?? String(role);

const textOf = (bytes: ArrayLike<number>) => new TextDecoder().decode(Uint8Array.from(bytes));

/**
 * Verifies the status `message` of a device: one of `anchors` vouches for it, and it answers `nonce` (8 to 64 bytes).
 * Anchors with a kid count for the messages that name it. Throws a refusal of the verifier: 1 to 19, 50 to 69, 150 to 154.
 */
export function deviceStatus(message: Uint8Array, anchors: readonly Anchor[], nonce: Uint8Array): DeviceStatus {
  // of a fleet's secrets only that of the device that answers is tried
  const { kid } = readStatus(message).signature;
  const named = kid && anchors.filter((a) => a.kid && toHex(a.kid) === toHex(kid));
  const s = verifyStatus(message, named && named.length > 0 ? named : [...anchors], nonce, nodeHost);
  const floors = Object.entries(s.floors) as [string, Sequence][];
  const text = kid ? textOf(kid) : "";
  return {
    kid: kid ? toHex(kid) : null,
    device: /^[!-~]+$/.test(text) ? text : null,
    alg: ALG_NAMES[s.signature.alg] ?? String(s.signature.alg),
    verifier: textOf(s.verifier),
    state: STATES[s.state] as DeviceStatus["state"],
    floors: Object.fromEntries(floors.map(([role, n]) => [roleName(Number(role)), formatSequence(n)])),
    manifest: s.digest && s.sequence ? { digest: formatDigest(s.digest), sequence: formatSequence(s.sequence) } : null,
    trust: s.trustName && s.trustSequence ? { name: textOf(s.trustName), sequence: formatSequence(s.trustSequence) } : null,
  };
}
