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

/** Returns a trusted key as a report holds it. `name`: how it was named. */
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

/** Returns a kind of device as a report holds it, without the identifiers that the release does not ask for. */
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
