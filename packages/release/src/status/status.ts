// The status of a device, verified with the key of that device. docs/reference/status.md describes the message.

import { ROLES } from "@firmseal/signer";
import { nodeHost } from "@firmseal/simulator";
import type { Anchor, Sequence } from "@firmseal/verifier";
import {
  ALG_NAMES,
  formatSequence,
  readStatus,
  STATE_CONFIRMED,
  STATE_ROLLED_BACK,
  STATE_TRIAL,
  toHex,
  verifyStatus,
} from "@firmseal/verifier/tools";
import { type DigestText, formatDigest } from "../verify/tree.js";

const STATES: { readonly [state: number]: "confirmed" | "trial" | "rolled-back" } = {
  [STATE_CONFIRMED]: "confirmed",
  [STATE_TRIAL]: "trial",
  [STATE_ROLLED_BACK]: "rolled-back",
};

/** The status of a device in JSON. 64-bit numbers are decimal strings. */
export interface DeviceStatus {
  /** The key identifier in hex, or as text if it is printable ASCII; null if the message names no key. */
  kid: string | null;
  device: string | null;
  alg: string;
  verifier: string;
  state: "confirmed" | "trial" | "rolled-back";
  /** For each role, the lowest sequence number that the device accepts. */
  floors: { [role: string]: string };
  /** The running manifest; null if nothing is installed. */
  manifest: { digest: DigestText; sequence: string } | null;
  /** The current trust file; null if the device has embedded keys. */
  trust: { name: string; sequence: string } | null;
}

/** The name of a role. The reader of a status has refused unknown ones. */
const roleName = (role: number) => Object.entries(ROLES).find(([, code]) => code === role)?.[0] ?? String(role);

const textOf = (bytes: ArrayLike<number>) => new TextDecoder().decode(Uint8Array.from(bytes));

/**
 * Verifies the status `message` of a device: one of `anchors` authenticates it, and it contains `nonce` (8 to 64
 * bytes). If the message has a kid, only anchors with that kid count. Throws the refusals 1 to 19, 50 to 69 and
 * 150 to 154.
 */
export function deviceStatus(message: Uint8Array, anchors: readonly Anchor[], nonce: Uint8Array): DeviceStatus {
  // among the secrets of a fleet, only that of the answering device is tried
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

/** Returns how the release that a device runs was withdrawn. Undefined if it was not, or if nothing is installed. */
export function withdrawnIn<W extends { readonly manifest: string; readonly sequence: string }>(
  { manifest }: DeviceStatus,
  withdrawn: readonly W[],
): W | undefined {
  const digest = `${manifest?.digest.algorithm}:${manifest?.digest.hex}`;
  return withdrawn.find((one) => one.manifest === digest && one.sequence === manifest?.sequence);
}
