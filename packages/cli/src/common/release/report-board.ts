// One envelope of a report: verified, with the facts that the page shows.

import { basename } from "node:path";
import type { ReleaseRecord } from "@firmseal/behaviour";
import { usage, visible, type WithdrawnRelease } from "@firmseal/keys/internal";
import { explain, type Product, releaseDifference } from "@firmseal/release";
import {
  checkPayloads,
  identityOf,
  namedIdentities,
  type OtherSignature,
  otherSignatures,
  outsideUris,
  payloadsBeside,
  productNames,
  readEnvelopeFile,
  reasoned,
  refuseRecordedBoard,
  reportFamilies,
  reportKinds,
  reportTime,
  signersOf,
  type TrustedKeys,
  type TrustOptions,
} from "@firmseal/release/internal";
import { type ReportData, type ReportDocument, reportCuts, reportKey } from "@firmseal/report";
import { formatUuid, keyOfAnchor, type PublicKey } from "@firmseal/signer";
import { hostFor } from "@firmseal/simulator";
import { type Anchor, compareSequence, type Identity, type Manifest, open, type Trust, type TrustAnchor } from "@firmseal/verifier";
import { decodeEnvelope, formatSequence } from "@firmseal/verifier/tools";
import { differenceLines, versionLines } from "./difference.js";
import { simulateRelease } from "./simulate-release.js";

export interface ReportOptions extends TrustOptions {
  out: string;
  board?: string[];
  vendor?: string;
  class?: string;
  previousRelease?: string;
  slotSize?: number;
  device?: string;
  document?: string[];
  product?: string;
  json?: boolean;
}

/** What a report of one envelope is made from. */
interface BoardInput {
  path: string;
  o: ReportOptions;
  whom: TrustedKeys;
  names: ReportData["names"];
  /** The device that the options name. */
  given?: Identity | undefined;
  documents?: ReportDocument[];
  /** How its release was withdrawn, for a page of one envelope. */
  withdrawn?: WithdrawnRelease;
  /** In a release of several boards: the board, and the record that must agree. */
  board?: string;
  record?: ReleaseRecord;
  /** Bytes of the slots of its components. */
  slots?: (number | null)[];
  /** The previous release. `path`: if it is also what the simulated device has. */
  before?: { name: string; envelope: Uint8Array; path?: string };
}

export interface ReportedBoard {
  data: ReportData;
  sequence: string;
  signers: ReturnType<TrustedKeys["facts"]>[];
  /** Bytes of the payloads in the envelope. */
  payloadBytes: number;
  /** URIs of payloads that are neither in the envelope nor beside it. */
  payloadsNotChecked: string[];
  testKeys: string[];
  otherSignatures: OtherSignature[];
}

/** The device that the options name. */
export function givenIdentity(o: ReportOptions): Identity | undefined {
  if (o.vendor === undefined && o.class === undefined) return undefined;
  if (o.vendor === undefined || o.class === undefined)
    throw usage("a device has a vendor and a class, and one of them is missing", "give --vendor and --class, or neither");
  const { vendor, class: name } = identityOf(o.vendor, o.class);
  return { vendor: [vendor], class: [name] };
}

/** The identifiers that have names: those of the product file, and those of the options. */
export function namesOf(product: Product | undefined, o: ReportOptions, given: Identity | undefined): ReportData["names"] {
  const [vendor, name] = [given?.vendor?.[0], given?.class?.[0]];
  return {
    ...(product && Object.fromEntries(productNames(product))),
    ...(vendor && { [formatUuid(vendor)]: o.vendor as string }),
    ...(name && { [formatUuid(name)]: o.class as string }),
  };
}

/** Bytes of the slots of a board, as the product file of this release says. */
export function boardSlots(product: Product | undefined, record: ReleaseRecord, name: string): (number | null)[] | undefined {
  if (product?.name !== record.product || product.vendor !== record.vendor) return undefined;
  const images = product.boards.find((board) => board.name === name)?.images;
  return images?.map(({ sizes }) => {
    const known = sizes.filter((size) => size !== undefined);
    return known.length === 0 ? null : Math.min(...known);
  });
}

/** The policy of the devices that the release is for. A report holds one set of keys for each envelope. */
function policyFor(whom: TrustedKeys, envelope: Uint8Array, given: Identity | undefined): Trust {
  if (!whom.scoped) return whom.policy({ vendor: [], class: [] });
  if (given) return whom.policy(given);
  const [first, ...others] = namedIdentities(decodeEnvelope(envelope).manifest).map((identity) => whom.policy(identity));
  const isSame = ({ anchors, threshold: n }: Trust) =>
    n === first?.threshold && anchors.length === first?.anchors.length && anchors.every((a, i) => first.anchors[i] === a);
  if (!first || !others.every(isSame))
    throw usage(
      "devices of this release trust different keys, and a report can show only one set of keys",
      "name the device: --vendor and --class",
    );
  return first;
}

const sequenceIn = (envelope: Uint8Array) => decodeEnvelope(envelope).manifest.sequence;

