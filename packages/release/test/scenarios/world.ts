// Keys, trust files and releases of the scenarios. Keys are made once, and sign natively: 10,000 devices ask about the same few signatures.

import { createHash, createPrivateKey, sign, verify } from "node:crypto";
import {
  bridge,
  cachedCount,
  cachedNodes,
  type Description,
  EnvelopeDraft,
  encode,
  encodeTrust,
  formatUuid,
  hssPublicKey,
  hssSign,
  hssTop,
  hssTrees,
  identityUuids,
  type PublicKey,
  privateKey,
  publicKey,
  type RoleName,
  rootOf,
  type Signer,
  signedWith,
  signedWithoutLog,
  signer,
  singleImage,
  type TrustDescription,
  TrustDraft,
  type TrustEntry,
} from "@firmseal/signer";
import { type Alg, ed25519, es256, hsslms, type Identity, type TrustStore } from "@firmseal/verifier";
import { rawKey, toHex } from "@firmseal/verifier/tools";
import { remembered } from "../../../simulator/src/simulation/remembered.js";
import { sha256Hex } from "../../../test-support/src/bytes.js";
import { key as fixedKey, imageOf, VENDOR } from "../../../test-support/src/rotation-world.js";
import { selfSignedTrust } from "../../src/trust/chain.js";

const utf8 = new TextEncoder();

/** A key with its name as its identifier, so that a device tries each signature once. */
export interface Key {
  readonly label: string;
  readonly public: PublicKey;
  readonly signer: Signer;
  readonly hex: string;
}

const PKCS8_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");
const SPKI_HEAD = Buffer.from("302a300506032b6570032100", "hex");

/** By algorithm and label: files that run together use one label for keys of different algorithms. */
const keys = new Map<string, Key>();

function made(label: string, alg: "ed25519" | "hsslms", raw: Uint8Array, by: (tbs: Uint8Array) => Uint8Array): Key {
  const pub = publicKey(alg, raw, utf8.encode(label));
  const out = { label, public: pub, hex: toHex(raw), signer: { ...signedWith(pub), sign: async (tbs: Uint8Array) => by(tbs) } };
  keys.set(`${alg} ${label}`, out);
  return out;
}

/** The Ed25519 key of a label. */
export function key(label: string): Key {
  const known = keys.get(`ed25519 ${label}`);
  if (known) return known;
  const { key: raw, secret } = fixedKey(`scenario ${label}`);
  const node = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, secret]), format: "der", type: "pkcs8" });
  return made(label, "ed25519", raw, (tbs) => sign(null, tbs, node));
}

/** The ES256 key of a label. */
export function es256Key(label: string): Key {
  const known = keys.get(`es256 ${label}`);
  if (known) return known;
  const own = signer(privateKey("es256", createHash("sha256").update(`scenario ${label}`).digest()));
  const pub = publicKey("es256", own.publicKey, utf8.encode(label));
  const out = { label, public: pub, hex: toHex(own.publicKey), signer: { ...signedWith(pub), sign: own.sign } };
  keys.set(`es256 ${label}`, out);
  return out;
}

/** The HSS/LMS key of a label: 32 trees of 32 leaves, each of which signs once. */
export function hssKey(label: string): Key {
  const known = keys.get(`hsslms ${label}`);
  if (known) return known;
  const level = { height: 5, width: 4 } as const;
  const params = { n: 24, levels: [level, level] } as const;
  const seed = createHash("sha256").update(`scenario ${label}`).digest();
  const top = hssTop(params, seed.subarray(0, 16), seed.subarray(8));
  const nodesOf = (tree: typeof top) => cachedNodes(tree, 0, cachedCount(tree));
  const nodes = nodesOf(top);
  let leaf = 0n;
  return made(label, "hsslms", hssPublicKey(params, top, rootOf(top, nodes)), (tbs) => {
    const trees = hssTrees(params, top, leaf);
    return hssSign(params, trees, [nodes, nodesOf(trees[1] as typeof top)], leaf++, tbs);
  });
}

export const all = <const Labels extends readonly string[]>(...labels: Labels) => labels.map(key) as { [i in keyof Labels]: Key };

/** Ed25519 by Node, with the answers of the verifier's own rule for public keys. */
const native: Alg = {
  ids: ed25519.ids,
  valid: (k) => ed25519.valid(k),
  verify(k, message, signature) {
    const spki = Buffer.concat([SPKI_HEAD, Uint8Array.from(rawKey(k))]);
    return verify(null, Uint8Array.from(message), { key: spki, format: "der", type: "spki" }, Uint8Array.from(signature));
  },
};

