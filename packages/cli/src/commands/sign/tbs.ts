// Detached signing, first half: what a key that is somewhere else has to sign, as bytes in a file. attach.ts takes the signature.

import { statSync } from "node:fs";
import { basename, extname, join } from "node:path";
import {
  keyFacts,
  keyWords,
  type PassphraseOptions,
  passphraseOptions,
  publicKeys,
  readHead,
  refuseTestKeys,
  sha256Hex,
  someOf,
  usage,
  visible,
} from "@firmseal/keys";
import {
  allSet,
  type CoverOptions,
  caution,
  digestText,
  type Input,
  type InputOptions,
  listsOf,
  make,
  outsideUris,
  readInput,
  refuseKeys,
  rehearse,
} from "@firmseal/release";
import { type PublicKey, tbs as tbsOf } from "@firmseal/signer";
import type { Manifest } from "@firmseal/verifier";
import { decimal } from "@firmseal/verifier/number";
import { PARAM_CLASS_IDENTIFIER, PARAM_VENDOR_IDENTIFIER } from "@firmseal/verifier/spec";
import { checkOutput, deliver, inJson, writeOut } from "../../common/output.js";
import { json, say } from "../../show/ui.js";
import { outputName } from "./create.js";

export interface TbsOptions extends PassphraseOptions, InputOptions, CoverOptions {
  key: string[];
  out?: string;
  envelope?: string;
  allowTestKey?: string[];
  json?: boolean;
}

interface ToSign {
  key: PublicKey;
  out: string;
  bytes: Uint8Array;
}

/** The array of four and "Signature1", with which every Sig_structure here begins (RFC 9052 §4.4). */
const SIG_STRUCTURE = Buffer.from("\x84\x6aSignature1", "latin1");

/** A file that is there is replaced only where it is one of ours: a mistyped name must not cost a key. */
function checkTbsOutput(path: string, others: readonly string[]): void {
  checkOutput(path, "--out", others, false);
  if (path === "-" || !statSync(path, { throwIfNoEntry: false })?.isFile()) return;
  if (!SIG_STRUCTURE.equals(readHead(path, SIG_STRUCTURE.length)))
    throw usage(`--out ${path}: exists and is nothing to be signed`, "choose another name, or move the file away");
}

/** Where the bytes for each key go: the file of --out, or in its folder files named after the envelope and the key. */
function outputs(keys: readonly PublicKey[], envelope: string, out: string | undefined): string[] {
  const isFolder = out === undefined || (out !== "-" && statSync(out, { throwIfNoEntry: false })?.isDirectory() === true);
  if (!isFolder && keys.length > 1)
    throw usage(`--out ${out}: is no folder, and each of ${keys.length} keys signs bytes of its own`, "name a folder that is there");
  if (!isFolder) return [out];
  const stem = envelope === "-" ? "stdin" : basename(envelope, extname(envelope));
  return keys.map((key) => join(out ?? ".", `${stem}.${keyFacts(key).thumbprint.slice(0, 16)}.tbs`));
}

/** The name of the envelope that the signatures will belong to. Where tbs makes it, it has to be kept. */
function envelopeName({ path, kind }: Input, given: string | undefined): string {
  if (kind === "envelope") {
    if (given !== undefined) throw usage("an envelope takes no --envelope", "leave it away: attach takes the envelope as it is");
    return path;
  }
  if (given === "-" || (given === undefined && path === "-"))
    throw usage("the envelope is needed again by attach, and has no name", "name a file for it: --envelope FILE.suit");
  return given ?? outputName(path);
}

/** Identifiers that the manifest asks devices for, as text. */
function identifiers(m: Manifest, code: number): string[] {
  const values = allSet(m).filter((p) => p.code === code);
  return [...new Set(values.map((p) => (typeof p.value === "string" ? p.value : Buffer.from(p.raw).toString("hex"))))];
}

/** Writes for each key the bytes that it has to sign, and says what they stand for. */
export async function tbs(path: string, o: TbsOptions): Promise<void> {
  const input = readInput(path, o);
  const name = envelopeName(input, o.envelope);
  const lists = listsOf(o);
  const keys = await publicKeys(o.key, passphraseOptions(o));
  refuseTestKeys(keys, o.allowTestKey ?? []);
  const prints = keys.map((key) => keyFacts(key).thumbprint);
  if (new Set(prints).size < keys.length) throw usage("a key is given twice", "each key signs an envelope once");
  const outs = outputs(keys, name, o.out);
  const isMade = input.kind !== "envelope";
  if (isMade) checkOutput(name, "--envelope", [path], true);
  if (o.imageOut === "-" && (o.json || outs[0] === "-")) throw usage("--image-out -: stdout is taken already", "name a file for the image");
  if (o.imageOut !== undefined) checkOutput(o.imageOut, "--image-out", [path, name, ...outs], false);
  for (const out of outs) checkTbsOutput(out, isMade ? [path, name] : [path]);

  const made = await make(input, o);
  // whose log would be asked is where the key is
  const envelope = made.envelope(() => {
    throw usage("--seq next: the log of a key is where it signs", "give the number: firmseal audit KEY there shows the last");
  });
  const manifest = await rehearse(envelope);
  refuseKeys(
    manifest,
    keys.map((key, i) => ({ name: o.key[i] as string, public: key })),
    lists,
    o,
  );
  caution(manifest);
  const list: ToSign[] = [];
  for (const [i, key] of keys.entries()) list.push({ key, out: outs[i] as string, bytes: await tbsOf(envelope, key) });
  if (made.read !== undefined) say(made.read);
  if (o.imageOut !== undefined && made.forFile) writeOut(o.imageOut, made.forFile);
  if (isMade) writeOut(name, envelope);
  for (const { out, bytes } of list) deliver(out, bytes, o.json);
  tell(name, manifest, list, o.json === true);
}

function tell(envelope: string, manifest: Manifest, list: readonly ToSign[], asJson: boolean): void {
  const facts = {
    sequence: decimal(manifest.sequence),
    digest: digestText(manifest.digest),
    vendor: identifiers(manifest, PARAM_VENDOR_IDENTIFIER),
    class: identifiers(manifest, PARAM_CLASS_IDENTIFIER),
    payloads: { inside: manifest.payloads.map((p) => p.uri), outside: outsideUris(manifest) },
  };
  if (asJson) {
    const tbs = list.map(({ key, out, bytes }) => ({
      out,
      bytes: bytes.length,
      sha256: sha256Hex(bytes),
      ...keyFacts(key),
      ...inJson(out, bytes, asJson),
    }));
    json({ ok: true, code: 0, envelope, ...facts, tbs });
    return;
  }
  say(
    `${visible(envelope)}: sequence number ${facts.sequence}, vendor ${someOf(facts.vendor.map(visible)) || "any"}, class ${someOf(facts.class.map(visible)) || "any"}`,
  );
  say(`manifest: ${facts.digest.algorithm} ${facts.digest.hex}`);
  for (const { key, out, bytes } of list)
    say(`${visible(out)}: ${bytes.length} bytes for ${keyWords(keyFacts(key))} to sign, sha-256 ${sha256Hex(bytes)}`);
}
