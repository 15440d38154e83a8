import { keyFacts, readHssFile } from "@firmseal/keys";
import {
  exhaustedFailure,
  type HssPlaceOnDisk,
  highest,
  hssPlaceOf,
  isNearlyUsed,
  overtakenFailure,
  readAll,
  STDIO,
  usage,
  visible,
  warn,
} from "@firmseal/keys/internal";
import { LIMITS } from "@firmseal/release/internal";
import { formatHss, type HssParams, hssCapacity, hssSignatureLength, type PublicKey } from "@firmseal/signer";
import { commandArgument, define, option } from "../../command.js";
import { leafNumber } from "../../common/options.js";
import { KEY } from "../../common/shapes.js";

interface HssOptions {
  /** skip: the number of the next signature. */
  to?: bigint;
  /** false: --no-other-copy-signs. */
  otherCopySigns: boolean;
  json?: boolean;
}

interface OpenedHss {
  name: string;
  params: HssParams;
  key: PublicKey;
  place: HssPlaceOnDisk;
}

/**
 * Shows which leaves of an HSS/LMS key are used, or says where to continue if its state alone does not: skip, adopt.
 */
export async function manageHss(what: "status" | "skip" | "adopt", path: string, o: HssOptions) {
  if (what !== "skip" && o.to !== undefined) throw usage(`hss ${what} takes no --to`, "only hss skip takes it");
  if (what !== "adopt" && !o.otherCopySigns) throw usage(`hss ${what} takes no --no-other-copy-signs`, "only hss adopt takes it");
  if (path === STDIO) throw usage("the state of an HSS/LMS key is beside its file, and stdin has none", "name the file");
  const file = readHssFile(Buffer.from(readAll(path, LIMITS.keyFile)).toString("latin1"), path);
  const opened = { name: path, params: file.params, key: file.public, place: hssPlaceOf(path, file) };
  const next = await DO[what](opened, o);
  return hssFacts(opened, next);
}

const DO: Record<"status" | "skip" | "adopt", (key: OpenedHss, o: HssOptions) => Promise<bigint>> = {
  // no lock: it only reads, and what it reads was true at some moment
  async status({ place }) {
    return place.checked().next;
  },

  /** Gives up leaves. It only goes forward, so no argument can make a leaf sign twice. */
  skip({ name, params, place }, { to }) {
    if (to === undefined) throw usage("hss skip needs --to", "give the number of the next signature: --to N");
    return place.locked(async (stillOurs) => {
      const standing = place.look();
      const { state, seen } = standing;
      // a machine that has never seen the key does not know which leaves are used
      if (typeof seen === "string") return place.checked().next;
      const lowest = highest(
        typeof state === "string" ? 0n : state.next,
        seen,
        standing.beside?.number ?? 0n,
        standing.outside?.number ?? 0n,
        place.logged(),
      );
      if (to < lowest) throw usage(`hss skip --to ${to}: leaves up to ${lowest} are used`, `give ${lowest} or a higher number`);
      if (to > hssCapacity(params)) throw usage(`hss skip --to ${to}: the key has ${hssCapacity(params)} leaves`, "give a lower number");
      const roots = typeof state === "string" ? new Map() : state.roots;
      const follows = (now: typeof state) => (typeof now === "string" ? typeof state === "string" : now.next <= to);
      if (!stillOurs() || !place.advance(standing, { next: to, roots }, follows)) throw overtakenFailure(name, WENT_ON);
      warn(`${visible(name)}: the next signature is number ${to}; the leaves before it are given up`);
      return to;
    });
  },

  /** Begins the record of this machine from the state. If there is a record, there is nothing to adopt. */
  adopt({ name, place }, { otherCopySigns }) {
    return place.locked(async () => {
      const standing = place.look();
      const { state, seen } = standing;
      if (typeof state === "string" || typeof seen === "bigint") return place.checked().next;
      if (otherCopySigns)
        throw usage(
          `${name}: if another copy of the key signs too, both use the same leaves, and anybody can then forge signatures`,
          "if no other copy signs, give --no-other-copy-signs",
        );
      // if only the record is gone, the signatures still show what this machine has used
      const next = highest(state.next, standing.beside?.number ?? 0n, standing.outside?.number ?? 0n);
      if (!place.adopt(standing, next)) throw overtakenFailure(name, WENT_ON);
      return place.checked().next;
    });
  },
};

const WENT_ON = "another process used the key in the meantime";

function hssFacts({ name, params, key }: OpenedHss, next: bigint) {
  const all = hssCapacity(params);
  if (next >= all) warn(exhaustedFailure(visible(name)).message);
  else if (isNearlyUsed(params, next)) warn(`${visible(name)}: few signatures are left; make devices trust a new key before they run out`);
  return {
    ...keyFacts(key),
    parameters: formatHss(params),
    signatures: String(all),
    used: String(next),
    left: String(all - next),
    signatureBytes: hssSignatureLength(params),
    nearlyUsed: isNearlyUsed(params, next),
  };
}

export default define({
  name: "hss",
  summary: "show how many signatures an HSS/LMS key has left, or change its state",
  arguments: [
    commandArgument("<what>", "status; skip: give up leaves; adopt: sign on this machine from now on", {
      choices: ["status", "skip", "adopt"],
    }),
    commandArgument("<key>", "private key file"),
  ],
  options: () => [
    option("--to <n>", "skip: number of the next signature", { parse: leafNumber }),
    option("--no-other-copy-signs", "adopt: confirm that no other copy of the key signs any more"),
  ],
  examples: [
    ["firmseal hss status release.hss", "how many signatures are left"],
    ["firmseal hss skip release.hss --to 1000", "give up the leaves before number 1000"],
    ["firmseal hss adopt release.hss --no-other-copy-signs", "continue to sign on a new machine"],
  ],
  json: {
    ...KEY,
    parameters: ["string", "levels of the key"],
    signatures: ["string", "number of signatures that the key can make"],
    used: ["string", "number of signatures used or given up"],
    left: ["string", "number of signatures left"],
    signatureBytes: ["number", "length of a signature"],
    nearlyUsed: ["boolean", "whether few signatures are left"],
  },
  run: manageHss,
  words: (f, _what, path) => [`${path}: ${f.parameters}, ${f.used} of ${f.signatures} signatures used, ${f.left} left`],
});
