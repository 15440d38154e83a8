// Device, model and `firmseal verify` must say the same of every manifest: the same effects in the same order, the same
// refusal, the same slots afterwards. FIRMSEAL_CASES tries more, with another seed each time; a failure is printed with
// its seed and made small.

import fc from "fast-check";
import { afterAll, describe, expect, it, vi } from "vitest";
import { bytes, int, MAC_KEY, publicKey } from "../../../../test-vectors/src/pieces/assemble.js";
import { fileOf, listed, listOf } from "../../../../test-vectors/src/pieces/trust-file.js";
import { anchor, embeddedTrust, policyOf } from "../../src/index.js";
import * as E from "../../src/spec/errors.generated.js";
import { MAN_INSTALL } from "../../src/spec/suit.js";
import { ANCHOR_CLASS, ANCHOR_VENDOR, ROLE_RELEASE, ROLE_ROOT } from "../../src/spec/trust.js";
import { cover, coverAll, type Key } from "./belief.js";
import { Device, type Outcome } from "./device.js";
import { encoded } from "./encode.js";
import { anything, nearly, SECTIONS, wrong } from "./generate.js";
import { noneTakes, refusedByAll } from "./kinds.js";
import type { Command, Manifest, Parameters } from "./manifest.js";
import { courseOf, identityOf, modelRun, runOf, sequencePair } from "./play.js";
import { refusals } from "./rules.js";
import { chains, wrongOf } from "./sequences.js";
import { folder, neverStarts, payloadFault, reachesOthers, strangePayloads, verified, warnings } from "./tools.js";
import { keys, me, ofTwo, world } from "./world.js";

/** What the command says, which would go to the terminal otherwise. */
const words = vi.hoisted((): string[] => []);
vi.mock("../../../cli/src/show/ui.js", async (original) => ({
  ...(await original<object>()),
  writeStderr: (text: string) => void words.push(text),
}));
vi.mock("../../../keys/src/notices.js", async (original) => ({
  ...(await original<object>()),
  warn: (text: string) => void words.push(text),
}));

const given = process.env["FIRMSEAL_CASES"];
const cases = Number(given ?? 150);
const few = Math.ceil(cases / 5);
/** By default the same cases each time, so that nobody's change is blamed for what another one did. */
const time = 60_000 + 100 * cases;
const runs = (numRuns: number) => ({ numRuns, ...(given === undefined && { seed: 11 }) });

const seen: { [name: string]: number } = {};
const note = (where: string, code: number) => {
  seen[`${where} ${code}`] = (seen[`${where} ${code}`] ?? 0) + 1;
};
afterAll(() => {
  if (process.env["FIRMSEAL_LONG"]) console.log(JSON.stringify(seen));
});

/** Throws where device and model differ. */
function agree(real: Outcome, model: Outcome): void {
  expect(model.codes.length > 0 ? model.codes : [0]).toContain(real.codes[0] ?? 0);
  expect({ ...real, codes: [] }).toEqual({ ...model, codes: [] });
}

const NOT_BELIEVED = [E.SIGNATURE_INVALID, E.SIGNATURE_NO_ANCHOR, E.SIGNATURE_THRESHOLD, E.TRUST_UNUSABLE, E.IDENTITY_UNCHECKED];
const BARE: Manifest = { sequence: 7n, components: ["00"], sections: {}, severed: [], absent: [], payloads: {} };
const mac = { anchors: [anchor("hmac256", Uint8Array.from(MAC_KEY))] };
const outcome = fc.oneof({ weight: 8, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) });

