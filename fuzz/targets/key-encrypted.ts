// The same under a passphrase, which is the right one for the seeds. Most of the work is to derive keys, so this target
// has more time.

import { readKey } from "../../packages/keys/src/sources/file.js";
import { encryptedKeyFiles, fileOf, PASSPHRASE } from "../common/keys.js";
import type { Target } from "../common/verdict.js";
import { told } from "../common/words.js";

export const seeds = () => encryptedKeyFiles();

export const fuzz: Target = (bytes) => told(() => readKey(fileOf(bytes), "k", async () => Buffer.from(PASSPHRASE)));
