// A device's status: what it says, that only its key can say it, and that an old or changed answer counts for nothing.

import { createHmac, createPrivateKey, sign as nodeSign } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { hex } from "../../test-support/src/bytes.js";
import { drawnPair } from "../../test-support/src/keys/drawn-keys.js";
import about from "../package.json" with { type: "json" };
import { memoryDevice } from "../src/device/memory.js";
import {
  type Attester,
  anchor,
  type Bytes,
  boot,
  type Device,
  errors,
  install,
  type Manifest,
  macAttester,
  open,
  status,
} from "../src/index.js";
import { readStatus, STATUS_CONTEXT, VERIFIER_VERSION, verifyStatus } from "../src/tools/index.js";
import type { TrustStore } from "../src/trust/trust-list.js";
import { refusalOf } from "./refusals.js";
import { code, ID, identity, image, release, trust } from "./releases.js";

const secret = Uint8Array.from({ length: 32 }, (_, i) => i);
const nonce = hex("00112233445566778899aabbccddeeff");
const kid = new TextEncoder().encode("serial-7");
const anchors = [anchor("hmac256", secret)];
const mac = macAttester(secret, kid);
const store = { name: new TextEncoder().encode("line"), sequence: [0, 7] } as unknown as TrustStore;

/** A device that has installed release `sequence`, and its manifest. */
async function running(sequence: string): Promise<{ device: Device; manifest: Manifest; envelope: Uint8Array }> {
  const device = memoryDevice(identity, [ID], 4096);
  const envelope = await release(sequence, image(1, 100));
  const progress = install(envelope, trust, device);
  expect(progress.next()).toBe(undefined);
  return { device, manifest: progress.manifest, envelope };
}

let device: Device;
let manifest: Manifest;
beforeAll(async () => {
  ({ device, manifest } = await running("18446744073709551615"));
});

const answer = (o: { n?: Bytes; by?: Attester; m?: Manifest | null; s?: TrustStore | null } = {}) =>
  Uint8Array.from(status(o.n ?? nonce, device, o.m === undefined ? manifest : o.m, o.s === undefined ? store : o.s, o.by ?? mac));

describe("the answer", () => {
  it("says what runs, the floor, the trust file and the verifier", () => {
    const s = verifyStatus(answer(), anchors, nonce);
    expect({
      nonce: Buffer.from(s.nonce as Uint8Array).toString("hex"),
      verifier: Buffer.from(s.verifier as Uint8Array).toString(),
      state: s.state,
      floors: s.floors,
      digest: s.digest,
      sequence: s.sequence,
      trust: [Buffer.from(s.trustName as Uint8Array).toString(), s.trustSequence],
    }).toEqual({
      nonce: Buffer.from(nonce).toString("hex"),
      verifier: VERIFIER_VERSION,
      state: 0,
      floors: { 2: [0xffffffff, 0xffffffff] },
      digest: { alg: manifest.digest.alg, bytes: manifest.digest.bytes },
      sequence: [0xffffffff, 0xffffffff],
      trust: ["line", [0, 7]],
    });
  });

  it("says every floor of a device that has one for each role", () => {
    const asked: unknown[] = [];
    const floor = (role?: number) => {
      asked.push(role);
      return [0, role === 3 ? 0 : 10 + (role ?? 0)] as [number, number];
    };
    const byRole = { ...device, floor, currentRole: () => 2 };
    const { floors } = verifyStatus(Uint8Array.from(status(nonce, byRole, manifest, store, mac)), anchors, nonce);
    expect(floors).toEqual({ 2: [0, 12], 3: [0, 0], 4: [0, 14] });
    expect(asked).toEqual([2, 3, 4]);
    // others have one floor, and do not know of roles
    expect(verifyStatus(Uint8Array.from(status(nonce, { ...device, floor }, null, null, mac)), anchors, nonce).floors).toEqual({
      2: [0, 12],
    });
  });

  it("is these bytes: a COSE_Mac0 whose tag another HMAC makes", () => {
    const version = Buffer.from(VERIFIER_VERSION);
    const claims = `a50101025000112233445566778899aabbccddeeff036${version.length}${version.toString("hex")}040005a1021bffffffffffffffff`;
    expect(Buffer.from(answer({ m: null, s: null, by: macAttester(secret) })).toString("hex")).toBe(
      Buffer.from(said(claims)).toString("hex"),
    );
  });

  it("goes without a release and without a trust file", () => {
    const s = verifyStatus(answer({ m: null, s: null }), anchors, nonce);
    expect([s.digest, s.sequence, s.trustName, s.trustSequence]).toEqual([undefined, undefined, undefined, undefined]);
  });

  it("reports a release on trial, and one that was given up", () => {
    const states = [
      { pending: () => true, rolledBack: () => false },
      { pending: () => false, rolledBack: () => true },
    ];
    const told = states.map(
      (state) => verifyStatus(Uint8Array.from(status(nonce, { ...device, ...state }, null, null, mac)), anchors, nonce).state,
    );
    expect(told).toEqual([1, 2]);
  });

  it("is signed if a secure element signs", () => {
    const { privateKey, publicKey } = drawnPair("ed25519");
    const raw = Uint8Array.from(Buffer.from(publicKey.export({ format: "jwk" }).x as string, "base64url"));
    const element: Attester = {
      cose: -19,
      sign: (m) => nodeSign(null, Uint8Array.from(m), createPrivateKey(privateKey.export({ format: "pem", type: "pkcs8" }))),
    };
    expect(verifyStatus(answer({ by: element }), [anchor("ed25519", raw)], nonce).signature.alg).toBe(-19);
    expect(code(() => verifyStatus(answer({ by: element }), anchors, nonce))).toBe(errors.SIGNATURE_NO_ANCHOR);
  });

  it("names the version of this package", () => {
    expect(VERIFIER_VERSION).toBe(about.version);
  });
});