describe("the interpreter", () => {
  const manifests = fc.oneof({ weight: 4, arbitrary: anything }, { weight: 2, arbitrary: nearly }, { weight: 1, arbitrary: wrong });
  const sections = fc.uniqueArray(fc.constantFrom(...SECTIONS), { minLength: 1 });

  const wrongs = wrongOf(2).map((c) => [JSON.stringify(c), c] as const);
  it.each(wrongs)("refuses %s before anything runs, wherever it is", async (_, c) => {
    const first: Command[] = [{ do: "index", to: 0 }];
    const end: Command[] = [...first, { do: "abort" }];
    const never: Command[] = [...first, { do: "try", of: [first, [c, { do: "abort" }]], nil: false }];
    const of = (m: Partial<Manifest>): Manifest => ({ ...BARE, components: ["00", "01"], sections: { [MAN_INSTALL]: end }, ...m });
    for (const m of [
      of({ sections: { [MAN_INSTALL]: [...end, c] } }),
      of({ sections: { [MAN_INSTALL]: [...first, { do: "run", of: [...end, c] }] } }),
      of({ sections: { [MAN_INSTALL]: never }, severed: [MAN_INSTALL] }),
      of({ shared: never }),
    ]) {
      const model = modelRun(m, [MAN_INSTALL], ofTwo, [], 0n);
      const real = runOf(await encoded(m), mac, [MAN_INSTALL], ofTwo, []);
      expect(model.codes).toContain(real.code);
      expect(real.effects).toEqual(model.effects);
    }
  });

  it("lets no soft failure hide a directive that fails or lacks its parameter", async () => {
    const set: Command = { do: "override", set: { uri: "#a", content: "00", source: 1, soft: true } };
    for (const directive of ["fetch", "write", "copy", "swap", "invoke"] as const)
      for (const inner of [[{ do: directive }], [set, { do: directive }]] as Command[][])
        for (const c of [
          { do: "try", of: [inner, [{ do: "abort" }]], nil: true },
          { do: "run", of: [set, { do: "run", of: inner }] },
        ] as Command[]) {
          const m: Manifest = { ...BARE, components: ["00", "01"], sections: { [MAN_INSTALL]: [{ do: "index", to: 0 }, c] } };
          const real = runOf(await encoded(m), mac, [MAN_INSTALL], ofTwo, [false]);
          expect({ codes: [real.code], effects: real.effects }, JSON.stringify(c)).toEqual(modelRun(m, [MAN_INSTALL], ofTwo, [false], 0n));
        }
  });

  it("keeps what is read apart from what is written if there is no strict order", async () => {
    for (const commands of chains) {
      const m: Manifest = { ...BARE, components: ["00", "01", "02"], sections: { [MAN_INSTALL]: commands } };
      const real = runOf(await encoded(m), mac, [MAN_INSTALL], ofTwo, []);
      const model = modelRun(m, [MAN_INSTALL], ofTwo, [], 0n);
      expect({ codes: [real.code], effects: real.effects }, JSON.stringify(commands)).toEqual(model);
    }
  });

  it(
    "returns the model's effects, and is refused when the model is",
    async () => {
      await fc.assert(
        fc.asyncProperty(manifests, me, sections, fc.array(outcome, { maxLength: 12 }), async (m, who, inOrder, outcomes) => {
          const floor = 6n;
          const real = runOf(await encoded(m), { ...mac, floor: sequencePair(floor) }, inOrder, who, outcomes);
          const model = modelRun(m, inOrder, who, outcomes, floor);
          note("run", real.code);
          expect(real.effects).toEqual(model.effects);
          expect(model.codes).toContain(real.code);
        }),
        runs(cases),
      );
    },
    time,
  );
});

describe("a device", () => {
  const manifests = fc.oneof({ weight: 1, arbitrary: anything }, { weight: 8, arbitrary: nearly }, { weight: 1, arbitrary: wrong });
  for (const [does, installing] of [
    ["installs", true],
    ["starts", false],
  ] as const)
    it(
      `${does} what the model does, and has the same state afterwards`,
      async () => {
        await fc.assert(
          fc.asyncProperty(manifests, world, async (m, w) => {
            const { others, ...real } = courseOf(await encoded(m), mac, w, installing);
            note(does, real.codes[0] ?? 0);
            agree(real, new Device(m, w, installing).outcome());
            // what was refused does not lie about where a later session could take it for whole
            if (real.codes.length > 0) expect(others.join("")).toBe("");
          }),
          runs(cases),
        );
      },
      time,
    );
});

