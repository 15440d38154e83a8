// Words that several commands have for the same facts.

import { versionIn } from "@firmseal/behaviour";
import type { Receipt } from "@firmseal/keys";
import { plural, someOf, visible, type WithdrawnRelease } from "@firmseal/keys/internal";
import { progressWords, type RootProgress } from "@firmseal/release/internal";
import { decodeEnvelope } from "@firmseal/verifier/tools";

/** The version of a release, for its JSON: missing if its text names none. */
export function versionFacts(outline: Parameters<typeof versionIn>[0]): { version?: string } {
  const version = versionIn(outline);
  return version === undefined ? {} : { version };
}

/** The version of a release that a device has accepted: a device does not read the text, which may be damaged. */
export function versionIfAny(envelope: Uint8Array): { version?: string } {
  try {
    return versionFacts(decodeEnvelope(envelope));
  } catch {
    return {};
  }
}

/** The number of a release, after its version. */
export function numberWords({ sequence, version }: { sequence: string; version?: string }): string {
  return `${version === undefined ? "" : `version ${version}, `}sequence number ${sequence}`;
}

/** "2 roots (needed: 2, and of each family: 2 of 2 ed25519, 0 of 2 hsslms)". */
export function rootWords({ signed, needed, families }: RootProgress, of = ""): string {
  const each = families.length > 0 ? `, and of each family: ${progressWords(families)}` : "";
  return `${plural(signed, "root")}${of} (needed: ${needed}${each})`;
}

/** "dist/1.4.1: version 1.4.1 was withdrawn on 2026-12-01: loses its settings" */
export function withdrawnWords(path: string, { version, time, reason }: WithdrawnRelease): string {
  return visible(`${path}: version ${version} was withdrawn on ${time.slice(0, 10)}: ${reason}`);
}

export function receiptWords(log: readonly Receipt[]): string[] {
  return log.map(({ path, entry }) => `${path}: entry ${entry}`);
}

export function outsideWords(uris: readonly string[]): string[] {
  return uris.length > 0 ? [`outside the envelope, devices fetch: ${someOf(uris)}`] : [];
}
