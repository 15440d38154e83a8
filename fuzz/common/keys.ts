// Key files as seeds, written by Node and by our own code.

import { createPrivateKey, createPublicKey } from "node:crypto";
import { privateKey, publicOf, publicKey as publicOfAlg, toCose, toJwk, toPrivateCose, toPrivateJwk } from "@firmseal/signer";
import { openSshPrivate, openSshPublic } from "../../packages/keys/src/formats/openssh.js";
import { pem } from "../../packages/keys/src/formats/pem.js";
import { publicKey } from "../../test-vectors/src/pieces/assemble.js";

export const PASSPHRASE = "correct horse";

const ed = privateKey("ed25519", Buffer.from("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "hex"));
const ec = privateKey("es256", Buffer.from("0296588d909418b339d150420a3612b57fb4f631a69f224fae90cb4f3fe18973", "hex"));
const nodeKeys = [ed, ec].map((key) => createPrivateKey({ key: toPrivateJwk(key) as never, format: "jwk" }));

const LABELS = [undefined, "ENCRYPTED PRIVATE KEY", "PRIVATE KEY", "PUBLIC KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY"] as const;

/**
 * An input as a file. One that begins with an octet from 1 to 5 is the content of a PEM: in base64, changing one number
 * is not a small change.
 */
export function fileOf(input: Uint8Array): Uint8Array {
  const label = LABELS[input[0] ?? 0];
  return label === undefined ? input : Buffer.from(pem(label, Buffer.from(input.subarray(1))));
}

/** PEM in the other form. */
function opened(file: Uint8Array): Uint8Array[] {
  const [, label, body] = /^-----BEGIN ([A-Z ]+)-----([^-]*)-----END/.exec(Buffer.from(file).toString("latin1")) ?? [];
  const n = LABELS.indexOf(label as never);
  return n < 1 ? [] : [Buffer.concat([Uint8Array.of(n), Buffer.from(body as string, "base64")])];
}

export async function keyFiles(): Promise<Uint8Array[]> {
  const texts: (string | Uint8Array)[] = [
    ...nodeKeys.flatMap((key) => [
      key.export({ type: "pkcs8", format: "pem" }),
      createPublicKey(key).export({ type: "spki", format: "pem" }),
    ]),
    (nodeKeys[1] as (typeof nodeKeys)[number]).export({ type: "sec1", format: "pem" }),
    ...[ed, ec].flatMap((key) => [
      JSON.stringify(toJwk(key)),
      JSON.stringify(toPrivateJwk(key)),
      toCose(publicOf(key)),
      toPrivateCose(key),
      key.key,
    ]),
    ...[ed, ec].map((key) => Buffer.from(toCose(publicOf(key))).toString("base64")),
    ...[ed, ec].map((key) => openSshPublic(publicOf(key))),
    await openSshPrivate(ed),
    await openSshPrivate(ec),
    // minisign: algorithm, key number, key
    `untrusted comment: minisign public key\n${Buffer.concat([Buffer.from("Ed"), Buffer.alloc(8, 1), Buffer.from(publicKey("a"))]).toString("base64")}\n`,
    JSON.stringify({ keys: [toJwk(ed)] }),
    publicOfAlg("hsslms", Uint8Array.from([0, 0, 0, 1, 0, 0, 0, 5, 0, 0, 0, 3, ...new Array(48).fill(7)])).key,
  ] as (string | Uint8Array)[];
  const files = texts.map((text) => (typeof text === "string" ? Buffer.from(text) : Uint8Array.from(text)));
  return [...files, ...files.flatMap(opened)];
}

export async function encryptedKeyFiles(): Promise<Uint8Array[]> {
  const options = { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: PASSPHRASE } as const;
  const texts = [...nodeKeys.map((key) => String(key.export(options))), await openSshPrivate(ed, Buffer.from(PASSPHRASE), 1)];
  const files = texts.map((text) => Buffer.from(text));
  return [...files, ...files.flatMap(opened)];
}
