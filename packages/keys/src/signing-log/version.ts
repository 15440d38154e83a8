// Versions as sequence numbers: a map between the two that loses nothing, so that the same version has the same number
// on every machine. docs/guides/product.md has the table.

import { usage } from "../errors/failure.js";

/** The kinds of pre-release, in their order (Semantic Versioning 2.0.0 §11): a number alone is the lowest. */
const KINDS = ["", "alpha", "beta", "rc"] as const;

/** Number of pre-releases of a kind: 13 bits. */
const PER_KIND = 8192n;
/** From here on, the last 16 bits mean the release itself, or the release with a build number. */
const RELEASED = 32768n;
const PART = 65536n;

const FORM = /^(0|[1-9]\d{0,9})\.(0|[1-9]\d{0,9})\.(0|[1-9]\d{0,9})(?:-(?:(alpha|beta|rc)\.)?(0|[1-9]\d{0,9})|\+([1-9]\d{0,9}))?$/;

const HINT = "a version is MAJOR.MINOR.PATCH, with -N, -alpha.N, -beta.N or -rc.N for a pre-release, or +N for a build: 1.4.2, 1.5.0-rc.1";

function part(version: string, what: string, text: string, limit: bigint): bigint {
  const n = BigInt(text);
  if (n >= limit) throw usage(`version ${version}: ${what} ${n} is too large for a sequence number`, `at most ${limit - 1n}`);
  return n;
}

/**
 * Derives the sequence number from a version: 16 bits each for major, minor and patch, and 16 for what follows.
 * Pre-releases are below the release, and builds above it.
 *
 * @param version - Such as "1.4.2", "1.4.2-rc.1" or "1.4.2+7".
 * @returns The number, 64 bits.
 * @throws Failure (usage) if the text is not such a version, or does not fit.
 * @example
 * ```ts
 * import { versionNumber } from "@firmseal/keys";
 *
 * versionNumber("1.4.2") === 0x0001_0004_0002_8000n; // true
 * ```
 */
export function versionNumber(version: string): bigint {
  const found = FORM.exec(version);
  if (!found) {
    const [, plain] = /^v(\d.*)$/i.exec(version) ?? [];
    const meant = plain !== undefined && FORM.test(plain) ? `; did you mean ${JSON.stringify(plain)}?` : "";
    throw usage(`${JSON.stringify(version.slice(0, 64))} is not a version${meant}`, HINT);
  }
  const [, major, minor, patch, kind = "", pre, build] = found as unknown as [string, string, string, string, string?, string?, string?];
  const high = [
    part(version, "major version", major, PART),
    part(version, "minor version", minor, PART),
    part(version, "patch", patch, PART),
  ];
  const low =
    pre !== undefined
      ? BigInt(KINDS.indexOf(kind as (typeof KINDS)[number])) * PER_KIND + part(version, "pre-release", pre, PER_KIND)
      : RELEASED + (build === undefined ? 0n : part(version, "build", build, RELEASED));
  return [...high, low].reduce((all, one) => all * PART + one, 0n);
}

/**
 * Derives the version from a sequence number: the inverse of versionNumber().
 *
 * @param n - The number, 64 bits.
 * @returns The version. Every number is that of one version.
 * @example
 * ```ts
 * import { numberVersion } from "@firmseal/keys";
 *
 * numberVersion(0x0001_0004_0002_8000n); // "1.4.2"
 * ```
 */
export function numberVersion(n: bigint): string {
  const [major, minor, patch, low] = [48n, 32n, 16n, 0n].map((shift) => (n >> shift) % PART) as [bigint, bigint, bigint, bigint];
  const release = `${major}.${minor}.${patch}`;
  if (low === RELEASED) return release;
  if (low > RELEASED) return `${release}+${low - RELEASED}`;
  const kind = KINDS[Number(low / PER_KIND)] as string;
  return `${release}-${kind === "" ? "" : `${kind}.`}${low % PER_KIND}`;
}

/** Returns whether text is a version that has a number. */
export function isVersion(text: string | undefined): text is string {
  try {
    // an exception takes many times as long
    return text !== undefined && FORM.test(text) && versionNumber(text) >= 0n;
  } catch {
    return false;
  }
}

/** Returns whether a version has this number. False for text of any other form. */
export function isNumberOf(version: string | undefined, n: bigint): boolean {
  return version !== undefined && version === numberVersion(n);
}

/** The major version of a number. */
export const majorOf = (n: bigint): bigint => n >> 48n;
