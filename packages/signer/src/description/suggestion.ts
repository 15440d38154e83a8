// "Did you mean …?", for words that are mistyped.

/**
 * Longer words are neither compared nor repeated in messages, because the time to compare grows with the product of the
 * lengths.
 */
export const LONGEST_WORD = 64;

/** A shorter word is the beginning of too many others to suggest one of them. */
const SHORTEST_BEGINNING = 3;

/**
 * Finds the nearest valid word, whatever its case, or the only one that begins so.
 *
 * @param word - The wrong word.
 * @param right - The valid words.
 * @returns "; did you mean …?", or "" if none is near.
 */
export function suggestion(word: unknown, right: readonly string[]): string {
  if (typeof word !== "string" || word.length > LONGEST_WORD) return "";
  const given = word.toLowerCase();
  const [nearest] = right.map((one) => ({ one, away: distance(given, one.toLowerCase()) })).sort((a, b) => a.away - b.away);
  const isNear = nearest !== undefined && nearest.away <= Math.max(1, Math.floor(word.length / 3));
  const begun = given.length < SHORTEST_BEGINNING ? [] : right.filter((one) => one.toLowerCase().startsWith(given));
  const meant = isNear ? nearest.one : begun.length === 1 ? begun[0] : undefined;
  return meant === undefined ? "" : `; did you mean ${JSON.stringify(meant)}?`;
}

/**
 * The distance of two words: how many letters to insert, delete, replace or exchange with their neighbour (optimal
 * string alignment).
 */
function distance(a: string, b: string): number {
  const [one, other] = [[...a], [...b]];
  let before: number[] = [];
  let row = Array.from({ length: other.length + 1 }, (_, i) => i);
  for (const [i, letter] of one.entries()) {
    const next = [i + 1];
    for (const [j, wanted] of other.entries()) {
      const least = Math.min((row[j] as number) + (letter === wanted ? 0 : 1), (row[j + 1] as number) + 1, (next[j] as number) + 1);
      const isExchanged = i > 0 && j > 0 && letter === other[j - 1] && one[i - 1] === wanted;
      next.push(isExchanged ? Math.min(least, (before[j - 1] as number) + 1) : least);
    }
    [before, row] = [row, next];
  }
  return row[other.length] as number;
}
