// Generates a key pair in a token. The private key is for signing only and never leaves the token.

import type { KeyAlg, PublicKey } from "@firmseal/signer";
import { algsWith, CUSTODY } from "../../algorithms.js";
import { usage } from "../../errors/failure.js";
import { KeyFileError } from "../../errors/key-file.js";
import { readPublic } from "./key.js";
import { type Handle, returnValueOf } from "./module.js";
import * as ck from "./names.js";
import type { OpenToken } from "./token.js";
import type { TokenUri } from "./uri.js";

/** The algorithms for which tokens can generate keys. */
export const tokenAlgs: readonly KeyAlg[] = algsWith("pkcs11");

const OTHER_CURVE: readonly (number | undefined)[] = [
  ck.CKR_DOMAIN_PARAMS_INVALID,
  ck.CKR_CURVE_NOT_SUPPORTED,
  ck.CKR_ATTRIBUTE_VALUE_INVALID,
];

export interface Pair {
  readonly public: PublicKey;
  readonly handle: Handle;
  destroy(): void;
}

/** Generates a pair with an unused label and an unused identifier. Throws KeyFileError and Failure. */
export function makePair(token: OpenToken, uri: TokenUri & { object: string }, alg: KeyAlg, id: Uint8Array): Pair {
  refuseTaken(token, uri, id);
  const { publicKey, privateKey } = token.inWords(() => generate(token, uri.object, alg, Buffer.from(id)));
  const destroy = () => {
    for (const object of [privateKey, publicKey]) {
      try {
        token.library.C_DestroyObject(token.session, object);
      } catch {
        // the first error is the one that is reported
      }
    }
  };
  const flag = (type: number) => token.attribute(privateKey, type)?.[0];
  if (flag(ck.CKA_SENSITIVE) !== 1 || flag(ck.CKA_EXTRACTABLE) !== 0) {
    destroy();
    throw new KeyFileError(`${uri.name}: the token made a key that can be read out of it`, "use a token of another maker", 3);
  }
  const pub = readPublic(token, publicKey);
  if (pub?.alg === alg) return { public: pub, handle: privateKey, destroy };
  destroy();
  throw new KeyFileError(`${uri.name}: the token made a key without a public part that can be read`, "use another token", 3);
}

function refuseTaken(token: OpenToken, uri: TokenUri & { object: string }, id: Uint8Array): void {
  for (const [what, attribute] of [
    [`the token already has an object named ${uri.object}`, { type: ck.CKA_LABEL, value: uri.object }],
    ["its id is taken", { type: ck.CKA_ID, value: Buffer.from(id) }],
  ] as const)
    for (const value of [ck.CKO_PRIVATE_KEY, ck.CKO_PUBLIC_KEY, ck.CKO_CERTIFICATE])
      if (token.find([{ type: ck.CKA_CLASS, value }, attribute]).length > 0)
        throw usage(`${uri.name}: ${what}, and keys are never overwritten`, "choose another name: object=NAME");
}

function none(alg: KeyAlg): never {
  throw new RangeError(`no token has keys for ${alg}`);
}

function generate(token: OpenToken, label: string, alg: KeyAlg, id: Buffer) {
  const { generate: mechanism, kind, curves } = CUSTODY[alg].pkcs11 ?? none(alg);
  const named = (value: number) => [
    { type: ck.CKA_CLASS, value },
    { type: ck.CKA_KEY_TYPE, value: kind },
    { type: ck.CKA_TOKEN, value: true },
    { type: ck.CKA_LABEL, value: label },
    { type: ck.CKA_ID, value: id },
  ];
  const secret = [
    ...named(ck.CKO_PRIVATE_KEY),
    { type: ck.CKA_PRIVATE, value: true },
    { type: ck.CKA_SENSITIVE, value: true },
    { type: ck.CKA_EXTRACTABLE, value: false },
    { type: ck.CKA_SIGN, value: true },
    { type: ck.CKA_DECRYPT, value: false },
    { type: ck.CKA_UNWRAP, value: false },
    { type: ck.CKA_DERIVE, value: false },
  ];
  for (const [i, hex] of curves.entries()) {
    const open = [
      ...named(ck.CKO_PUBLIC_KEY),
      // readable without a PIN, so that verification needs none
      { type: ck.CKA_PRIVATE, value: false },
      { type: ck.CKA_VERIFY, value: true },
      { type: ck.CKA_EC_PARAMS, value: Buffer.from(hex, "hex") },
    ];
    try {
      return token.library.C_GenerateKeyPair(token.session, { mechanism }, open, secret);
    } catch (e) {
      if (i === curves.length - 1 || !OTHER_CURVE.includes(returnValueOf(e))) throw e;
    }
  }
  throw new RangeError("no curve");
}