describe("refused", () => {
  it("every change of one bit, and every shorter message", () => {
    const good = answer();
    const taken: string[] = [];
    for (let i = 0; i < good.length * 8; i++) {
      const bad = good.slice();
      bad[i >> 3] = (bad[i >> 3] as number) ^ (1 << (i & 7));
      if (code(() => verifyStatus(bad, anchors, nonce)) === 0) taken.push(`bit ${i}`);
    }
    for (let n = 0; n < good.length; n++) if (code(() => verifyStatus(good.subarray(0, n), anchors, nonce)) === 0) taken.push(`${n} bytes`);
    expect(taken).toEqual([]);
  });

  it("an answer to another nonce, by another device, or with another kid", () => {
    const other = nonce.map((b) => b ^ 1);
    expect(refusalOf(verifyStatus, answer({ n: other }), anchors, nonce)).toEqual([errors.STATUS_NONCE, -1]);
    expect(
      code(() =>
        verifyStatus(
          answer({
            by: macAttester(
              secret.map((b) => b ^ 1),
              kid,
            ),
          }),
          anchors,
          nonce,
        ),
      ),
    ).toBe(errors.SIGNATURE_INVALID);
    expect(code(() => verifyStatus(answer(), [anchor("hmac256", secret, hex("01"))], nonce))).toBe(errors.SIGNATURE_NO_ANCHOR);
  });

  it("a nonce of 7 or 65 bytes, none, or one that is not octets, on the device", () => {
    const bad: unknown[] = [nonce.subarray(0, 7), new Uint8Array(65), undefined, null, 8, { length: Number.NaN }, "0011"];
    expect(bad.map((n) => code(() => status(n as Bytes, device, manifest, store, mac)))).toEqual(bad.map(() => errors.STATUS_NONCE));
    const strange = [...nonce].map((b, i) => (i === 3 ? 256 : b));
    expect(code(() => status(strange, device, manifest, store, mac))).toBe(errors.CBOR_OCTET);
    expect([8, 64].map((n) => code(() => answer({ n: new Uint8Array(n) })))).toEqual([0, 0]);
  });

  it("an attester without an algorithm, or that gives no signature", () => {
    const faults = [undefined, {}, { cose: 0 }, { cose: 4 }, { cose: Number.NaN }, { cose: -1.5 }, { cose: "5" }] as unknown as Attester[];
    expect(faults.map((by) => code(() => status(nonce, device, null, null, by)))).toEqual(faults.map(() => errors.TRUST_POLICY));
    const silent = [[], undefined, { length: 16385 }] as unknown as Bytes[];
    expect(silent.map((s) => code(() => answer({ by: { cose: -8, sign: () => s } })))).toEqual(silent.map(() => errors.DEVICE_FAULT));
    expect(code(() => answer({ by: { cose: -8, sign: () => new Uint8Array(16384) } }))).toBe(0);
  });

  it("a device whose floor is not a number", () => {
    const floors = [undefined, [0], [0, 2 ** 32], [0, -1], [0.5, 0], "12"];
    const codes = floors.map((f) => code(() => status(nonce, { ...device, floor: () => f as [number, number] }, null, null, mac)));
    expect(codes).toEqual(floors.map(() => errors.DEVICE_FAULT));
  });

  it("each at no place of an envelope, whatever was read before", async () => {
    const cut = (await release("7", image(1, 10))).subarray(0, 60);
    const floor = () => [0] as unknown as [number, number];
    const refusals: [number, () => unknown][] = [
      [errors.STATUS_NONCE, () => status([], device, null, null, mac)],
      [errors.DEVICE_FAULT, () => status(nonce, { ...device, floor }, null, null, mac)],
      [errors.DEVICE_FAULT, () => answer({ by: { cose: -8, sign: () => [] } })],
    ];
    for (const [expected, ask] of refusals) {
      expect(refusalOf(() => open(cut, trust))[1]).toBeGreaterThan(1);
      expect(refusalOf(ask)).toEqual([expected, -1]);
    }
  });
});

