import {
  formatPublic,
  jsLiteral,
  keyFacts,
  type PassphraseOptions,
  type PublicFormat,
  passphraseOptions,
  publicKeys,
  usage,
} from "@firmseal/keys";
import { type PublicKey, prepare, type TableSize, tableNumbers } from "@firmseal/signer";
import { data, json, say } from "../../show/ui.js";

export interface PubkeyOptions extends PassphraseOptions {
  format?: PublicFormat;
  device?: boolean;
  tableSize?: TableSize;
  tableNumbers?: boolean;
  json?: boolean;
}

function forDevice(key: PublicKey, format: PublicFormat, o: PubkeyOptions): Uint8Array {
  if (format !== "js") throw usage(`--device: there is no ${format} with a table`, "leave --format away, or give js");
  if (key.alg !== "ed25519") throw usage(`--device: there is no table for ${key.alg}`, "give an Ed25519 key, or leave --device away");
  const { table, digest } = prepare(key.key, o.tableSize ?? "2k");
  return new TextEncoder().encode(jsLiteral(key, { table: o.tableNumbers ? tableNumbers(table) : table, digest }));
}

/** Writes the public part of a key to stdout. */
export async function pubkey(path: string, o: PubkeyOptions): Promise<void> {
  if (!o.device && (o.tableSize || o.tableNumbers))
    throw usage("a table is for devices, and --device is not given", "give --device as well");
  const [key] = await publicKeys([path], passphraseOptions(o));
  if (!key) return;
  const format = o.format ?? (o.device ? "js" : "pem");
  const bytes = o.device ? forDevice(key, format, o) : formatPublic(key, format);
  const isText = format !== "cose" && format !== "raw";
  if (o.json) json({ ok: true, code: 0, ...keyFacts(key), format, data: Buffer.from(bytes).toString(isText ? "utf8" : "base64") });
  else {
    data(bytes);
    // as keygen and token keygen print it, to be compared with that
    say(`thumbprint ${keyFacts(key).thumbprint}`);
  }
}
