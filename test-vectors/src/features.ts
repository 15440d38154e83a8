// What an implementation needs to play a vector, so that one without HSS/LMS or without swap can leave it out: algorithms, structures,
// commands. What the bytes hold is found by the tools' reader; what that cannot read names nothing.

import {
  ALG_NAMES,
  COM_SHARED_SEQUENCE,
  COMMAND_NAMES,
  COMMAND_ROWS,
  decodeItem,
  ENV_AUTHENTICATION_WRAPPER,
  ENV_MANIFEST,
  FILE_ANCHORS,
  HASH_SHA_384,
  HASH_SHA_512,
  type Item,
  MAN_COMMON,
  MAN_INSTALL,
  MAN_INVOKE,
  MAN_LOAD,
  MAN_PAYLOAD_FETCH,
  MAN_TEXT,
  MAN_VALIDATE,
  TAG_MAC0,
  TAG_SIGN,
} from "@firmseal/verifier/tools";
import type { Vector } from "../index.mjs";

const SEQUENCES = [MAN_VALIDATE, MAN_LOAD, MAN_INVOKE, MAN_PAYLOAD_FETCH, MAN_INSTALL];
const SEVERABLE = [MAN_PAYLOAD_FETCH, MAN_INSTALL, MAN_TEXT];
const HASHES: { [alg: number]: string } = { [HASH_SHA_384]: "sha-384", [HASH_SHA_512]: "sha-512" };
/** The algorithms as anchors name them, by the names of their numbers in COSE. */
const ALGS: { [name: string]: string } = {
  ed25519: "ed25519",
  eddsa: "ed25519",
  esp256: "es256",
  es256: "es256",
  "hmac-256-256": "hmac256",
  "hss-lms": "hsslms",
};

class Walk {
  readonly found = new Set<string>();
  constructor(readonly bytes: Uint8Array) {}

  /** The item inside a byte string. */
  within(it: Item | undefined): Item | undefined {
    if (it?.kind !== "bytes" || it.value === 0) return undefined;
    try {
      return decodeItem(this.bytes, { at: it.body, n: it.value });
    } catch {
      return undefined;
    }
  }

  number(it: Item | undefined): number | undefined {
    return it?.kind === "unsigned" || it?.kind === "negative" ? it.value : undefined;
  }

  /** The value of a key in a map. */
  get(map: Item | undefined, key: number): Item | undefined {
    if (map?.kind !== "map") return undefined;
    for (let i = 0; i + 1 < map.items.length; i += 2) if (this.number(map.items[i]) === key) return map.items[i + 1];
    return undefined;
  }

  /** Digests, wherever they stand. */
  digests(it: Item | undefined): void {
    if (it === undefined) return;
    if (it.kind === "array" && it.items.length === 2 && it.items[1]?.kind === "bytes") {
      const name = HASHES[this.number(it.items[0]) ?? 0];
      if (name !== undefined) this.found.add(name);
    }
    for (const inner of it.items) this.digests(inner);
    this.digests(this.within(it));
  }

  sequence(it: Item | undefined): void {
    if (it?.kind !== "array") return;
    for (let i = 0; i + 1 < it.items.length; i += 2) {
      const code = this.number(it.items[i]);
      const argument = it.items[i + 1];
      if (code === undefined) continue;
      const name = COMMAND_NAMES[code];
      const kind = COMMAND_ROWS[code]?.argument;
      if (name !== undefined) this.found.add(name);
      if (kind === "sequence") this.sequence(this.within(argument));
      if (kind === "alternatives") for (const one of argument?.items ?? []) this.sequence(this.within(one));
    }
  }

  manifest(it: Item | undefined): void {
    for (const key of SEQUENCES) this.sequence(this.within(this.get(it, key)));
    this.sequence(this.within(this.get(this.within(this.get(it, MAN_COMMON)), COM_SHARED_SEQUENCE)));
    if (SEVERABLE.some((key) => this.get(it, key)?.kind === "array")) this.found.add("severed");
  }

  envelope(it: Item | undefined): void {
    const map = it?.kind === "tag" ? it.items[0] : it;
    const manifest = this.within(this.get(map, ENV_MANIFEST));
    this.manifest(manifest);
    for (const key of SEVERABLE) this.sequence(this.within(this.get(map, key)));
    const wrapper = this.within(this.get(map, ENV_AUTHENTICATION_WRAPPER));
    for (const block of wrapper?.items.slice(1) ?? []) {
      const cose = this.within(block);
      if (cose?.kind === "tag" && cose.value === TAG_SIGN) this.found.add("cose-sign");
      if (cose?.kind === "tag" && cose.value === TAG_MAC0) this.found.add("cose-mac0");
    }
    for (const [i, key] of (map?.kind === "map" ? map.items : []).entries())
      if (i % 2 === 0 && key.kind === "text") this.found.add("integrated-payload");
    this.digests(wrapper?.items[0]);
    this.digests(manifest);
  }

  /** The algorithms of the keys in a trust file. */
  trustFile(it: Item | undefined): void {
    const list = this.within(it?.items[0]?.items[2]);
    for (const anchor of this.get(list, FILE_ANCHORS)?.items ?? []) {
      const name = ALGS[ALG_NAMES[this.number(this.get(anchor, 1)) ?? 0] ?? ""];
      if (name !== undefined) this.found.add(name);
    }
  }
}

function itemOf(bytes: Uint8Array): Item | undefined {
  try {
    return decodeItem(bytes);
  } catch {
    return undefined;
  }
}

function walk(hex: string | undefined, kind: "envelope" | "trustFile"): string[] {
  const w = new Walk(Uint8Array.from(Buffer.from(hex ?? "", "hex")));
  w[kind](itemOf(w.bytes));
  return [...w.found];
}

const isHalf = (n: number): boolean => Number.isInteger(n) && n >= 0 && n < 2 ** 32;
const isBound = (pair: unknown): boolean => pair === undefined || (Array.isArray(pair) && pair.length === 2 && pair.every(isHalf));

/** What only a caller in JavaScript can do: values that are not octets or not integers, and the calls of one step. */
const ofJavaScript = ({ strange, trust, action }: Vector): boolean =>
  Boolean(strange) ||
  action === "step" ||
  action === "start" ||
  !Number.isInteger(trust?.threshold ?? 1) ||
  ![trust?.floor, ...(trust?.anchors ?? []).flatMap((a) => [a.since, a.until])].every(isBound);

/** Sorted, for a vector that has its trust and its device. */
export function featuresOf(v: Vector): string[] {
  const anchors = v.trust?.anchors ?? [];
  const isFile = v.action === "trust" || v.action === "embedded";
  const found = new Set([
    ...anchors.map(({ alg }) => alg).filter((alg) => Object.values(ALGS).includes(alg)),
    ...walk(v.envelope, isFile ? "trustFile" : "envelope"),
    ...walk(v.previous, "trustFile"),
    ...walk(v.store?.file, "trustFile"),
    ...(["anchor", "decode", "install", "boot"].includes(v.action) ? [v.action] : []),
    ...(v.action === "run" ? ["interpreter"] : []),
    ...(isFile || v.store ? ["trust-file"] : []),
    ...((v.trust?.threshold ?? 1) === 1 ? [] : ["threshold"]),
    ...(anchors.some((a) => a.vendor !== undefined || a.class !== undefined) ? ["key-scope"] : []),
    ...(anchors.some((a) => a.since || a.until) ? ["key-window"] : []),
    ...(v.memory === undefined ? [] : ["memory-limit"]),
    ...(ofJavaScript(v) ? ["javascript"] : []),
  ]);
  return [...found].sort();
}
