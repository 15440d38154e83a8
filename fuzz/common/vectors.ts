// The vectors as seeds, and what in them was really signed.

import { createHash, createPublicKey, type KeyObject, verify as opensslVerify } from "node:crypto";
import {
  type Anchor,
  anchor,
  type Bytes,
  ed25519,
  es256,
  type Host,
  type Manifest,
  open,
  type Prepared,
  type Trust,
} from "@firmseal/verifier";
import { fromHex } from "@firmseal/verifier/tools";
import { type DeviceSpec, readKeys, readVectors, type Vector } from "../../test-vectors/index.mjs";
import { CLASS, DEVICE, MAC_KEY, publicKey, VENDOR } from "../../test-vectors/src/pieces/assemble.js";
import { inside, loosened, pairsOf } from "./loose.js";

const all = readVectors();

/** Envelopes of the vectors, of at most `most` bytes; or trust files. */
export function seedEnvelopes(most = 4096): Uint8Array[] {
  const texts = all.filter((v) => v.envelope && v.action !== "trust" && v.action !== "embedded").map((v) => v.envelope as string);
  return [...new Set(texts)].map(fromHex).filter((b) => b.length <= most);
}

/**
 * An envelope in the loose form (loose.ts): the manifest without its byte string, then the other pairs but the wrapper.
 */
export function looseOf(envelope: Uint8Array): Uint8Array {
  const [manifest, rest]: [Uint8Array[], Uint8Array[]] = [[], []];
  for (const [key, value] of pairsOf(envelope)) {
    if (key[0] === 3) manifest.push(inside(value));
    else if (key[0] !== 2) rest.push(key, value);
  }
  return Buffer.concat([...manifest, ...rest].filter((item) => item.length > 0).map(loosened));
}

export function seedTrustFiles(): Uint8Array[] {
  const texts = all.flatMap((v) => [v.action === "trust" || v.action === "embedded" ? v.envelope : undefined, v.previous, v.store?.file]);
  return [...new Set(texts.filter((t) => t !== undefined))].map(fromHex);
}

/** What most vectors trust: one key, for every release. */
const usual = JSON.stringify({ anchors: [readKeys()["ed25519-a"]].map((k) => ({ alg: k?.alg, key: k?.key })) });

/** Vectors that install or start under that key, with the device that each is for. */
export function installVectors(): { vector: Vector; envelope: Uint8Array; device: DeviceSpec }[] {
  return all
    .filter((v) => (v.action === "install" || v.action === "boot") && v.envelope && JSON.stringify(v.trust) === usual)
    .map((vector) => ({ vector, envelope: fromHex(vector.envelope as string), device: vector.device as DeviceSpec }));
}

const keys = new Map<string, KeyObject>();

/** A public key as OpenSSL has it. */
export function opensslKey(alg: "ed25519" | "es256", key: Uint8Array): KeyObject {
  const name = `${alg}${Buffer.from(key).toString("hex")}`;
  const known = keys.get(name);
  if (known) return known;
  const b64 = (from: number, to: number) => Buffer.from(key.subarray(from, to)).toString("base64url");
  const jwk =
    alg === "ed25519" ? { kty: "OKP", crv: "Ed25519", x: b64(0, 32) } : { kty: "EC", crv: "P-256", x: b64(1, 33), y: b64(33, 65) };
  const made = createPublicKey({ key: jwk, format: "jwk" });
  keys.set(name, made);
  return made;
}

const raw = (key: Bytes | Prepared) => Uint8Array.from((key as Prepared).key ?? (key as Bytes));

/** The same algorithm, where OpenSSL verifies: for targets that test what is around a signature. */
function fast(name: "ed25519" | "es256", key: Uint8Array): Anchor {
  const alg = name === "ed25519" ? ed25519 : es256;
  return {
    alg: {
      ...alg,
      verify: (k, message, signature) =>
        signature.length === 64 &&
        opensslVerify(
          name === "ed25519" ? null : "sha256",
          Uint8Array.from(message),
          { key: opensslKey(name, raw(k)), dsaEncoding: "ieee-p1363" },
          Uint8Array.from(signature),
        ),
    },
    key,
  };
}

const a = Uint8Array.from(publicKey("a"));
const b = Uint8Array.from(publicKey("b"));
const p = Uint8Array.from(publicKey("p"));

/** The keys that sign in the vectors. */
export const trust: Trust = { anchors: [fast("ed25519", a), fast("ed25519", b), fast("es256", p), anchor("hmac256", MAC_KEY)] };

/** The same keys with our own algorithms. */
export const slowTrust: Trust = { anchors: [anchor("ed25519", a), anchor("ed25519", b), anchor("es256", p), anchor("hmac256", MAC_KEY)] };

export const identity = { vendor: [Uint8Array.from(VENDOR)], class: [Uint8Array.from(CLASS)], device: [Uint8Array.from(DEVICE)] };

function nodeHash(name: string) {
  return {
    create: () => {
      const hash = createHash(name);
      return { update: (bytes: Bytes) => void hash.update(Uint8Array.from(bytes)), digest: () => Uint8Array.from(hash.digest()) };
    },
  };
}

export const host: Host = { sha256: nodeHash("sha256"), sha384: nodeHash("sha384"), sha512: nodeHash("sha512") };

/** Digests of the manifests in the vectors, from their wrappers: nobody signs another manifest with these keys. */
const known = new Set(
  seedEnvelopes(1 << 20).flatMap((envelope) => {
    const pairs = pairsOf(envelope);
    const [wrapper, manifest] = [2, 3].map((key) => pairs.find(([k]) => k.length === 1 && k[0] === key)?.[1]);
    if (!wrapper || !manifest) return [];
    const digests = ["sha256", "sha384", "sha512"].map((name) => createHash(name).update(manifest).digest());
    return digests.filter((digest) => Buffer.from(wrapper).includes(digest)).map((digest) => digest.toString("hex"));
  }),
);

/** Whether the manifest that open() accepted was signed by one of the keys. */
export const wasSigned = (m: Manifest): boolean => known.has(Buffer.from(Uint8Array.from(m.digest.bytes)).toString("hex"));

let signers: Map<string, Set<number>> | undefined;

/**
 * How many of the keys have signed a manifest, in any of the vectors. If two must sign, one signature is never enough.
 */
export function signersOf(m: Manifest): number {
  const name = (x: Manifest) => Buffer.from(Uint8Array.from(x.digest.bytes)).toString("hex");
  if (!signers) {
    signers = new Map();
    for (const envelope of seedEnvelopes())
      for (const [i, one] of trust.anchors.entries()) {
        try {
          const digest = name(open(envelope, { anchors: [one] }, host));
          signers.set(digest, (signers.get(digest) ?? new Set()).add(i));
        } catch {
          // not by this key
        }
      }
  }
  return signers.get(name(m))?.size ?? 0;
}

/** Whether the manifest in these octets, taken out of them by other code, is one that was signed. */
export function holdsSigned(envelope: Uint8Array): boolean {
  const manifest = pairsOf(envelope).find(([k]) => k.length === 1 && k[0] === 3)?.[1];
  return (
    manifest !== undefined && ["sha256", "sha384", "sha512"].some((name) => known.has(createHash(name).update(manifest).digest("hex")))
  );
}

/** Everything that a manifest says, to be compared. */
export function told(m: Manifest): string {
  const { sequence, components, digests, uris, absent, digest } = m as unknown as Record<string, unknown>;
  return JSON.stringify([sequence, components, digests, uris, absent, digest], (_, v) => (v instanceof Uint8Array ? Array.from(v) : v));
}
