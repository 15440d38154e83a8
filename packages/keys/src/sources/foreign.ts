// Signers outside of this process, and what is said when what they gave back is no signature.

import { foreignSigner, KeyError, type PublicKey, type Signer } from "@firmseal/signer";
import { KeyFileError } from "../errors/key-file.js";

/** As foreignSigner(), with a wrong signature told as a fault of the environment: KeyFileError with `hint`, exit 3. */
export function checkedSigner(name: string, key: PublicKey, hint: string, sign: (tbs: Uint8Array) => Promise<Uint8Array>): Signer {
  const signer = foreignSigner(key, sign);
  return {
    ...signer,
    async sign(tbs) {
      try {
        return await signer.sign(tbs);
      } catch (e) {
        if (e instanceof KeyError && e.code === "fault") throw new KeyFileError(`${name}: ${e.message}`, hint, 3);
        throw e;
      }
    },
  };
}
