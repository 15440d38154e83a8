// Signatures verified and envelopes opened per second on Node, by our code and others, all in one run.

import * as crypto from "node:crypto";
import { createRequire } from "node:module";
import { bundlePath, dependencyOf, ed25519Key, es256Key, integrated, native, rates, signer, table, title, verifier } from "./lib.mjs";

const require = createRequire(import.meta.url);
const ours = await verifier();
const {
  encode,
  prepareKey: prepare,
  privateKey,
  signEnvelopeWithoutLog,
  signer: signerOf,
  singleImage,
  TABLE_SIZES,
  tableNumbers,
} = await signer();
const noble = await dependencyOf("signer", "@noble/ed25519");
const { p256 } = await dependencyOf("signer", "@noble/curves/nist.js");
const nacl = require("tweetnacl");
const naclSlow = require("tweetnacl/nacl.js");

const sha512 = (message) => new Uint8Array(crypto.createHash("sha512").update(message).digest());
noble.hashes.sha512 = sha512;

const host = { sha256: native("sha256"), sha384: native("sha384"), sha512: native("sha512") };
const { sha256: pure256, sha512: pure512 } = ours;
const pure = { sha256: pure256, sha512: pure512 };

/** Verification per second of a signature over `message`, a Sig_structure's size. */
const message = new Uint8Array(crypto.randomBytes(60));

function compare(text, tasks, base) {
  for (const [name, run] of Object.entries(tasks)) if (run() !== true) throw new Error(`${name} does not verify`);
  const result = rates(tasks);
  title(text);
  table(
    ["implementation", "per second", "ms each", "against ours"],
    Object.entries(result).map(([name, rate]) => [name, rate, 1000 / rate, `${(rate / result[base]).toFixed(2)} ×`]),
  );
  return result;
}

{
  const { publicKey, key: raw, sign: signWith } = ed25519Key();
  const signature = signWith(message);
  compare(
    "Ed25519: signatures verified on Node",
    {
      "firmseal, SHA-512 of its own": () => ours.ed25519.verify(raw, message, signature, pure),
      ...Object.fromEntries(
        TABLE_SIZES.map((size) => {
          const text = prepare(raw, size);
          const prepared = { ...text, table: tableNumbers(text.table) };
          return [`firmseal, table of ${size} in numbers`, () => ours.ed25519.verify(prepared, message, signature, pure)];
        }),
      ),
      "firmseal, SHA-512 of node:crypto": () => ours.ed25519.verify(raw, message, signature, host),
      "node:crypto (OpenSSL)": () => crypto.verify(null, message, publicKey, signature),
      "@noble/ed25519, SHA-512 of node:crypto": () => noble.verify(signature, message, raw, { zip215: false }),
      "tweetnacl nacl-fast.js": () => nacl.sign.detached.verify(message, signature, raw),
      "tweetnacl nacl.js": () => naclSlow.sign.detached.verify(message, signature, raw),
    },
    "firmseal, SHA-512 of its own",
  );
}

{
  const { publicKey, key: raw, sign: signWith } = es256Key();
  const key = { key: publicKey, dsaEncoding: "ieee-p1363" };
  const signature = signWith(message);
  compare(
    "ES256: signatures verified on Node",
    {
      firmseal: () => ours.es256.verify(raw, message, signature, pure),
      "node:crypto (OpenSSL)": () => crypto.verify("sha256", message, key, signature),
      "@noble/curves": () => p256.verify(signature, message, raw, { lowS: false }),
    },
    "firmseal",
  );
}

{
  const bundle = require(bundlePath("full"));
  const facts = integrated(new Uint8Array(crypto.randomBytes(1024)));
  const tasks = {};
  for (const alg of ["ed25519", "es256"]) {
    const key = privateKey(alg, new Uint8Array(32).fill(7));
    const one = signerOf(key);
    const envelope = await signEnvelopeWithoutLog(encode(singleImage(facts)), [one]);
    const trust = { anchors: [ours.anchor(alg, one.publicKey)] };
    const small = { anchors: [bundle.anchor(alg, one.publicKey)] };
    tasks[`open, ${alg}, hashes of its own`] = () => ours.open(envelope, trust).signers.length === 1;
    tasks[`open, ${alg}, hashes of node:crypto`] = () => ours.open(envelope, trust, host).signers.length === 1;
    tasks[`open, ${alg}, firmseal-full.js`] = () => bundle.open(envelope, small).signers.length === 1;
  }
  compare("Envelopes opened on Node (1 KiB payload, integrated)", tasks, "open, ed25519, hashes of its own");
}
