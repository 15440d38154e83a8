// Signers outside this process, and the error if the result is not a valid signature.

import { foreignSigner, KeyError, type PublicKey, type Signer } from "@firmseal/signer";
import { KeyFileError } from "../errors/key-file.js";

/** Like foreignSigner(), but an invalid signature is an environment fault: KeyFileError with `hint`, exit 3. */
export function checkedSigner(name: string, key: PublicKey, hint: string, sign: (tbs: Uint8Array) => Promise<Uint8Array>): Signer {
  const signer = foreignSigner(key, sign);
  return {
    ...signer,
    async sign(tbs) {
      try {
        return await signer.sign(tbs);
      } catch (e) {
        if (e instanceof KeyError && e.fault === "signature") throw new KeyFileError(`${name}: ${e.message}`, hint, 3);
        throw e;
      }
    },
  };
}