/** The algorithms that a device may have. */
export const ALGS: { readonly [name in "ed25519" | "es256" | "hsslms"]: Alg } = {
  ed25519: remembered(native),
  es256: remembered(es256),
  hsslms: remembered(hsslms),
};

export function identityOf(vendors: readonly string[], classes: readonly string[], device?: string): Identity {
  const ids = vendors.flatMap((vendor) => classes.map((name) => identityUuids(vendor, name)));
  return {
    vendor: vendors.map((vendor) => identityUuids(vendor, classes[0] as string).vendor),
    class: ids.map((id) => id.class),
    ...(device && { device: [Buffer.from(device, "hex")] }),
  };
}

/** A trust file with what it was made from. */
export interface List {
  readonly bytes: Uint8Array;
  readonly store: TrustStore;
  readonly keys: readonly Key[];
}

type Listed = Key | ({ readonly key: Key } & Omit<TrustEntry, "key" | "roles">);

export interface ListFacts {
  readonly name?: string;
  readonly sequence: number | bigint;
  readonly root: readonly Key[];
  readonly release: readonly Listed[];
  readonly debug?: readonly Listed[];
  /** Two roots and two release keys must sign, where this says nothing else. */
  readonly need?: { readonly [role in RoleName]?: number };
  readonly jumps?: { readonly [role in RoleName]?: bigint };
  readonly families?: TrustDescription["families"];
  readonly epoch?: { readonly number: number; readonly from: bigint };
  /** The lists before it, whose roots may sign it. */
  readonly after?: readonly List[];
  /** Who signs: its own roots, where this says nothing else. */
  readonly by?: readonly Key[];
}

const keyIn = (l: Listed): Key => ("key" in l ? l.key : l);

export async function list(f: ListFacts): Promise<List> {
  const entry =
    (role: RoleName) =>
    (l: Listed): TrustEntry => {
      const { key: own, ...limits } = "key" in l ? l : { key: l };
      return { ...limits, key: own.public, roles: [role] };
    };
  const anchors = [...f.root.map(entry("root")), ...f.release.map(entry("release")), ...(f.debug ?? []).map(entry("debug"))];
  const thresholds = { root: 2, release: 2, ...(f.debug && { debug: 1 }), ...f.need };
  const more = { ...(f.jumps && { jumps: f.jumps }), ...(f.families && { families: f.families }), ...(f.epoch && { epoch: f.epoch }) };
  const bytes = encodeTrust({ name: f.name ?? "board", sequence: BigInt(f.sequence), anchors, thresholds, ...more });
  const before = (f.after ?? []).map(({ store }) => store);
  const draft = await signedWithoutLog(
    TrustDraft.read(bytes, before),
    (f.by ?? f.root).map((k) => k.signer),
  );
  return {
    bytes: draft.bytes,
    store: selfSignedTrust(draft.bytes),
    keys: [...f.root, ...f.release.map(keyIn), ...(f.debug ?? []).map(keyIn)],
  };
}

export interface ReleaseFacts {
  readonly sequence: number | bigint;
  readonly by: readonly Key[];
  readonly vendor?: string;
  readonly class?: string;
  /** The name of the image; undefined: a release with a trust file alone. */
  readonly image?: string | undefined;
  /** The trust file, or a chain of them, that it carries. */
  readonly brings?: Uint8Array | undefined;
  /** Only for the device with this identifier, 16 bytes in hex. */
  readonly device?: string;
}

/** Adds the check of a device identifier. */
function boundTo(device: string, d: Description): Description {
  const shared = d["shared-sequence"] ?? [];
  const check = [{ "directive-override-parameters": { "device-identifier": formatUuid(Buffer.from(device, "hex")) } }];
  return { ...d, "shared-sequence": [...shared, ...check, "condition-device-identifier"] };
}

export async function release(f: ReleaseFacts): Promise<Uint8Array> {
  const facts = { sequence: String(f.sequence), vendor: f.vendor ?? VENDOR, class: f.class ?? "board-v2" };
  const image = f.image === undefined ? undefined : imageOf(f.image);
  const content = image && { digest: sha256Hex(image), size: image.length, uri: "#firmware", payload: image };
  const description = f.brings
    ? bridge({ ...facts, trust: f.brings, ...(content && { image: content }) })
    : singleImage({ ...facts, ...(content as NonNullable<typeof content>) });
  const whole = f.device === undefined ? description : boundTo(f.device, description);
  const draft = await signedWithoutLog(
    EnvelopeDraft.read(encode(whole)),
    f.by.map((k) => k.signer),
  );
  return draft.bytes;
}
