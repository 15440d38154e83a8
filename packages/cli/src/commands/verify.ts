import type { PublicKey } from "@firmseal/signer";
import { open, type Trust } from "@firmseal/verifier";
import { MANIFEST } from "@firmseal/verifier/names";
import { decimal, sequenceOf } from "@firmseal/verifier/number";
import { peek } from "@firmseal/verifier/peek";
import { checkPayloads, outsideUris, payloadFiles, warnOfRefusal } from "../audit.js";
import { failureOf, isRefusal } from "../failure.js";
import { host, readEnvelope } from "../io.js";
import { anchors, keyFacts, publicKeys, warnOfTestKeys } from "../key-ref.js";
import { type PassphraseOptions, passphraseOptions } from "../options.js";
import { json, say, visible } from "../ui.js";

export interface VerifyOptions extends PassphraseOptions {
  key: string[];
  need: number;
  floor?: bigint;
  payload?: string[];
  json?: boolean;
}

/** Those of `keys` that have signed, each once. open() stops at the number that is needed; a person wants to know all. */
function signersOf(envelope: Parameters<typeof open>[0], keys: readonly PublicKey[]): PublicKey[] {
  const distinct = keys.filter((k, i) => keys.findIndex((other) => Buffer.from(other.key).equals(k.key)) === i);
  return distinct.filter((key) => {
    try {
      return open(envelope, { anchors: anchors([key]) }, host);
    } catch (e) {
      if (isRefusal(e)) return false;
      throw e;
    }
  });
}

/** Verifies an envelope against trusted keys, and the payloads that are in it or given. */
export async function verify(path: string, o: VerifyOptions): Promise<void> {
  const keys = await publicKeys(o.key, passphraseOptions(o));
  const testKeys = warnOfTestKeys(keys);
  try {
    await verifyWith(keys, testKeys, path, o);
  } catch (e) {
    const failure = failureOf(e);
    failure.facts = { testKeys };
    throw failure;
  }
}

async function verifyWith(keys: readonly PublicKey[], testKeys: readonly string[], path: string, o: VerifyOptions): Promise<void> {
  const envelope = readEnvelope(path);
  const trust: Trust = { anchors: anchors(keys), need: o.need };
  if (o.floor !== undefined) trust.floor = sequenceOf(String(o.floor));
  const manifest = open(envelope, trust, host);
  // open() passes over the text, which no device needs; whoever verifies a release wants all of it to be sound
  peek(envelope);
  const files = payloadFiles(manifest, o.payload ?? []);
  await checkPayloads(manifest, files);
  warnOfRefusal(manifest);
  const sequence = decimal(manifest.sequence);
  const signers = signersOf(envelope, keys).map(keyFacts);
  const unchecked = outsideUris(manifest).filter((uri) => !files.has(uri));
  const absent = manifest.absent.map((key) => MANIFEST[key]);
  if (o.json) {
    json({
      ok: true,
      code: 0,
      reason: "OK",
      sequence,
      signers,
      testKeys,
      payloadsChecked: [...manifest.payloads.map((p) => p.uri), ...files.keys()],
      payloadsNotChecked: unchecked,
      severedAbsent: absent,
    });
    return;
  }
  say(
    `${visible(path)}: good, sequence number ${sequence}, signed by ${signers.map((s) => `${s.alg} ${s.thumbprint.slice(0, 16)}…`).join(", ")}`,
  );
  if (unchecked.length > 0) say(`not looked at: ${unchecked.map(visible).join(", ")} (give it with --payload FILE)`);
  if (absent.length > 0) say(`severed and not at hand: ${absent.join(", ")}`);
}
