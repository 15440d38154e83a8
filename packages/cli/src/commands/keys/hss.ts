import {
  exhausted,
  type HssPlaceOnDisk,
  highest,
  hssPlaceOf,
  isNearlyUsed,
  keyFacts,
  overtaken,
  readAll,
  readHssFile,
  usage,
  visible,
  warn,
} from "@firmseal/keys";
import { LIMITS } from "@firmseal/release";
import { formatHss, type HssParams, hssCapacity, hssSignatureLength, type PublicKey } from "@firmseal/signer";
import { json, say } from "../../show/ui.js";

export interface HssOptions {
  /** skip: the number of the next signature. */
  to?: bigint;
  /** false: --no-other-copy-signs. */
  otherCopySigns: boolean;
  json?: boolean;
}

interface Opened {
  name: string;
  params: HssParams;
  key: PublicKey;
  place: HssPlaceOnDisk;
}

/** What is used and what is left of an HSS/LMS key, and the two ways to go on where its state alone does not say which leaf is next. */
export async function hss(what: "status" | "skip" | "adopt", path: string, o: HssOptions): Promise<void> {
  if (what !== "skip" && o.to !== undefined) throw usage(`hss ${what} takes no --to`, "only hss skip goes to another leaf");
  if (what !== "adopt" && !o.otherCopySigns) throw usage(`hss ${what} takes no --no-other-copy-signs`, "only hss adopt asks for it");
  if (path === "-") throw usage("stdin: the state of the key lies beside its file", "name the file");
  const file = readHssFile(Buffer.from(readAll(path, LIMITS.keyFile)).toString("latin1"), path);
  const opened = { name: path, params: file.params, key: file.public, place: hssPlaceOf(path, file) };
  const next = await DO[what](opened, o);
  tell(opened, next, o);
}

const DO: Record<"status" | "skip" | "adopt", (key: Opened, o: HssOptions) => Promise<bigint>> = {
  // without the lock: it looks only, and what it sees was so at some moment
  async status({ place }) {
    return place.checked().next;
  },

  /** Gives leaves up. Only ever forward, so nothing that it is told can make a leaf sign twice. */
  skip({ name, params, place }, { to }) {
    if (to === undefined) throw usage("hss skip needs to know where to", "the number of the next signature: --to N");
    return place.locked(async (stillOurs) => {
      const standing = place.look();
      const { state, seen } = standing;
      // a machine that has never seen the key cannot tell what forward is
      if (typeof seen === "string") return place.checked().next;
      const lowest = highest(
        typeof state === "string" ? 0n : state.next,
        seen,
        standing.beside?.number ?? 0n,
        standing.outside?.number ?? 0n,
      );
      if (to < lowest) throw usage(`hss skip --to ${to}: leaves up to ${lowest} are used`, `go forward: --to ${lowest}, or higher`);
      if (to > hssCapacity(params)) throw usage(`hss skip --to ${to}: the key has ${hssCapacity(params)} leaves`, "give a lower number");
      const roots = typeof state === "string" ? new Map() : state.roots;
      const follows = (now: typeof state) => (typeof now === "string" ? typeof state === "string" : now.next <= to);
      if (!stillOurs() || !place.advance(standing, { next: to, roots }, follows)) throw overtaken(name, WENT_ON);
      warn(`${visible(name)}: the next signature is number ${to}; what lies before is given up`);
      return to;
    });
  },

  /** Begins the record of this machine with what the state says. Where the record is there, there is nothing to adopt. */
  adopt({ name, place }, { otherCopySigns }) {
    return place.locked(async () => {
      const standing = place.look();
      const { state, seen } = standing;
      if (typeof state === "string" || typeof seen === "bigint") return place.checked().next;
      if (otherCopySigns)
        throw usage(
          `${name}: if another copy of the key goes on signing, both use the same leaves, and others can forge signatures`,
          "where no other copy does, say so: --no-other-copy-signs",
        );
      // where only the record is gone, the claims still tell what this machine has used
      const next = highest(state.next, standing.beside?.number ?? 0n, standing.outside?.number ?? 0n);
      if (!place.adopt(standing, next)) throw overtaken(name, WENT_ON);
      return place.checked().next;
    });
  },
};

const WENT_ON = "another process has gone on with the key meanwhile";

function tell({ name, params, key }: Opened, next: bigint, o: HssOptions): void {
  const all = hssCapacity(params);
  if (o.json)
    json({
      ok: true,
      code: 0,
      ...keyFacts(key),
      parameters: formatHss(params),
      signatures: String(all),
      used: String(next),
      left: String(all - next),
      signatureBytes: hssSignatureLength(params),
      nearlyUsed: isNearlyUsed(params, next),
    });
  else say(`${visible(name)}: ${formatHss(params)}, ${next} of ${all} signatures used, ${all - next} left`);
  if (next >= all) warn(exhausted(visible(name)).message);
  else if (isNearlyUsed(params, next)) warn(`${visible(name)}: have a new key trusted before the last leaf is gone`);
}