/** Claims as bytes of CBOR, under a good tag: what a faulty or hostile device with the secret could say. */
function said(claims: string, tag = "d1"): Uint8Array {
  const payload = hex(claims);
  const part = (b: Uint8Array) => Buffer.concat([Buffer.from(b.length < 24 ? [64 + b.length] : [88, b.length]), b]);
  const headers = hex("a10105");
  const structure = [Buffer.from([0x84, 0x64]), Buffer.from("MAC0"), part(headers), part(Buffer.from(STATUS_CONTEXT)), part(payload)];
  const mark = createHmac("sha256", secret).update(Buffer.concat(structure)).digest();
  return Uint8Array.from(Buffer.concat([hex(`${tag}84`), part(headers), hex("a0"), part(payload), part(mark)]));
}

describe("a status with these claims is judged", () => {
  const N = `0248${"11".repeat(8)}`;
  const cases: [string, string, number][] = [
    ["those that every status has", `a50101${N}036131040005a10200`, 0],
    ["no version", `a4${N}036131040005a10200`, errors.STATUS_CLAIM],
    ["another version", `a50102${N}036131040005a10200`, errors.STATUS_VERSION_UNKNOWN],
    ["no nonce", "a40101036131040005a10200", errors.STATUS_CLAIM],
    ["a nonce of 7 bytes", `a501010247${"11".repeat(7)}036131040005a10200`, errors.STATUS_NONCE],
    ["no verifier", `a40101${N}040005a10200`, errors.STATUS_CLAIM],
    ["a state that there is not", `a50101${N}036131040305a10200`, errors.STATUS_CLAIM],
    ["no state", `a40101${N}03613105a10200`, errors.STATUS_CLAIM],
    ["no floors", `a40101${N}0361310400`, errors.STATUS_CLAIM],
    ["no floor for releases", `a50101${N}036131040005a10300`, errors.STATUS_CLAIM],
    ["a floor for roots", `a50101${N}036131040005a201000200`, errors.STATUS_CLAIM],
    ["a floor for a role that there is not", `a50101${N}036131040005a202000500`, errors.STATUS_CLAIM],
    ["a digest without a number", `a60101${N}036131040005a1020006822f5820${"00".repeat(32)}`, errors.STATUS_CLAIM],
    ["a number without a digest", `a60101${N}036131040005a102000701`, errors.STATUS_CLAIM],
    ["a trust file without a number", `a60101${N}036131040005a1020008616c`, errors.STATUS_CLAIM],
    ["a claim that there is not", `a60101${N}036131040005a102000a00`, errors.STATUS_CLAIM],
    ["a claim that there is not, after all others", `a80101${N}036131040005a1020008616c09010a00`, errors.STATUS_CLAIM],
    ["a claim twice", `a60101${N}0361310361310400`, errors.CBOR_KEY_DUPLICATE],
    ["another order", `a5${N}0101036131040005a10200`, errors.CBOR_KEY_ORDER],
    ["a verifier of 65 bytes", `a50101${N}037841${"61".repeat(65)}040005a10200`, errors.STATUS_LIMIT],
    ["bytes behind the claims", `a50101${N}036131040005a1020000`, errors.CBOR_TRAILING],
    ["a list", "8101", errors.CBOR_TYPE],
  ];
  it.each(cases)("%s", (_, claims, expected) => {
    expect(code(() => verifyStatus(said(claims), anchors, hex("11".repeat(8))))).toBe(expected);
    expect(code(() => readStatus(said(claims)))).toBe(expected);
  });

  it("under another tag, or too long a message", () => {
    expect(code(() => readStatus(said(cases[0]?.[1] as string, "d3")))).toBe(errors.STATUS_NONE);
    expect(code(() => readStatus(new Uint8Array(32769)))).toBe(errors.STATUS_LIMIT);
  });
});

describe("kept apart", () => {
  it("the tag of a status is not valid for a manifest, and the tag of a manifest is not valid for a status", async () => {
    const { envelope } = await running("7");
    expect(code(() => readStatus(envelope))).toBe(errors.STATUS_NONE);
    expect(code(() => open(answer(), { anchors }))).not.toBe(0);
    expect(code(() => boot(answer(), { anchors }, device))).not.toBe(0);
  });
});
