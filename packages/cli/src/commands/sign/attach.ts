// Detached signing, second half: a signature that was made somewhere else over what tbs.ts wrote.

import {
  keyFacts,
  keyWords,
  type PassphraseOptions,
  passphraseOptions,
  publicKeys,
  readAll,
  refuseTestKeys,
  signatureOf,
  usage,
  visible,
  wrongSignature,
} from "@firmseal/keys";
import { type CoverOptions, isRefusal, LIMITS, listsOf, readEnvelope, refuseKeys, review } from "@firmseal/release";
import { anchorOf, attach as attachTo } from "@firmseal/signer";
import { errors } from "@firmseal/verifier";
import { decimal } from "@firmseal/verifier/number";
import { checkOutput, deliver } from "../../common/output.js";
import { json, say } from "../../show/ui.js";

export interface AttachOptions extends PassphraseOptions, CoverOptions {
  key: string;
  signature: string;
  out?: string;
  allowTestKey?: string[];
  json?: boolean;
}

/** Adds a signature to an envelope. It has been verified before anything is written. */
export async function attach(path: string, o: AttachOptions): Promise<void> {
  if (path === "-" && o.signature === "-") throw usage("stdin cannot give the envelope and the signature", "give one of them as a file");
  const lists = listsOf(o);
  const [key] = await publicKeys([o.key], passphraseOptions(o));
  if (!key) return;
  refuseTestKeys([key], o.allowTestKey ?? []);
  const out = o.out ?? path;
  checkOutput(out, "--out", [o.signature, o.key], true);
  const name = o.signature === "-" ? "stdin" : o.signature;
  const envelope = readEnvelope(path);
  const signature = signatureOf(readAll(o.signature, LIMITS.signatureFile), key.alg, name);
  let signed: Uint8Array;
  try {
    signed = await attachTo(envelope, key, signature);
  } catch (e) {
    if (!isRefusal(e) || e.code !== errors.SIGNATURE_INVALID) throw e;
    throw wrongSignature(
      `refused: ${name} is not the signature of this key over this envelope`,
      "sign what firmseal tbs writes for this envelope, and give the key in the same form, with or without its identifier",
    );
  }
  const manifest = await review(signed, { anchors: [anchorOf(key)] });
  refuseKeys(manifest, [{ name: o.key, public: key }], lists, o);
  const member = deliver(out, signed, o.json);
  const sequence = decimal(manifest.sequence);
  const facts = keyFacts(key);
  if (o.json)
    json({
      ok: true,
      code: 0,
      out,
      bytes: signed.length,
      sequence,
      signers: [facts],
      ...member,
    });
  else say(`${visible(out)}: sequence number ${sequence}, ${signed.length} bytes, signature of ${keyWords(facts)} added`);
}
