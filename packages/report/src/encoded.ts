// Bytes of keys and devices as a report holds them.

import type { DeviceKind } from "@firmseal/behaviour";
import type { Anchor, Bytes, TrustAnchor } from "@firmseal/verifier";
import type { ReportKey, ReportKind } from "./data.js";

/** Encodes bytes in base64 (RFC 4648 §4). */
export function base64(bytes: ArrayLike<number>): string {
  let text = "";
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i] as number);
  return btoa(text);
}

/**
 * Writes a trusted key as a report holds it.
 *
 * @param key - The algorithm and the raw public key.
 * @param anchor - Its anchor, with its limits.
 * @param name - How it was named.
 * @returns The key, for `keys` of a report.
 */
export function reportKey(
  key: { readonly alg: string; readonly key: ArrayLike<number> },
  anchor: Anchor | TrustAnchor,
  name: string | undefined,
): ReportKey {
  const { since, until } = anchor as Partial<Pick<TrustAnchor, "since" | "until">>;
  return {
    alg: key.alg,
    key: base64(key.key),
    ...(anchor.kid && { kid: base64(anchor.kid) }),
    ...(since && { since: [since[0], since[1]] as [number, number] }),
    ...(until && { until: [until[0], until[1]] as [number, number] }),
    ...(name !== undefined && { name }),
  };
}

/**
 * Writes a kind of device as a report holds it, without the identifiers that the release does not ask for.
 *
 * @param kind - The kind of device.
 * @returns The kind, for `kinds` of a report.
 */
export function reportKind({ identity, slot, there }: DeviceKind): ReportKind {
  const part = (name: "vendor" | "class" | "device", ids: readonly Bytes[] | undefined) => {
    const [bytes] = ids ?? [];
    return bytes && bytes.length > 0 ? { [name]: base64(bytes) } : {};
  };
  return {
    ...part("vendor", identity.vendor),
    ...part("class", identity.class),
    ...part("device", identity.device),
    slot,
    has: there,
  };
}
