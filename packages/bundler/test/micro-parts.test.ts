// Micro verifiers without some parts: what they accept, the general verifier accepts, with the same effects.

import { encode, privateKey, signEnvelopeWithoutLog, signer, singleImage, splitEnvelope } from "@firmseal/signer";
import { anchor, boot, install, open, type Trust } from "@firmseal/verifier";
import { memoryDevice } from "@firmseal/verifier/device/memory";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { sealed } from "../../../fuzz/common/seal.js";
import { bytes as octets, text } from "../../../test-vectors/src/pieces/assemble.js";
import { hex, sha256Hex } from "../../test-support/src/bytes.js";
import { LONG, OF_SOME, some } from "../../test-support/src/environment/effort.js";
import { code, ID, identity, image, uuid } from "../../verifier/test/releases.js";
import { MICRO_PARTS, minifiedBundle, playable } from "../src/index.js";

const ed = signer(privateKey("ed25519", hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")));
const es = signer(privateKey("es256", hex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721")));
const FIRMWARE = image(3, 40);
const URI = "https://example.com/a";

type Verifier = { open: typeof open; install: typeof install; boot: typeof boot; anchor: typeof anchor };
const general: Verifier = { open, install, boot, anchor };

function load(source: string): Verifier {
  const module = { exports: {} as Verifier };
  new Function("module", "exports", source)(module, module.exports);
  return module.exports;
}

function single(sequence: number, uri = "#firmware"): Uint8Array {
  const facts = { sequence, ...uuid, digest: sha256Hex(FIRMWARE), size: FIRMWARE.length, uri };
  return encode(singleImage(uri.startsWith("#") ? { ...facts, payload: FIRMWARE } : facts));
}

/** What a device has afterwards and has started, or the number of the refusal. */
function effects(by: Verifier, envelope: Uint8Array, whom: Trust, boots: boolean): unknown {
  const device = memoryDevice(identity, [ID], 4096);
  const refused = code(() => {
    const progress = by.install(envelope, whom, device);
    if (progress.next()) {
      progress.next(FIRMWARE);
      progress.next(true);
    }
    if (boots) by.boot(device.envelope as Uint8Array, whom, device).next();
  });
  return JSON.stringify([refused, device.parts, device.sequence, device.invoked.map(({ id }) => id.map((part) => Array.from(part)))]);
}

const edits = (length: number) =>
  fc.array(fc.tuple(fc.nat(length), fc.nat(255), fc.constantFrom("set", "insert", "delete")), { maxLength: 2 });
function edited(from: Uint8Array, all: readonly (readonly [number, number, string])[]): Uint8Array {
  const out = [...from];
  for (const [at, byte, how] of all) out.splice(at % out.length, how === "insert" ? 0 : 1, ...(how === "delete" ? [] : [byte]));
  return Uint8Array.from(out);
}

/** A policy for both verifiers, whose anchors are their own. */
const policies = fc.record({
  keys: fc.integer({ min: 1, max: 3 }),
  threshold: fc.constantFrom(undefined, 0, 1, 2, 3, 1.5),
  window: fc.constantFrom({}, { since: [0, 8] }, { until: [0, 8] }, { until: [0, 6] }, { since: [1, 0] }),
  floor: fc.constantFrom(0, 7, 8, 10),
});
type Policy = typeof policies extends fc.Arbitrary<infer T> ? T : never;
function trustOf(by: Verifier, { keys, threshold, window, floor }: Policy): Trust {
  const anchors = [by.anchor("ed25519", ed.publicKey), by.anchor("es256", es.publicKey)].filter((_, i) => keys & (1 << i));
  const all = anchors.map((one) => ({ ...one, ...window }));
  return { anchors: all, floor: [0, floor], ...(threshold !== undefined && { threshold }) } as Trust;
}

it.each([
  ["hsslms", [], ["sha256"], 5100],
  ["hsslms", ["storage"], ["sha256"], 9300],
  ["ed25519", [], [], 12900],
] as const)("%s with the features %j and the host's hashes %j, without a threshold and URIs", async (alg, features, micro, most) => {
  const options = { algs: [alg], features, format: "espruino", micro, without: ["threshold", "uri"] } as const;
  expect((await minifiedBundle(options)).length).toBeLessThanOrEqual(most);
});

/**
 * Every set of parts in one format or the other: as it ships, or as written (`playable`). The code of `espruino` is that of `script`, for engines
 * with typed arrays.
 */
const SUBSETS = Array.from({ length: 2 ** MICRO_PARTS.length }, (_, n) => {
  const format = n % 3 ? "espruino" : "umd";
  return [LONG || n % 5 === 0 ? format : "playable", MICRO_PARTS.filter((_part, i) => (n >> i) & 1)] as const;
});
/** By default, always the same few. */
const MANY = process.env["FIRMSEAL_CASES"] ?? (LONG ? "1000" : undefined);
const CASES = MANY === undefined ? { numRuns: 40, seed: 7 } : { numRuns: Number(MANY) };

it.each(some(SUBSETS, 3))(
  `%s without %j accepts nothing that the general verifier refuses${OF_SOME}`,
  { timeout: 300_000 },
  async (format, without) => {
    const options = { algs: ["ed25519", "es256"], features: ["install"], micro: [], without } as const;
    const micro = load(format === "playable" ? `module.exports = ${playable(options)}` : await minifiedBundle({ ...options, format }));
    let accepted = 0;
    const compare = (envelope: Uint8Array, policy: Policy) => {
      if (code(() => micro.open(envelope, trustOf(micro, policy))) !== 0) return;
      accepted++;
      expect(code(() => open(envelope, trustOf(general, policy)))).toBe(0);
      const boots = !without.includes("boot");
      expect("boot" in micro).toBe(boots);
      expect(effects(micro, envelope, trustOf(micro, policy), boots)).toBe(effects(general, envelope, trustOf(general, policy), boots));
    };
    const releases = [
      await signEnvelopeWithoutLog(single(7), [ed]),
      await signEnvelopeWithoutLog(single(9), [ed, es]),
      await signEnvelopeWithoutLog(single(9, URI), [es, ed]),
    ];
    fc.assert(
      fc.property(fc.constantFrom(...releases), policies, edits(700), (from, policy, all) => compare(edited(from, all), policy)),
      CASES,
    );
    const manifests = [single(7), single(7, URI)].map((one) => splitEnvelope(one).manifest);
    const rest = [Uint8Array.from(text("#firmware")), Uint8Array.from(octets(FIRMWARE))];
    const policy: Policy = { keys: 1, threshold: 1, window: {}, floor: 0 };
    fc.assert(
      fc.property(fc.constantFrom(...manifests), fc.boolean(), edits(300), (from, inside, all) =>
        compare(sealed(edited(from, all), inside ? rest : []), policy),
      ),
      CASES,
    );
    expect(accepted).toBeGreaterThan(0);
  },
);
