import { keyFacts, publicKeys } from "../key-ref.js";
import { formatPublic, type PublicFormat } from "../keys/format.js";
import { type PassphraseOptions, passphraseOptions } from "../options.js";
import { data, json } from "../ui.js";

export interface PubkeyOptions extends PassphraseOptions {
  format: PublicFormat;
  json?: boolean;
}

/** Writes the public part of a key to stdout. */
export async function pubkey(path: string, o: PubkeyOptions): Promise<void> {
  const [key] = await publicKeys([path], passphraseOptions(o));
  if (!key) return;
  const bytes = formatPublic(key, o.format);
  const isText = o.format !== "cose" && o.format !== "raw";
  if (o.json)
    json({ ok: true, code: 0, ...keyFacts(key), format: o.format, data: Buffer.from(bytes).toString(isText ? "utf8" : "base64") });
  else data(bytes);
}
