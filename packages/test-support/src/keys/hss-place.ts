// A folder with an HSS/LMS key, and a reader of HSS/LMS signatures (RFC 8554 §6.2) for what they give away about the
// state of their signer.

import { readdirSync } from "node:fs";
import { hsslms, open } from "@firmseal/verifier";
import { decodeEnvelope } from "@firmseal/verifier/tools";
import { expect } from "vitest";
import { FACTS, image, Place, type Result, type RunOptions } from "../command-line/run.js";

const CHAINS = [0, 265, 133, 67, 34, 200, 101, 51, 26];

/**
 * For each level the public key that signs on it, as hex, the leaf, and what is signed: the next level's key, or
 * nothing for the message.
 */
export function leavesOf(publicKey: Uint8Array, signature: Uint8Array): { key: string; leaf: number; below: string }[] {
  const s = Buffer.from(signature);
  const levels = s.readUInt32BE(0) + 1;
  const out: { key: string; leaf: number; below: string }[] = [];
  let key = Buffer.from(publicKey).subarray(4);
  let at = 4;
  for (let level = 0; level < levels; level++) {
    const n = key.readUInt32BE(0) < 10 ? 32 : 24;
    const height = 5 * ((key.readUInt32BE(0) % 5) + 1);
    const end = at + 12 + n * (1 + (CHAINS[key.readUInt32BE(4)] as number) + height);
    const below = level + 1 < levels ? s.subarray(end, end + 24 + n) : Buffer.alloc(0);
    out.push({ key: key.toString("hex"), leaf: s.readUInt32BE(at), below: below.toString("hex") });
    key = Buffer.from(below);
    at = end + below.length;
  }
  return out;
}

/** What an envelope says was signed, and the HSS/LMS signature over it, verified. */
export function claimIn(envelope: Uint8Array, key: Uint8Array): { message: Buffer; signature: Buffer } {
  open(envelope, { anchors: [{ alg: hsslms, key }] });
  const [claim] = decodeEnvelope(envelope).signatures;
  return { message: Buffer.from(claim?.message as Uint8Array), signature: Buffer.from(claim?.signature as Uint8Array) };
}

/** No leaf that the signatures show has signed two things. Returns how many leaves have signed messages. */
export function expectNoLeafTwice(key: Uint8Array, signatures: readonly Uint8Array[]): number {
  const seen = new Map<string, string>();
  let messages = 0;
  for (const signature of signatures)
    for (const { key: signer, leaf, below } of leavesOf(key, signature)) {
      const place = `${signer} ${leaf}`;
      const what = below === "" ? `message ${messages++}` : below;
      expect(seen.get(place) ?? what, place).toBe(what);
      seen.set(place, what);
    }
  return messages;
}

/** A folder with an image, a folder for this machine's records, and a key that is not encrypted. */
export class HssPlace extends Place {
  readonly env = { FIRMSEAL_STATE: this.at("machine") };
  constructor() {
    super();
    this.put("fw.bin", image(100));
  }
  override run(args: readonly string[], o: RunOptions = {}): Promise<Result> {
    return super.run(args, { ...o, env: { ...this.env, ...o.env } });
  }
  async keygen(levels: string, name = "k.hss"): Promise<void> {
    await this.ok(["keygen", "--alg", "hsslms", "--hss", levels, "--out", name, "--no-passphrase"]);
  }
  signArgs(out: string, key = "k.hss"): string[] {
    return ["sign", "fw.bin", "--key", key, ...FACTS, "--seq", "1", "--out", out];
  }
  async raw(key = "k.hss"): Promise<Buffer> {
    return (await this.ok(["pubkey", key, "--format", "raw"])).bytes;
  }
  next(key = "k.hss"): number {
    return Number(/^next (\d+)$/m.exec(this.get(`${key}.state`).toString())?.[1]);
  }
  /** The signatures of envelopes, each of which verifies. */
  async signatures(names: readonly string[], key = "k.hss"): Promise<Buffer[]> {
    const raw = await this.raw(key);
    return names.map((name) => claimIn(this.get(name), raw).signature);
  }
}

/** What the name of a last-seen mark of leaves ends with. */
export const LEAVES_MARK = ".leaves.last-seen";

/** The name of the last-seen mark of the one key in a place. */
export function recordOf(p: HssPlace): string {
  return readdirSync(p.at("machine")).find((name) => name.endsWith(LEAVES_MARK)) as string;
}
