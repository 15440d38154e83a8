// Lints files and folders: finds the releases, the one before each, and what else rules look at.

import { readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { identifierText, type ReleaseRecord } from "@firmseal/behaviour";
import { grouped, isFolder, tooMuch, usage, visible } from "@firmseal/keys/internal";
import { suggestion } from "@firmseal/signer";
import type { Identity, TrustStore } from "@firmseal/verifier";
import { LIMITS } from "../input/limits.js";
import type { Policy } from "../product/file/policy.js";
import type { Board, Product } from "../product/file/product.js";
import { findRecord, releasesIn } from "../product/record.js";
import { readEnvelopeFile } from "../verify/envelope-file.js";
import { deviceKinds } from "../verify/manifest-facts.js";
import type { KnownKey } from "../verify/signers.js";
import { type CutResult, cutPowerOf } from "./cuts.js";
import { type Finding, type LintReport, type LintTask, lintRelease, type SkippedRule, today, withWaivers } from "./lint.js";
import { type EarlierRelease, knownKeys, readEarlier, readForLint, readToInstall } from "./read.js";
import { type LintRelease, NEEDS } from "./rule.js";
import { ALL_RULES } from "./rule-table.js";
import { pairsOf } from "./rules/boards.js";

/** What lintReleases() may compare releases with. */
export interface LintOptions {
  /** The product, with its policy. */
  readonly product?: Product;
  /** The trust file that devices have. */
  readonly trust?: { readonly path: string; readonly store: TrustStore };
  /**
   * The envelope or folder of the previous release. Default: with a product, the last one in its folder of releases.
   */
  readonly previousRelease?: string;
  /** Files of payloads, as --payload names them. For one envelope only. */
  readonly payload?: readonly string[];
  /** Sets of rules to apply besides the common ones. */
  readonly policies?: readonly Policy[];
}

const NEEDS_PAYLOADS = "put the payloads beside the envelope, or give them: --payload FILE";

/** Refuses a waiver of a rule that does not exist: it would waive nothing, and nobody would know. */
export function refuseUnknownRules({ policy, fault }: Product): void {
  const known = ALL_RULES.flatMap(({ id, name }) => [id, name]);
  for (const [i, { rule }] of policy.waivers.entries())
    if (!known.includes(rule))
      throw fault(
        `/policy/waivers/${i}/rule`,
        `${JSON.stringify(visible(rule))} is not a rule of firmseal lint${suggestion(rule, known)}`,
        "docs/reference/lint.md lists the rules",
      );
}

/** The envelopes in a folder of a release. */
function recorded(folder: string, record: ReleaseRecord | undefined): string[] {
  return (record?.artifacts ?? []).flatMap(({ kind, file }) => (kind === "envelope" ? [join(folder, file)] : []));
}

/** The envelopes at a path: a file, a release, the last of a folder of releases, or any folder with `.suit` files. */
function envelopesAt(path: string, product?: Product): string[] {
  if (!isFolder(path)) return [path];
  const record = findRecord(path);
  if (record) return recorded(path, record);
  const last = product && releasesIn(path, product).at(-1);
  if (last) return recorded(last.path, last.record);
  const names = readdirSync(path).filter((name) => name.endsWith(".suit"));
  if (names.length === 0) throw usage(`${path} has no release`, "name an envelope, or a folder with .suit files");
  if (names.length > LIMITS.lintReleases)
    throw tooMuch(`${path} has ${grouped(names.length)} releases`, `at most ${LIMITS.lintReleases} can be checked together`);
  return names.sort().map((name) => join(path, name));
}

const isForSame = (release: LintRelease, { scope }: EarlierRelease) => release.scope.some((pair) => scope.includes(pair));

/** The previous release, of those given: the highest that is for the same devices. */
export function releaseBefore(release: LintRelease, given: readonly EarlierRelease[]): EarlierRelease | undefined {
  return given
    .filter((other) => isForSame(release, other))
    .reduce<EarlierRelease | undefined>((most, other) => (most && most.sequence >= other.sequence ? most : other), undefined);
}

/**
 * The previous release of the same board, in the folder of releases of the product: the one before an existing release,
 * or else the last.
 */
function inShelf(release: LintRelease, product: Product): EarlierRelease | undefined {
  const all = releasesIn(product.out, product);
  const own = all.findIndex(({ path }) => resolve(path) === resolve(dirname(release.path)));
  // newest first: the first that is for these devices is enough
  for (const { path, record } of all.slice(0, own < 0 ? all.length : own).reverse())
    for (const file of recorded(path, record)) {
      const other = readEarlier(file);
      if (isForSame(release, other)) return other;
    }
  return undefined;
}

/** A device that takes the release. */
function acceptingDevice(release: LintRelease): Identity | undefined {
  const taken = new Set(
    (release.explained?.behaviours ?? []).flatMap(({ refused, devices }) =>
      refused ? [] : devices.map((d) => `${d.vendor} ${d.class} ${d.device ?? ""}`),
    ),
  );
  const text = (ids: Identity["vendor"] | undefined, none: string) => identifierText(ids?.[0]) ?? none;
  const found = deviceKinds(release.outline.manifest).find(({ identity: { vendor, class: name, device } }) =>
    taken.has(`${text(vendor, "any")} ${text(name, "any")} ${text(device, "")}`),
  );
  // an identifier that the release does not ask for is empty
  return found && { ...found.identity, device: (found.identity.device ?? []).filter((id) => id.length > 0) };
}

async function cutsOf(
  release: LintRelease,
  envelope: Uint8Array,
  previous: EarlierRelease | undefined,
  o: LintOptions,
): Promise<CutResult> {
  if (release.refusal) return { why: "devices refuse the release" };
  const device = acceptingDevice(release);
  const update = readToInstall(release.path, envelope, o.payload);
  if (!update) return { why: NEEDS_PAYLOADS };
  if (!device) return { why: NEEDS.cuts };
  // one whose payloads are elsewhere cannot be installed first
  return cutPowerOf(update, device, previous && readToInstall(previous.path, readEnvelopeFile(previous.path)));
}

/** The boards of a product that a release is for. */
export const boardsFor = ({ vendor, boards }: Product, { scope }: Pick<LintRelease, "scope">): Board[] =>
  boards.filter((board) => pairsOf(vendor, board).some((pair) => scope.includes(pair)));

async function taskOf(
  file: string,
  known: readonly KnownKey[],
  given: readonly EarlierRelease[] | undefined,
  o: LintOptions,
): Promise<LintTask> {
  const envelope = readEnvelopeFile(file);
  const { product, trust } = o;
  const release = await readForLint(file, envelope, {
    known,
    ...(o.payload && { payload: o.payload }),
    ...(product?.policy.sbom !== undefined && { sbom: product.policy.sbom }),
  });
  const previous = given ? releaseBefore(release, given) : product && inShelf(release, product);
  const cuts = await cutsOf(release, envelope, previous, o);
  return {
    context: {
      release,
      ...(release.signatures.length > 0 && { signed: true as const }),
      ...(previous && { previous }),
      ...(trust && { trust }),
      ...(product && {
        product,
        boards: boardsFor(product, release),
      }),
      ...("report" in cuts && { cuts: cuts.report }),
    },
    ...("why" in cuts && { whyNoCuts: cuts.why }),
  };
}

/**
 * Lints the releases at `path`.
 *
 * @param path - An envelope or a folder.
 * @param o - What to compare them with.
 * @returns The findings, and the paths of the releases.
 * @throws Failures for files that are not there or are not releases, and for a release before that is for other
 *   devices.
 * @example
 * ```ts
 * import { lintReleases } from "@firmseal/release";
 *
 * const { findings } = await lintReleases("app.suit");
 * for (const { rule, message } of findings) console.log(`${rule}: ${message}`);
 * ```
 */
export async function lintReleases(path: string, o: LintOptions = {}): Promise<LintReport & { readonly releases: readonly string[] }> {
  const { product } = o;
  if (product) refuseUnknownRules(product);
  const paths = envelopesAt(path, product);
  if (o.payload !== undefined && isFolder(path))
    throw usage("`payload` is for one envelope, not for a folder", "put the payload into the folder");
  const known = knownKeys(o.trust?.store);
  const policies = [...(o.policies ?? []), ...(product?.policy.suite === undefined ? [] : [product.policy.suite])];
  const given = o.previousRelease === undefined ? undefined : envelopesAt(o.previousRelease, product).map(readEarlier);
  const findings: Finding[] = [];
  const skipped: SkippedRule[] = [];
  let compared = false;
  // one after the other: each may be large
  for (const file of paths) {
    const task = await taskOf(file, known, given, o);
    compared ||= task.context.previous !== undefined;
    const report = lintRelease(task, policies);
    for (const one of report.findings) findings.push(one);
    for (const one of report.skipped) skipped.push(one);
  }
  if (given && !compared)
    throw usage(`${o.previousRelease} is not for the devices of ${path}`, "give the previous release, for the same devices");
  return {
    releases: paths,
    findings: product ? withWaivers(findings, { path: product.path, all: product.policy.waivers }, today()) : findings,
    skipped,
  };
}
