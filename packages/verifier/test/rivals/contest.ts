import type { Contest } from "./case.js";
import { ed25519Contest } from "./ed25519.js";
import { es256Contest } from "./es256.js";
import { loadHacl } from "./hacl.js";
import { Random } from "./random.js";

const CONTESTS = { ed25519: ed25519Contest, es256: es256Contest };
export type Algorithm = keyof typeof CONTESTS;

export interface Score {
  cases: number;
  accepted: number;
  /** By rival: how often it was asked. */
  asked: Record<string, number>;
  /** By kind: how many were accepted, and how many there were. */
  kinds: Record<string, [accepted: number, cases: number]>;
  /** Accepted by a rival, and refused by decision. */
  stricter: number;
  disagreements: string[];
}

/**
 * Cases up to a number, or until `deadline` (milliseconds since 1970). The seed determines all of them but the keys
 * that OpenSSL draws.
 */
export async function compete(algorithm: Algorithm, seed: string, cases: number, deadline = Number.POSITIVE_INFINITY): Promise<Score> {
  const contest: Contest = CONTESTS[algorithm](new Random(seed), await loadHacl());
  const score: Score = { cases: 0, accepted: 0, asked: {}, kinds: {}, stricter: 0, disagreements: [] };
  while (score.cases < cases && (score.cases % 64 || Date.now() < deadline)) {
    const c = contest.next();
    const ours = contest.ours(c);
    const refuses = contest.refuses(c);
    let isStricter = false;
    for (const [name, { verify, oneIn }] of Object.entries(contest.rivals)) {
      if (score.cases % oneIn !== 0) continue;
      score.asked[name] = (score.asked[name] ?? 0) + 1;
      const theirs = verify(c);
      isStricter ||= theirs && refuses;
      if (ours !== (theirs && !refuses)) {
        const [key, message, signature] = [c.key, c.message, c.signature].map((b) => Buffer.from(b).toString("hex"));
        score.disagreements.push(JSON.stringify({ algorithm, kind: c.kind, ours, [name]: theirs, key, message, signature }));
      }
    }
    const [accepted, met] = score.kinds[c.kind] ?? [0, 0];
    score.kinds[c.kind] = [accepted + Number(ours), met + 1];
    if (ours) score.accepted++;
    if (isStricter) score.stricter++;
    score.cases++;
  }
  return score;
}