/** Refuses a previous release that is this one or a later one: a device that has it refuses this release. */
function refuseLater(envelope: Uint8Array, before: Uint8Array, name: string): void {
  const [now, then] = [sequenceIn(envelope), sequenceIn(before)];
  if (compareSequence(then, now) >= 0)
    throw usage(
      `--previous-release: ${visible(name)} has sequence number ${formatSequence(then)}, which is not lower than ${formatSequence(now)}`,
      "name a release that devices had before this one",
    );
}

async function changesOf(envelope: Uint8Array, before: BoardInput["before"]): Promise<Pick<ReportData, "changes">> {
  if (!before) return {};
  refuseLater(envelope, before.envelope, before.name);
  const lines = differenceLines(releaseDifference(await explain(before.envelope), await explain(envelope)));
  return { changes: { file: before.name, lines: [...versionLines(before.envelope, envelope), ...lines] } };
}

/** The first device of a board: a simulated one has one identity. */
function deviceOf({ record, board }: BoardInput): { vendor?: string; class?: string } {
  const own = record?.artifacts.find((one) => one.board === board);
  return own?.classes[0] ? { vendor: own.vendorId, class: own.classes[0].id } : {};
}

async function cutsOf(input: BoardInput, files: ReadonlyMap<string, string>): Promise<Pick<ReportData, "cuts">> {
  const { path, whom, o, before } = input;
  if (o.device === undefined) return {};
  const { previousRelease: _, ...rest } = o;
  const payload = [...files].map(([uri, file]) => `${uri}=${file}`);
  const { report } = await simulateRelease(path, whom, {
    ...{ ...rest, ...deviceOf(input), device: o.device, payload, secondCuts: 20 },
    ...(before?.path !== undefined && { previousRelease: before.path }),
  });
  return { cuts: { device: o.device, points: reportCuts(report.points), faults: report.faultCount } };
}

/** The trusted keys that a page can hold, with their anchors. */
function keysOf(policy: Trust, { key: named }: ReportOptions) {
  return policy.anchors.flatMap((anchor, i) => {
    const key = keyOfAnchor(anchor as TrustAnchor) as PublicKey | undefined;
    const name = named?.[i];
    return key ? [{ anchor, key: reportKey(key, anchor, name === undefined ? undefined : basename(name)) }] : [];
  });
}

/** The published test keys behind the signatures, if there are any. */
async function testKeysOf(envelope: Uint8Array): Promise<Pick<ReportData, "testKeyOf">> {
  const names = (await signersOf(decodeEnvelope(envelope).signatures, [])).map(({ testKey = null }) => testKey);
  return names.some((name) => name !== null) ? { testKeyOf: names } : {};
}

const sizeOf = ({ payloads }: Manifest) => payloads.reduce((sum, { content }) => sum + content.n, 0);

/** Verifies an envelope, with the payloads in it and beside it, and collects the facts that the page shows. */
export async function reportBoard(input: BoardInput): Promise<ReportedBoard> {
  const { path, o, whom, names, given, board, record } = input;
  const envelope = readEnvelopeFile(path);
  const policy = policyFor(whom, envelope, given);
  const manifest = reasoned(envelope, () => open(envelope, policy, hostFor(envelope.length)));
  const files = payloadsBeside(path, manifest, new Map());
  await checkPayloads(manifest, files);
  const signers = manifest.signers.map((i) => whom.facts(policy.anchors[i] as Anchor));
  if (record && board !== undefined) await refuseRecordedBoard(path, record, board, envelope, signers);
  const known = keysOf(policy, o);
  const { trust } = whom;
  const slots = o.slotSize === undefined ? input.slots : manifest.components.map(() => o.slotSize as number);
  const data: ReportData = {
    file: basename(path),
    made: reportTime(),
    ...(board !== undefined && { board }),
    envelope: Buffer.from(envelope).toString("base64"),
    keys: known.map(({ key }) => key),
    ...(await testKeysOf(envelope)),
    threshold: policy.threshold ?? 1,
    ...reportFamilies(
      policy,
      known.map(({ anchor }) => anchor),
    ),
    ...(trust && { trust: { name: trust.name, sequence: trust.sequence, role: trust.role } }),
    names,
    ...reportKinds(manifest),
    ...(slots && { slotSizes: slots }),
    ...(files.size > 0 && { compared: [...files.keys()] }),
    ...(input.withdrawn && { withdrawn: { time: input.withdrawn.time, reason: input.withdrawn.reason } }),
    ...(input.documents && input.documents.length > 0 && { documents: input.documents }),
    ...(await changesOf(envelope, input.before)),
    ...(await cutsOf(input, files)),
  };
  return {
    ...{ data, signers, testKeys: whom.testKeys },
    otherSignatures: await otherSignatures(decodeEnvelope(envelope).signatures, policy.anchors),
    sequence: formatSequence(manifest.sequence),
    payloadBytes: sizeOf(manifest),
    payloadsNotChecked: outsideUris(manifest).filter((uri) => !files.has(uri)),
  };
}
