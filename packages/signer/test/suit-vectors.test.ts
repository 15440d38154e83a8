import { anchor, errors, open, type Refusal } from "@firmseal/verifier";
import { decodeEnvelope } from "@firmseal/verifier/tools";
import { describe, expect, it } from "vitest";
import { haveVectors, SPEC_P256, SPEC_P256_PRIVATE, vectorBytes, vectorHex, vectorJson } from "../../test-support/src/vectors.js";
import { encode, importSuitTool, privateKey, reattach, sever, signEnvelopeWithoutLog, signer, splitEnvelope } from "../src/index.js";

const trust = () => ({ anchors: [anchor("es256", SPEC_P256)] });
const key = () => signer(privateKey("es256", SPEC_P256_PRIVATE));

/** Where the 64 bytes of the only signature lie. */
function signatureAt(bytes: Uint8Array): number {
  const text = Buffer.from(bytes).toString("latin1");
  return text.indexOf("\xa0\xf6\x58\x40") + 4;
}

function withoutSignature(bytes: Uint8Array): string {
  const at = signatureAt(bytes);
  return Buffer.from(bytes)
    .fill(0, at, at + 64)
    .toString("hex");
}

describe.skipIf(!haveVectors)("official SUIT examples (third-party vectors)", () => {
  for (const n of [0, 1, 2, 3, 4, 5]) {
    it(`example ${n}: from its JSON description, every byte but the signature`, async () => {
      const official = vectorBytes(`suit/manifest-spec/example${n}.signed.suit`);
      const { description } = importSuitTool(vectorJson(`suit/manifest-spec/example${n}.json`));
      const envelope = encode(description);
      expect(Buffer.from(splitEnvelope(envelope).manifest).toString("hex")).toBe(
        Buffer.from(splitEnvelope(official).manifest).toString("hex"),
      );
      const signed = await signEnvelopeWithoutLog(envelope, [key()]);
      // the official file has -7 where we write -9
      const like = Buffer.from(signed);
      like[like.indexOf(Buffer.from("43a10128", "hex")) + 3] = 0x26;
      expect(withoutSignature(like)).toBe(withoutSignature(official));
      expect(open(official, trust()).sequence).toEqual([0, n]);
    });
  }

  for (const n of [1, 3, 5]) {
    it(`example ${n}: signed with ESP256, byte for byte`, async () => {
      const wanted = vectorBytes(`suit/esp256/example${n}.signed.suit`);
      const { description } = importSuitTool(vectorJson(`suit/manifest-spec/example${n}.json`));
      expect(Buffer.from(await signEnvelopeWithoutLog(encode(description), [key()])).toString("hex")).toBe(
        Buffer.from(wanted).toString("hex"),
      );
      expect(open(wanted, trust()).sequence).toEqual([0, n]);
    });
  }

  for (const n of [0, 1, 3]) {
    it(`libcsuit exp${n}: signed with ESP256, byte for byte`, async () => {
      const wanted = vectorBytes(`suit/libcsuit/suit_manifest_exp${n}.suit`);
      const unsigned = encode(importSuitTool(vectorJson(`suit/manifest-spec/example${n}.json`)).description);
      expect(Buffer.from(await signEnvelopeWithoutLog(unsigned, [key()])).toString("hex")).toBe(Buffer.from(wanted).toString("hex"));
      open(wanted, trust());
    });
  }

  it("example 2: severed and reattached", () => {
    const full = vectorBytes("suit/manifest-spec/example2.signed.suit");
    const severed = vectorBytes("suit/manifest-spec/example2.signed.severed.suit");
    expect(Buffer.from(sever(full)).equals(Buffer.from(severed))).toBe(true);
    expect(Buffer.from(reattach(severed, full)).equals(Buffer.from(full))).toBe(true);
    expect(open(severed, trust()).absent).toEqual([20, 23]);
  });

  it("warns about what the import leaves out", () => {
    expect(importSuitTool(vectorJson("suit/manifest-spec/example2.json")).warnings).toEqual([
      "include-json is ignored",
      "description of a component: component-version is ignored",
      "description of a component: model-info is ignored",
    ]);
  });

  it.each([
    ["libcsuit S0 (trust domains)", () => vectorBytes("suit/libcsuit/suit_manifest_expS0.suit"), "es256"],
    ["libcsuit U0 (update management)", () => vectorBytes("suit/libcsuit/suit_manifest_expU0.suit"), "es256"],
    ["trust domains, example 0", () => vectorHex("suit/trust-domains/example0_dependent.hex"), "es256"],
    ["trust domains, example 1", () => vectorHex("suit/trust-domains/example1_process.hex"), "es256"],
    ["firmware encryption, ES-ECDH", () => vectorHex("suit/firmware-encryption/suit-manifest-es-ecdh-content.hex.signed"), "es256"],
    ["firmware encryption, AES-KW under a MAC", () => vectorHex("suit/firmware-encryption/suit-manifest-aes-kw.hex.signed"), "hmac256"],
  ] as const)("%s: authentic, readable, and refused as not supported", (_, bytes, alg) => {
    const code = (key: Uint8Array) => {
      try {
        open(bytes(), { anchors: [anchor(alg, key)] });
      } catch (e) {
        return (e as Refusal).code;
      }
      return 0;
    };
    const [right, wrong] =
      alg === "es256"
        ? [SPEC_P256, privateKey("es256", new Uint8Array(32).fill(7)).key]
        : [new Uint8Array(32).fill(0x61), new Uint8Array(32).fill(0x62)];
    // support is checked after the signature, so the refusal says that the signature is good
    expect(code(right)).toBe(errors.NOT_SUPPORTED);
    expect(code(wrong)).toBe(errors.SIGNATURE_INVALID);
    expect(decodeEnvelope(bytes()).manifest.components.length).toBeGreaterThan(0);
  });
});
