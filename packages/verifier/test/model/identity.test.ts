// Two faults that were found and mended, the smallest manifest of each: what a failed branch has checked, and a key for one of a device's classes.

import { describe, expect, it } from "vitest";
import { bytes, int, MAC_KEY } from "../../../../test-vectors/src/pieces/assemble.js";
import { fileOf, listed, listOf, ROOT } from "../../../../test-vectors/src/pieces/trust-file.js";
import { anchor, embeddedTrust, policyOf } from "../../src/index.js";
import { IDENTITY_UNCHECKED } from "../../src/spec/errors.generated.js";
import { MAN_INSTALL } from "../../src/spec/suit.js";
import { ANCHOR_CLASS, ROLE_RELEASE } from "../../src/spec/trust.js";
import { cover } from "./belief.js";
import { Device } from "./device.js";
import { encoded } from "./encode.js";
import type { Command, Manifest, Parameters } from "./manifest.js";
import { courseOf, identityOf } from "./play.js";
import { CLASSES, NEW, OLD, VENDORS } from "./sequences.js";
import type { World } from "./world.js";

const [V, W] = VENDORS as [string, string];
const [A, B] = CLASSES as [string, string];
const set = (p: Parameters): Command => ({ do: "override", set: p });
const isVendor = (vendor: string): Command[] => [set({ vendor }), { do: "vendor" }];
const isClass = (classId: string): Command[] => [set({ class: classId }), { do: "class" }];
const world = (...classes: string[]): World => ({
  me: { vendor: [V], class: classes, device: [] },
  current: [OLD, OLD, OLD],
  slots: [0, 0, 0],
  floor: 0n,
  had: "unknown",
  payloads: {},
});

/** A release of one component behind this check of who it is for. */
const release = (identity: Command[]): Manifest => ({
  sequence: 7n,
  components: ["00"],
  sections: { [MAN_INSTALL]: [...identity, set({ digest: { alg: -16, of: NEW }, content: NEW }), { do: "write" }] },
  severed: [],
  absent: [],
  payloads: {},
});

describe("identity and scope", () => {
  const mac = { anchors: [anchor("hmac256", Uint8Array.from(MAC_KEY))] };
  for (const [name, identity] of [
    [
      "two failed alternatives",
      [
        {
          do: "try",
          of: [
            [...isVendor(V), ...isClass(B)],
            [...isClass(A), ...isVendor(W)],
          ],
          nil: true,
        },
      ],
    ],
    [
      "two sequences that failed softly",
      [isVendor(V), isClass(A)].map((c) => ({ do: "run", of: [set({ soft: true }), ...c, { do: "abort" }] })),
    ],
  ] as [string, Command[]][])
    it(`an identity that is combined from ${name} does not count`, async () => {
      const m = release(identity);
      expect(new Device(m, world(A), true).outcome().codes).toEqual([IDENTITY_UNCHECKED]);
      const { codes } = courseOf(await encoded(m), mac, world(A), true);
      expect(codes).toEqual([IDENTITY_UNCHECKED]);
    });

  it("on a device of two classes, a key for one of them does not sign for the other", async () => {
    const m = release([...isVendor(V), ...isClass(B)]);
    const key = { key: "b", class: A } as const;
    expect(cover([key], 1, { vendor: [V], class: [B] })).toBe(false);
    const anchors = [ROOT, listed("b", [ROLE_RELEASE], { more: [[int(ANCHOR_CLASS), bytes(Buffer.from(A, "hex"))]] })];
    const store = embeddedTrust(Uint8Array.from(await fileOf(listOf({ anchors }))));
    const w = world(A, B);
    const { codes, current } = courseOf(await encoded(m, [{ key: "b" }]), policyOf(store, ROLE_RELEASE, identityOf(w.me)), w, true);
    expect(codes).toEqual([IDENTITY_UNCHECKED]);
    expect(current[0]).toBe(OLD);
  });
});