describe("firmseal verify", () => {
  const files = folder();
  afterAll(files.remove);
  const manifests = fc.oneof({ weight: 5, arbitrary: nearly }, { weight: 1, arbitrary: wrong });
  const by = (ids: readonly Key[]) => ids.map(({ key }) => ({ key }));
  const rootPath = files.put("root.pub", Uint8Array.from(publicKey("a")));

  /** A trust file with these keys for releases. */
  async function trustFileOf(all: readonly Key[], threshold: number): Promise<Uint8Array> {
    const anchors = all.map((k) => {
      const scope = [
        ...(k.vendor === undefined ? [] : [[int(ANCHOR_VENDOR), bytes(Buffer.from(k.vendor, "hex"))] as const]),
        ...(k.class === undefined ? [] : [[int(ANCHOR_CLASS), bytes(Buffer.from(k.class, "hex"))] as const]),
      ];
      return listed(k.key, [ROLE_RELEASE], { more: scope });
    });
    const thresholds: [number, number][] = [
      [ROLE_ROOT, 1],
      [ROLE_RELEASE, threshold],
    ];
    return Uint8Array.from(await fileOf(listOf({ anchors: [listed("a", [ROLE_ROOT]), ...anchors], thresholds })));
  }

  it(
    "accepts what open() and devices accept, and warns about what some devices refuse",
    async () => {
      await fc.assert(
        fc.asyncProperty(manifests, async (m) => {
          const path = files.put("a.suit", await encoded(m, [{ key: "a" }]));
          const options = { key: [rootPath], floor: 6n };
          const { code, warned } = await verified(path, { ...options, allowNoStart: true, allowNoDevice: true }, words);
          note("verify", code);
          const first = refusals(m, 6n);
          if (first.size > 0) {
            expect([...first]).toContain(code);
            return;
          }
          const refusing = Object.keys(m.payloads).length > 0 ? refusedByAll(m) : [];
          const byAll = refusing.length > 0 ? [...refusing, ...warnings(m, true)] : [];
          expect([0, E.IMAGE_MISMATCH, E.PAYLOAD_SIZE, E.DIGEST_UNSET, ...byAll]).toContain(code);
          if (Object.keys(m.payloads).length === 0) expect(code).toBe(0);
          if (strangePayloads(m).length > 0) expect(code).not.toBe(0);
          if (code !== 0) return;
          expect(payloadFault(m)).toBe(false);
          const right = [warnings(m, true), warnings(m, false)];
          if (warned) expect(right[warned.installing ? 0 : 1]).toContain(warned.code);
          else expect(right).toEqual([[], []]);
          const dead = neverStarts(m);
          note("verify, with its start", dead.length > 0 ? 1 : 0);
          const refused = dead.length === 0 && noneTakes(m) ? right.flat() : dead;
          note("verify, with its devices", refused.length > 0 ? 1 : 0);
          expect(refused.length > 0 ? refused : [0]).toContain((await verified(path, options, words)).code);
        }),
        runs(few),
      );
    },
    time,
  );

  it("refuses what every device refuses if a condition does not hold", async () => {
    const m: Manifest = {
      sequence: 7n,
      components: ["00"],
      shared: [
        { do: "override", set: { vendor: ofTwo.vendor[0], class: ofTwo.class[0] } as Parameters },
        { do: "vendor" },
        { do: "class" },
      ],
      sections: {
        [MAN_INSTALL]: [
          { do: "try", of: [[{ do: "override", set: { content: "00" } }, { do: "content" }], [{ do: "invoke" }]], nil: false },
        ],
      },
      severed: [],
      absent: [],
      payloads: {},
    };
    const path = files.put("c.suit", await encoded(m, [{ key: "a" }]));
    expect(await verified(path, { key: [rootPath] }, words)).toEqual({ code: E.INVOKE_MISPLACED });
    const allowed = await verified(path, { key: [rootPath], allowNoDevice: true }, words);
    expect(allowed).toEqual({ code: 0, warned: { code: E.INVOKE_MISPLACED, installing: true } });
  });

  it(
    "accepts the signers that the model accepts, and so does the device",
    async () => {
      await fc.assert(
        fc.asyncProperty(manifests, world, fc.boolean(), keys, async (m, anyWorld, two, { listed: all, signed, threshold }) => {
          const w = two ? { ...anyWorld, me: ofTwo } : anyWorld;
          const envelope = await encoded(m, by(signed));
          const file = await trustFileOf(all, threshold);
          // this is about signers: a refusal by every device has its own test above
          const trusted = { trust: files.put("b.trust", file), root: [rootPath], allowNoDevice: true };
          const { code } = await verified(files.put("b.suit", envelope), trusted, words);
          note("scope", code);
          const first = refusals(m, 0n);
          if (first.size > 0) {
            expect([...NOT_BELIEVED, ...first]).toContain(code);
            return;
          }
          // for all that the manifest names it is good; for some of it, it is up to verify, but never where it would reach a device of others
          const believed = coverAll(signed, threshold, m);
          // with payloads, it says which refusal every device gives
          const refusing = Object.keys(m.payloads).length > 0 && refusedByAll(m).length > 0;
          if (reachesOthers(m, signed, threshold)) expect(NOT_BELIEVED).toContain(code);
          else if (believed && !refusing) expect(NOT_BELIEVED).not.toContain(code);

          const device = new Device(m, w, true);
          const model = device.outcome();
          let real: (Outcome & { others?: string[] }) | undefined;
          try {
            real = courseOf(envelope, policyOf(embeddedTrust(file), ROLE_RELEASE, identityOf(w.me)), w, true);
          } catch (e) {
            if ((e as { code?: number }).code !== E.TRUST_UNUSABLE) throw e;
          }
          // what it has not checked to be for itself is not installed, whatever the signers; that has its own test
          // above
          if (model.codes.length > 0) return;
          if (believed) {
            expect(real?.codes).toEqual([]);
            expect(real?.current).toEqual(model.current);
          } else if (!cover(signed, threshold, device.checked)) expect(real?.codes).not.toEqual([]);
        }),
        runs(few),
      );
    },
    time,
  );
});

describe("the generated manifests", () => {
  it("have enough good ones to install, and bad ones of every kind", () => {
    for (const [where, most] of [
      ["run", 18],
      ["installs", 18],
      ["starts", 18],
      ["verify", 2],
      ["scope", 3],
    ] as const) {
      const of = Object.keys(seen).filter((name) => name.startsWith(`${where} `));
      const all = of.reduce((sum, name) => sum + (seen[name] as number), 0);
      expect(of.length, where).toBeGreaterThanOrEqual(most);
      expect((seen[`${where} 0`] ?? 0) / all, where).toBeGreaterThan(0.15);
    }
  });
});
