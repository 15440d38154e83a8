// A trust file and the one before it, compared with the logs of their roots, as far as this machine has them.

import { keyName } from "@firmseal/keys";
import { knownEntries, refusedInput } from "@firmseal/keys/internal";
import { keysOf, rootsIn } from "./facts.js";
import { type PinnedTrust, type PinOptions, readPinnedTrust } from "./read.js";
import { digestOfTrust, filesOfLine, numberOfTrust } from "./trust-log.js";

/**
 * Like readPinnedTrust(), and checks that the two files do not come from strangers: a root whose log is here has signed
 * one of them, or no root has a log with a file of this line. Throws a Failure, SEQUENCE.
 */
export async function readKnownTrust(path: string, o: PinOptions): Promise<PinnedTrust> {
  const pinned = await readPinnedTrust(path, o);
  const { store, previous } = pinned;
  if (!previous) return pinned;
  const roots = [store, previous].flatMap((one) => keysOf(rootsIn(one)));
  const signed = roots.flatMap((key) => {
    const own = knownEntries({ name: keyName(key), public: key }).filter((e) => e.key === keyName(key) && e.sequence !== undefined);
    return filesOfLine(own, numberOfTrust(store).scope);
  });
  const last = signed.at(-1);
  if (!last || [store, previous].some((one) => signed.some((e) => e.digest === digestOfTrust(one)))) return pinned;
  throw refusedInput(
    "ERR_SEQUENCE",
    `${path}: a root of it has its log here, in which trust file ${last.sequence} is the last (${last.time.slice(0, 10)}), and neither this file nor ${o.previousTrust} is in it`,
    "give the trust file that this root signed last: `previousTrust` FILE, or the roots from a trusted source: `root` PUB",
  );
}
