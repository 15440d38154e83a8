// Key files of every form, without a passphrase: a key that needs one gets none. What is read can be written and read
// again.

import { anchorOf, isPrivate, toCose, toJwk } from "@firmseal/signer";
import { KeyFileError, readKey } from "../../packages/keys/src/sources/file.js";
import { fileOf, keyFiles } from "../common/keys.js";
import type { Target } from "../common/verdict.js";
import { told } from "../common/words.js";

export const seeds = () => keyFiles();

const none = () => Promise.reject(new KeyFileError("k: no passphrase", "there is none", 3));

export const fuzz: Target = (bytes) =>
  told(async () => {
    const key = await readKey(fileOf(bytes), "k", none);
    anchorOf(key);
    toJwk(key);
    if (!isPrivate(key)) await readKey(Uint8Array.from(toCose(key)), "k", none);
  });
