import { hssKeygen, hssParams, keyFacts, passphrase, passphraseOptions, usage, visible, warn } from "@firmseal/keys";
import { formatHss, hssCapacity, hssSignatureLength } from "@firmseal/signer";
import { adviceFor } from "../../common/target.js";
import { json, say } from "../../show/ui.js";
import type { KeygenOptions } from "./keygen.js";

/** Makes an HSS/LMS key: its file, its state beside it, and the record of it on this machine. */
export async function keygenHss(o: KeygenOptions): Promise<void> {
  const options = passphraseOptions(o);
  if (o.out === "-") throw usage("a private key is not written to stdout", "name a file: --out KEY.hss");
  if (options.length > 1) throw usage("one key takes one passphrase", "give --passphrase-env or --passphrase-fd once");
  if (!o.passphrase && options.length > 0) throw usage("--no-passphrase and a passphrase exclude each other", "drop one of them");
  if (o.format !== "pkcs8") throw usage(`a key of HSS/LMS has one form, and that is not ${o.format}`, "drop --format");
  const advice = adviceFor(o.target, [o.alg]);
  const params = hssParams(o.hss);
  let secret: Uint8Array | undefined;
  const key = await hssKeygen(o.out, params, async () => {
    if (o.passphrase) secret = await passphrase({ ...options[0], prompt: `Passphrase for ${visible(o.out)}: `, confirm: true });
    else warn(`${visible(o.out)} is not encrypted: whoever can read the file can sign`);
    return secret;
  }).finally(() => secret?.fill(0));
  const [signatures, bytes] = [hssCapacity(params), hssSignatureLength(params)];
  if (o.json)
    json({
      ok: true,
      code: 0,
      out: o.out,
      encrypted: o.passphrase,
      ...keyFacts(key),
      parameters: formatHss(params),
      signatures: String(signatures),
      signatureBytes: bytes,
      ...(advice && { target: advice }),
    });
  else {
    say(`${visible(o.out)}: hsslms key, ${o.passphrase ? "encrypted" : "not encrypted"}`);
    say(`thumbprint ${keyFacts(key).thumbprint}`);
    say(`${formatHss(params)}: ${signatures} signatures of ${bytes} bytes. Never sign with two copies of it: docs/guides/keys/hss.md`);
    if (advice?.advice) say(advice.advice);
  }
}
