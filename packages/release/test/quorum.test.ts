import { encodeTrust, type PrivateKey, type PublicKey, signer, signTrustWithoutLog, type TrustEntry, twinsOf } from "@firmseal/signer";
import type { Sequence } from "@firmseal/verifier";
import { describe, expect, it } from "vitest";
import { draws } from "../../test-support/src/randoms.js";
import { identity, key, trustFileOf } from "../../test-support/src/rotation-world.js";
import { secretSet } from "../src/rotation/keys.js";
import { modelOf } from "../src/rotation/model.js";
import { exposure, margins, reach } from "../src/rotation/plan/reach.js";
import { selfSignedTrust } from "../src/trust/chain.js";
import { type KeyWindow, most, only, shared, without } from "../src/trust/quorum.js";

const LAST = 2n ** 64n - 1n;
const keyWindow = (name: string, from = 0n, until = LAST): KeyWindow => ({ key: name, from, until });

const from = (lowest: bigint) => ({ lowest, highest: LAST });

/** The same, looked at number by number. */
function counted(list: readonly KeyWindow[], lowest: number, highest: number): number {
  let n = 0;
  for (let at = lowest; at <= highest; at++) n = Math.max(n, list.filter((h) => h.from <= at && at <= h.until).length);
  return n;
}

describe("keys that count for one sequence number", () => {
  it("are as many as a check of every number finds", () => {
    const next = draws(1);
    for (let i = 0; i < 2000; i++) {
      const list = Array.from({ length: next(6) }, (_, k) => {
        const from = next(20);
        return keyWindow(`${k}`, BigInt(from), BigInt(from + next(12)));
      });
      const lowest = next(30);
      expect(most(list, from(BigInt(lowest)))).toBe(counted(list, lowest, 40));
    }
  });

  it("do not count above the highest number; those without a limit count up to it", () => {
    const list = [keyWindow("a"), keyWindow("b", 5n), keyWindow("c", 0n, 4n)];
    expect([most(list, from(0n)), most(list, from(5n)), most(list, from(LAST)), most(list, from(LAST + 1n)), most([], from(0n))]).toEqual([
      2, 2, 2, 0, 0,
    ]);
  });

  it("are those that both lists have, from where the device's list begins them, until either list ends them", () => {
    // that the newest list begins a key later does not take it from us
    expect(shared([keyWindow("a", 3n, 9n), keyWindow("b")], [keyWindow("a", 5n, 20n), keyWindow("c")])).toEqual([keyWindow("a", 3n, 9n)]);
    expect(shared([keyWindow("a", 3n, 20n)], [keyWindow("a", 0n, 9n)])).toEqual([keyWindow("a", 3n, 9n)]);
    const list = [keyWindow("a"), keyWindow("b")];
    expect([without(list, new Set(["a"])), only(list, new Set(["a"]))]).toEqual([[keyWindow("b")], [keyWindow("a")]]);
  });
});

describe("who can reach a device", () => {
  const [a, b, c] = [key("a"), key("b"), key("c")];
  const roots = [key("r1"), key("r2")];
  const nobody = { lost: new Set<string>(), stolen: new Set<string>() };
  const state = async (until?: { [place: number]: bigint }) => {
    const bytes = await trustFileOf(1, { releases: [a, b, c], roots, ...(until && { until }) });
    const store = selfSignedTrust(bytes);
    return { store, floor: [0, 0] as Sequence, model: modelOf({ trust: { path: "1", bytes, store }, identity: identity("board-v2") }) };
  };

  it("is who has the secret, in any form of its key", async () => {
    const anchors: TrustEntry[] = [...twinsOf(a), b].map((one) => ({ key: one, roles: ["release"] }));
    const d = { name: "board", sequence: 1n, anchors: [...anchors, { key: roots[0] as PublicKey, roles: ["root"] }] } as const;
    const bytes = await signTrustWithoutLog(encodeTrust({ ...d, thresholds: { root: 1, release: 1 } }), [signer(roots[0] as PrivateKey)]);
    const store = selfSignedTrust(bytes);
    const model = modelOf({ trust: { path: "1", bytes, store }, identity: identity("board-v2") });
    expect(exposure({ store, floor: [0, 0], model }, secretSet([a])).release).toBe(true);
    expect(margins({ store, floor: [0, 0], model }, store, 0n, { ...nobody, lost: secretSet([a]) }).release.left).toBe(1);
  });

  it("is nobody once the windows of too many keys have ended", async () => {
    const s = await state({ 0: 100n, 1: 50n });
    expect([50n, 51n, 99n, 100n].map((after) => reach(s, s.store, after, nobody).verdict)).toEqual(["moved", "moved", "moved", "stranded"]);
    const later = selfSignedTrust(await trustFileOf(2, { releases: [a, b, c], roots, until: { 2: 10n } }));
    // the newest list ends c, and this device's list ends b
    const t = await state({ 1: 50n });
    expect([9n, 10n, 49n, 50n].map((after) => reach(t, later, after, nobody).verdict)).toEqual(["moved", "moved", "moved", "stranded"]);
  });
});
