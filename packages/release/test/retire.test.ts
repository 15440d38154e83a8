// The content of a list without one of its keys.

import { decodeTrust, encodeTrust, privateKey, type TrustDescription, type TrustEntry } from "@firmseal/signer";
import { describe, expect, it } from "vitest";
import { keysOf } from "../../test-support/src/rotation-world.js";
import { withoutKey } from "../src/rotation/retire.js";

const { A, B, G, R1 } = keysOf("A", "B", "G", "R1");
const E = privateKey("es256", new Uint8Array(32).fill(7));

const d: TrustDescription = {
  name: "board",
  sequence: 1n,
  anchors: [
    { key: R1, roles: ["root"] },
    ...[A, B, E].map((key): TrustEntry => ({ key, roles: ["release"] })),
    { key: G, roles: ["debug"] },
  ],
  thresholds: { root: 1, release: 2, debug: 1 },
  jumps: { release: 1000n, debug: 10n },
  families: { release: [{ algorithms: ["es256"], threshold: 1 }], debug: [{ algorithms: ["ed25519"], threshold: 1 }] },
};

describe("a list without a key", () => {
  it("has no rules for a role without keys", () => {
    const { next, retiredRoles } = withoutKey(d, G, undefined);
    expect(retiredRoles).toEqual(["debug"]);
    expect(next).toMatchObject({ thresholds: { root: 1, release: 2 }, jumps: { release: 1000n } });
    expect(Object.keys({ ...next.families, ...next.jumps })).toEqual(["release"]);
    expect(decodeTrust(encodeTrust(next)).store.sequence).toEqual([0, 2]);
  });

  it("is refused if a family would have too few keys, by the names of the family and the key", () => {
    expect(() => withoutKey(d, E, undefined)).toThrow(
      /^without the es256 key [0-9a-f]{64} 0 release keys of the family es256 are left, and 1 is needed$/,
    );
    expect(() => withoutKey(d, E, 20n)).toThrow("of the family es256");
    expect(withoutKey(d, A, undefined).next.families).toEqual(d.families);
  });
});
