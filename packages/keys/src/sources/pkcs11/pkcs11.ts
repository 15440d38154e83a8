// Keys in hardware tokens and in SoftHSM, over PKCS#11: `pkcs11:token=release;object=NAME` (RFC 7512). The private key never leaves the
// token. Needs pkcs11js and the token's module.

import { createHash } from "node:crypto";
import type { KeyAlg, PublicKey, Signer } from "@firmseal/signer";
import { KeyFileError } from "../../errors/key-file.js";
import { signalsFree } from "../../files/write.js";
import { checkedSigner } from "../foreign.js";
import type { OpenSource } from "../source.js";
import { findPrivate, findPublic, publicOfPrivate } from "./key.js";
import type { Handle } from "./module.js";
import { CKA_ALWAYS_AUTHENTICATE, CKM_ECDSA, CKM_EDDSA } from "./names.js";
import { type OpenToken, openToken } from "./token.js";
import { parseUri } from "./uri.js";

/** The key that a PKCS#11 URI means. Exit 3: no module, token, key or right PIN; 2: a URI that is none, or several keys that fit. */
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
        `${uri.name}: names only the public key, which anybody may have put into the token`,
        "leave type out of the URI: the token then proves that it has the private key",
        2,
      );
    await token.login(ask);
    const key = findPrivate(token, uri);
    const pub = publicOfPrivate(token, uri, key);
    return { name: uri.name, public: pub, signer: tokenSigner(token, uri.name, pub, key), close: async () => token.close() };
  } catch (e) {
    token.close();
    throw e;
  }
};

const SIGN_MECHANISM: { readonly [alg in KeyAlg]?: number } = { ed25519: CKM_EDDSA, es256: CKM_ECDSA };

/** Signs in the token. Signatures are 64 bytes, r ‖ s in PKCS#11 as in COSE. */
export function tokenSigner(token: OpenToken, name: string, pub: PublicKey, key: Handle): Signer {
  const mechanism = SIGN_MECHANISM[pub.alg];
  if (mechanism === undefined) throw new KeyFileError(`${name}: not a key for Ed25519 or P-256`, "give one of those", 2);
  const always = token.attribute(key, CKA_ALWAYS_AUTHENTICATE)?.[0] === 1;
  return checkedSigner(
    name,
    pub,
    "the token's public key may belong to another private key: compare them, or make a new pair",
    async (tbs) => {
      // CKM_ECDSA signs a digest as it is given, CKM_EDDSA without parameter is Ed25519 over the message (PKCS#11 3.1 §6.3.12, §6.3.14)
      await signalsFree();
      const data = pub.alg === "es256" ? createHash("sha256").update(tbs).digest() : Buffer.from(tbs);
      return token.inWords(() => {
        token.library.C_SignInit(token.session, { mechanism }, key);
        if (always) token.loginForKey();
        return token.library.C_Sign(token.session, data, Buffer.alloc(64));
      });
    },
  );
}
