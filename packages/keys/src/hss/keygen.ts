// Generates HSS/LMS keys. The key file is written last: until then, nothing can sign.

import { randomBytes, randomFillSync } from "node:crypto";
import { lstatSync, realpathSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import {
  formatHss,
  type HssParams,
  hssPublicKey,
  hssSignatureLength,
  hssTop,
  KeyError,
  type PublicKey,
  parseHss,
  publicKey,
  rootOf,
  secretBytes,
  thumbprint,
} from "@firmseal/signer";
import { MAX_SIGNATURE, toHex } from "@firmseal/verifier/tools";
import { usage } from "../errors/failure.js";
import { publicFileOf } from "../files/public-file.js";
import { checkWritable, writeWhole } from "../files/write.js";
import { formatPublic } from "../formats/format.js";
import { byteWords, grouped } from "../words.js";
import { buildCachedNodes } from "./build.js";
import { writeHssFile } from "./file.js";
import { HssPlaceOnDisk } from "./state.js";
import { writeTreeFile } from "./tree-file.js";

/**
 * The default: one tree, which has the shortest signatures that are fastest to verify. 32,768 signatures of 2,672
 * bytes; generating the key takes less than half a minute.
 */
const DEFAULT_LEVELS = "15/4";

/**
 * Parses parameters from the command line.
 *
 * @param levels - As parseHss() of the signer reads them. Default: that of keygen.
 * @returns The parameters.
 * @throws Failure (usage) if verifiers would not accept the signatures.
 */
export function hssParams(levels = DEFAULT_LEVELS): HssParams {
  const params = parsed(levels);
  const bytes = hssSignatureLength(params);
  if (bytes > MAX_SIGNATURE)
    throw usage(
      `\`hss\` ${formatHss(params)}: its signatures have ${byteWords(bytes)}, and devices read at most ${grouped(MAX_SIGNATURE)}`,
      "use fewer levels, or wider digits",
    );
  return params;
}

function parsed(levels: string): HssParams {
  try {
    return parseHss(levels);
  } catch (e) {
    if (e instanceof KeyError)
      throw usage(`\`hss\`: ${e.message}`, `for example \`hss\` ${DEFAULT_LEVELS}; docs/guides/keys/hss.md says what the numbers mean`);
    throw e;
  }
}

/**
 * Generates a key, its public key, its cached nodes, its state and its last-seen mark. Overwrites nothing.
 *
 * @param out - The key file. The public key goes beside it, in PEM: release.hss and release.pub.
 * @param params - From hssParams().
 * @param passphrase - Returns the passphrase, or undefined for none. Called before the work begins.
 * @returns The public key.
 * @throws Failure (usage) if one of the files exists.
 */
export async function hssKeygen(out: string, params: HssParams, passphrase: () => Promise<Uint8Array | undefined>): Promise<PublicKey> {
  const folder = dirname(out);
  const publicFile = publicFileOf(out);
  checkWritable(out);
  const file = join(realpathSync(folder), basename(out));
  // also a link that leads nowhere
  for (const path of [out, publicFile, `${out}.state`, `${out}.state.claims`, `${out}.tree0`])
    if (lstatSync(path, { throwIfNoEntry: false }))
      throw usage(
        `${path} exists already and is never overwritten`,
        path === out || path === publicFile || lstatSync(out, { throwIfNoEntry: false })
          ? "choose another name, or move the file away"
          : "it is from a key that was removed or never finished: choose another name, or move the file away",
      );
  const secret = await passphrase();
  const seed = randomFillSync(secretBytes(params.n));
  const top = hssTop(params, randomBytes(16), seed);
  const floor = await buildCachedNodes(top, "making the key");
  const key = publicKey("hsslms", hssPublicKey(params, top, rootOf(top, floor)));
  const text = await writeHssFile(params, key.key, seed, secret);
  const place = new HssPlaceOnDisk(file, out, toHex(thumbprint(key)));
  const made: string[] = [];
  try {
    // the state first: if two processes generate a key of the same name, the second fails here and leaves the files of
    // the first
    place.begin();
    made.push(place.state);
    const mark = place.lastSeen;
    mark.begin();
    made.push(mark.file, place.tree(0));
    writeTreeFile(place.tree(0), top, floor);
    writeWhole(publicFile, formatPublic(key, "pem"), { fresh: true });
    made.push(publicFile);
    writeWhole(file, Buffer.from(text), { mode: 0o600, fresh: true });
  } catch (e) {
    for (const path of made) rmSync(path, { force: true });
    throw e;
  } finally {
    seed.fill(0);
    top.seed.fill(0);
  }
  return key;
}
