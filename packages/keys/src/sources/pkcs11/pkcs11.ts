// Keys in hardware tokens and in SoftHSM, over PKCS#11: `pkcs11:token=release;object=NAME` (RFC 7512). The private key
// never leaves the token. Needs pkcs11js and the token's module.

import { createHash } from "node:crypto";
import { type PublicKey, type Signer, signatureLength } from "@firmseal/signer";
import { CUSTODY, wordsFor } from "../../algorithms.js";
import { KeyFileError } from "../../errors/key-file.js";
import { signalsFree } from "../../files/write.js";
import type { OpenSource } from "../../source.js";
import { checkedSigner } from "../foreign.js";
import { findPrivate, findPublic, publicOfPrivate } from "./key.js";
import type { Handle } from "./module.js";
import { CKA_ALWAYS_AUTHENTICATE } from "./names.js";
import { type OpenToken, openToken } from "./token.js";
import { parseUri } from "./uri.js";

/**
 * Opens the key for a PKCS#11 URI. Exit 3: module, token, key or correct PIN missing; exit 2: invalid URI, or several
 * matching keys.
 */
export const openTokenKey: OpenSource = async (ref, ask) => {
  const uri = parseUri(ref);
  await signalsFree();
  const token = openToken(uri);
  try {
    const shown = ask.unproved ? findPublic(token, uri) : undefined;
    if (shown) {
      token.close();
      return { name: uri.name, public: shown };
    }
    if (uri.type === "public")
      throw new KeyFileError(
        `${uri.name} names only the public key, which anybody may have put into the token`,
        "leave type out of the URI: the token then proves that it has the private key",
        2,
      );
    await token.login(ask);
    const key = findPrivate(token, uri);
    const pub = publicOfPrivate(token, uri, key);
    return {
      name: uri.name,
      public: pub,
      signer: tokenSigner(token, uri.name, pub, key, ask.signal),
      [Symbol.asyncDispose]: async () => token.close(),
    };
  } catch (e) {
    token.close();
    throw e;
  }
};

/**
 * Returns a signer that uses the token. Signatures are raw; for ECDSA, r ‖ s, in PKCS#11 as in COSE. Throws
 * KeyFileError for a key of an algorithm that tokens do not sign with here.
 */
export function tokenSigner(token: OpenToken, name: string, pub: PublicKey, key: Handle, signal?: AbortSignal): Signer {
  const { pkcs11, ecdsa } = CUSTODY[pub.alg];
  const length = signatureLength(pub.alg);
  if (!pkcs11 || length === undefined) throw new KeyFileError(`${name}: not a key for ${wordsFor("pkcs11")}`, "give one of those", 2);
  const mechanism = pkcs11.sign;
  const always = token.attribute(key, CKA_ALWAYS_AUTHENTICATE)?.[0] === 1;
  return checkedSigner(
    name,
    pub,
    "the token's public key may belong to another private key: compare them, or make a new pair",
    async (tbs) => {
      await signalsFree();
      // a call of the module itself cannot be ended
      signal?.throwIfAborted();
      const data = ecdsa ? createHash(ecdsa.digest).update(tbs).digest() : Buffer.from(tbs);
      return token.inWords(() => {
        token.library.C_SignInit(token.session, { mechanism }, key);
        if (always) token.loginForKey();
        return token.library.C_Sign(token.session, data, Buffer.alloc(length));
      });
    },
  );
}
