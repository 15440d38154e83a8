// A model of what a device with trust files keeps of numbers: floors for each role, limits on jumps, and epochs. It is
// written from docs/guides/trust.md, and not from the code. Generated sequences of installations run on both.

import {
  bridge,
  encode,
  encodeTrust,
  type PrivateKey,
  signEnvelopeWithoutLog,
  signer,
  signTrustWithoutLog,
  singleImage,
} from "@firmseal/signer";
import fc from "fast-check";
import { expect, it } from "vitest";
import { sha256Hex } from "../../../test-support/src/bytes.js";
import { LEAST, LONG } from "../../../test-support/src/environment/effort.js";
import { filledKey } from "../../../test-support/src/keys/filled-key.js";
import { memoryDevice } from "../../src/device/memory.js";
import { roleFloors } from "../../src/device/roles.js";
import { embeddedTrust, errors, install, nextTrust, policyOf } from "../../src/index.js";
import { TRUST_COMPONENT } from "../../src/install/trust-update.js";
import { code, ID, identity, image, uuid } from "../releases.js";

const [root, releaseKey, debugKey] = [1, 2, 3].map(filledKey) as [PrivateKey, PrivateKey, PrivateKey];

/** A trust file: its own number, the limit on jumps of each role that signs, and where counting has begun again. */
interface List {
  sequence: number;
  jump: number | undefined;
  epoch: number;
  from: number;
}
/** A release, in the role of its key. `bytes` distinguishes two with the same number. */
interface Release {
  role: 2 | 3;
  sequence: number;
  bytes: number;
  list: number | undefined;
}

const LISTS: List[] = [
  { sequence: 1, jump: undefined, epoch: 0, from: 0 },
  { sequence: 2, jump: 4, epoch: 0, from: 0 },
  { sequence: 3, jump: 6, epoch: 1, from: 5 },
  { sequence: 4, jump: 3, epoch: 1, from: 5 },
  { sequence: 5, jump: 5, epoch: 2, from: 3 },
  // an epoch that goes back: never accepted after those before it
  { sequence: 6, jump: undefined, epoch: 1, from: 1 },
];

/** More cases, with another seed each time. */
const given = process.env["FIRMSEAL_CASES"];

const made = new Map<string, Promise<Uint8Array>>();
function once(name: string, make: () => Promise<Uint8Array>): Promise<Uint8Array> {
  const known = made.get(name) ?? make();
  made.set(name, known);
  return known;
}

const fileOf = (i: number) =>
  once(`list ${i}`, () => {
    const { sequence, jump, epoch, from } = LISTS[i] as List;
    const anchors = [
      { key: root, roles: ["root" as const] },
      { key: releaseKey, roles: ["release" as const] },
      { key: debugKey, roles: ["debug" as const] },
    ];
    const limits = jump === undefined ? {} : { jumps: { release: BigInt(jump), debug: BigInt(jump) } };
    const anew = epoch ? { epoch: { number: epoch, from: BigInt(from) } } : {};
    const d = { name: "line", sequence: BigInt(sequence), anchors, thresholds: { root: 1, release: 1, debug: 1 }, ...limits, ...anew };
    return signTrustWithoutLog(encodeTrust(d), [signer(root)]);
  });

const envelopeOf = (r: Release) =>
  once(JSON.stringify(r), async () => {
    const payload = image(r.bytes, 20);
    const file = { digest: sha256Hex(payload), size: payload.length, uri: "#f", payload };
    const facts = { sequence: r.sequence, ...uuid };
    const d = r.list === undefined ? singleImage({ ...facts, ...file }) : bridge({ ...facts, trust: await fileOf(r.list), image: file });
    return signEnvelopeWithoutLog(encode(d), [signer(r.role === 2 ? releaseKey : debugKey)]);
  });

interface Floor {
  sequence: number;
  of: string;
  epoch: number;
}

/** The device of the model. */
class Numbers {
  list = 0;
  readonly #floors = new Map<number, Floor>();

  floor(role: number): number {
    return this.#floors.get(role)?.sequence ?? 0;
  }

  /** The refusal, or 0 and the floor moves. */
  install(r: Release): number {
    const held = this.#floors.get(r.role) ?? { sequence: 0, of: "", epoch: 0 };
    const current = LISTS[this.list] as List;
    const brought = r.list === undefined ? undefined : (LISTS[r.list] as List);
    // the next list has a higher number, and its epoch never goes back; the same again changes nothing
    const next = brought && brought.sequence > current.sequence && brought.epoch >= current.epoch ? brought : undefined;
    const epoch = Math.max(held.epoch, current.epoch);
    const anew = next !== undefined && next.epoch > epoch && r.sequence < held.sequence;
    const low = anew ? next.from : held.sequence;
    if (r.sequence < low) return errors.ROLLBACK;
    if (low > 0 && current.jump !== undefined && r.sequence - low > current.jump) return errors.SEQUENCE_JUMP;
    const of = JSON.stringify(r);
    // also 0, once a release has it
    if (!anew && this.#floors.has(r.role) && r.sequence === held.sequence && of !== held.of) return errors.SEQUENCE_TAKEN;
    this.#floors.set(r.role, { sequence: r.sequence, of, epoch: Math.max(epoch, next?.epoch ?? 0) });
    if (next) this.list = LISTS.indexOf(next);
    return 0;
  }
}

const release: fc.Arbitrary<Release> = fc.record({
  role: fc.constantFrom(2 as const, 3 as const),
  sequence: fc.integer({ min: 0, max: 16 }),
  bytes: fc.constantFrom(1, 2),
  list: fc.option(fc.nat(LISTS.length - 1), { nil: undefined }),
});

it("floors, jumps and epochs are those of the model, whatever is installed in which role", async () => {
  const seen = new Map<number, number>();
  let resets = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(release, { minLength: 1, maxLength: 14 }), async (releases) => {
      const ids = [ID, TRUST_COMPONENT as Uint8Array[]];
      const device = roleFloors(memoryDevice(identity, ids, 4096));
      const model = new Numbers();
      let store = embeddedTrust(await fileOf(0));
      for (const r of releases) {
        const envelope = await envelopeOf(r);
        const before = model.floor(r.role);
        const expected = model.install(r);
        expect(code(() => install(envelope, policyOf(store, r.role, identity), device).next())).toBe(expected);
        seen.set(expected, (seen.get(expected) ?? 0) + 1);
        if (expected === 0 && r.sequence < before) resets++;
        if (expected === 0) {
          const next = nextTrust(store, device, device.envelope as Uint8Array, r.role);
          if (next) store = embeddedTrust(next);
          expect(device.currentRole()).toBe(r.role);
        }
        expect(store.sequence[1]).toBe((LISTS[model.list] as List).sequence);
        for (const role of [2, 3]) expect(device.floor(role)).toEqual([0, model.floor(role)]);
      }
    }),
    given ? { numRuns: Number(given) } : { numRuns: LONG || LEAST ? 150 : 75, seed: 5 },
  );
  // every answer has come up, and floors have been reset
  expect([...seen.keys()].sort()).toEqual([0, errors.SEQUENCE_TAKEN, errors.SEQUENCE_JUMP, errors.ROLLBACK].sort());
  expect(resets).toBeGreaterThan(10);
}, 120_000);
