import { formatUri, type TokenSlot } from "@firmseal/keys/internal";

/** The shortest URI that means one key wherever its token is. */
export function tokenKeyUri(slot: TokenSlot, key: { label: string; id: Uint8Array }): string {
  return formatUri([
    ["token", slot.facts.token],
    ...(key.label === "" ? [] : [["object", key.label] as const]),
    ...(key.id.length === 0 ? [] : [["id", key.id] as const]),
  ]);
}
