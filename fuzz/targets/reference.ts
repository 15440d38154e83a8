// References to keys, and the URIs of tokens (RFC 7512). What is read of a URI is written and read again as the same.

import { schemeOf } from "../../packages/keys/src/sources/key-sources.js";
import { formatUri, parseUri } from "../../packages/keys/src/sources/pkcs11/uri.js";
import { publicKeys } from "../../packages/keys/src/sources/reference.js";
import { Finding, type Target } from "../common/verdict.js";
import { told } from "../common/words.js";

export const seeds = () =>
  [
    "pkcs11:token=release;object=ed25519-2026",
    "pkcs11:token=a%20b;id=%01%02;type=private?pin-source=env:PIN&module-path=/usr/lib/m.so",
    "pkcs11:slot-id=1;serial=12;manufacturer=x;model=y?module-name=z",
    "awskms:alias/release",
    "awskms:arn:aws:kms:eu-west-1:123456789012:key/1234-abcd",
    "gcpkms:projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1",
    "azurekv:https://v.vault.azure.net/keys/k/0123456789abcdef0123456789abcdef",
    "env:NAME",
    "fd:3",
  ].map((text) => Buffer.from(text));

/** Kinds that would run a program, read a descriptor of this process, or open a file: they are in the target `cli`. */
const ELSEWHERE = /^(exec|fd):./is;

export const fuzz: Target = async (input) => {
  const ref = Buffer.from(input).toString("utf8");
  const scheme = schemeOf(ref);
  await told(() => {
    const uri = parseUri(ref);
    const written = formatUri([
      ...Object.entries(uri.text),
      ...(uri.object === undefined ? [] : [["object", uri.object] as const]),
      ...(uri.id ? [["id", uri.id] as const] : []),
    ]);
    const again = parseUri(written);
    if (JSON.stringify([again.text, again.object, again.id]) !== JSON.stringify([uri.text, uri.object, uri.id]))
      throw new Finding("a URI that is written is another one");
    if (/pin/i.test(uri.name) && /pin-source=/.test(uri.name)) throw new Finding("the name of a key holds its pin-source");
  });
  if (scheme !== undefined && !ELSEWHERE.test(ref)) await told(() => publicKeys([ref], []));
};
