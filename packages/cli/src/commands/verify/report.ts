// A release as one HTML file that verifies it.

import { basename } from "node:path";
import { minifiedBundle } from "@firmseal/bundler";
import { keyWords, usage } from "@firmseal/keys";
import {
  checkPayloads,
  difference,
  explain,
  identities,
  identityOf,
  readEnvelopeFile,
  reportKey,
  reportKinds,
  reportTime,
  type TrustedKeys,
  type TrustOptions,
  trustedKeys,
} from "@firmseal/release";
import { type ReportData, reportCuts, reportHtml } from "@firmseal/report";
import { formatUuid, keyOfAnchor, type PublicKey } from "@firmseal/signer";
import { nodeHost } from "@firmseal/simulator";
import { type Anchor, type Identity, type Manifest, open, type Trust, type TrustAnchor } from "@firmseal/verifier";
import { decodeEnvelope, formatSequence } from "@firmseal/verifier/tools";
import { commandArgument, define, option } from "../../command.js";
import { differenceLines, versionLines } from "../../common/difference.js";
import { passphrases, productFile, threshold, trusted, wholeNumber } from "../../common/options.js";
import { checkOutput, refuseTerminal, writeOut } from "../../common/output.js";
import { namesHere } from "../../common/product-names.js";
import { membersOf, SIGNER, TEST_KEYS } from "../../common/shapes.js";
import { simulateRelease } from "./simulate.js";

export interface ReportOptions extends TrustOptions {
  html: string;
  vendor?: string;
  class?: string;
  previousRelease?: string;
  slotSize?: number;
  device?: string;
  product?: string;
  json?: boolean;
}

/** The device that the options name. */
function givenIdentity(o: ReportOptions): Identity | undefined {
  if (o.vendor === undefined && o.class === undefined) return undefined;
  if (o.vendor === undefined || o.class === undefined)
    throw usage("a device has a vendor and a class, and one of them is missing", "give --vendor and --class, or neither");
  const { vendor, class: name } = identityOf(o.vendor, o.class);
  return { vendor: [vendor], class: [name] };
}

/** The policy of the devices that the release is for. A report holds one set of keys. */
function policyFor(whom: TrustedKeys, envelope: Uint8Array, given: Identity | undefined): Trust {
  if (!whom.scoped) return whom.policy({ vendor: [], class: [] });
  if (given) return whom.policy(given);
  const [first, ...others] = identities(decodeEnvelope(envelope).manifest).map((identity) => whom.policy(identity));
  const isSame = ({ anchors, threshold: n }: Trust) =>
    n === first?.threshold && anchors.length === first?.anchors.length && anchors.every((a, i) => first.anchors[i] === a);
  if (!first || !others.every(isSame))
    throw usage("devices of this release trust different keys, and a report has one set of them", "name the device: --vendor and --class");
  return first;
}

/** The identifiers that have names: those of the product file, and those of the options. */
async function namesOf(o: ReportOptions, given: Identity | undefined): Promise<ReportData["names"]> {
  const [vendor, name] = [given?.vendor?.[0], given?.class?.[0]];
  return {
    ...Object.fromEntries((await namesHere(o.product)) ?? []),
    ...(vendor && { [formatUuid(vendor)]: o.vendor as string }),
    ...(name && { [formatUuid(name)]: o.class as string }),
  };
}

async function changesOf(envelope: Uint8Array, path: string | undefined): Promise<Pick<ReportData, "changes">> {
  if (path === undefined) return {};
  const earlier = readEnvelopeFile(path);
  const lines = differenceLines(difference(await explain(earlier), await explain(envelope)));
  return { changes: { file: basename(path), lines: [...versionLines(earlier, envelope), ...lines] } };
}

async function cutsOf(path: string, whom: TrustedKeys, o: ReportOptions): Promise<Pick<ReportData, "cuts">> {
  if (o.device === undefined) return {};
  const { report } = await simulateRelease(path, whom, { ...o, device: o.device, secondCuts: 20 });
  return { cuts: { device: o.device, points: reportCuts(report.points), faults: report.faultCount } };
}

/** Makes a report of a release that these keys have signed. */
async function makeReport(path: string, o: ReportOptions) {
  refuseTerminal(o.html, "--html");
  if (o.html !== "-" && !/\.html?$/i.test(o.html))
    throw usage(`--html ${o.html}: is not the name of an HTML file`, "choose a name that ends in .html");
  checkOutput(o.html, "--html", [path], false);
  const whom = await trustedKeys(o);
  const envelope = readEnvelopeFile(path);
  const given = givenIdentity(o);
  const policy = policyFor(whom, envelope, given);
  const manifest: Manifest = open(envelope, policy, nodeHost);
  await checkPayloads(manifest, new Map());
  const keys = policy.anchors.flatMap((anchor, i) => {
    const key = keyOfAnchor(anchor as TrustAnchor) as PublicKey | undefined;
    return key ? [reportKey(key, anchor, o.key?.[i] === undefined ? undefined : basename(o.key[i] as string))] : [];
  });
  const { trust } = whom;
  const data: ReportData = {
    file: basename(path),
    made: reportTime(),
    envelope: Buffer.from(envelope).toString("base64"),
    keys,
    threshold: policy.threshold ?? 1,
    ...(trust && { trust: { name: trust.name, sequence: trust.sequence, role: trust.role } }),
    names: await namesOf(o, given),
    ...reportKinds(manifest),
    ...(o.slotSize !== undefined && { slotSize: o.slotSize }),
    ...(await changesOf(envelope, o.previousRelease)),
    ...(await cutsOf(path, whom, o)),
  };
  const algs = [...new Set(keys.map(({ alg }) => alg))] as Parameters<typeof minifiedBundle>[0]["algs"];
  const html = reportHtml(data, await minifiedBundle({ algs, features: ["install", "errors", "copy", "trust"], form: "script" }));
  const bytes = Buffer.from(html);
  writeOut(o.html, bytes);
  return {
    html: o.html,
    bytes: bytes.length,
    sequence: formatSequence(manifest.sequence),
    signers: manifest.signers.map((i) => whom.facts(policy.anchors[i] as Anchor)),
    cuts: data.cuts ? { device: data.cuts.device, operations: data.cuts.points.length, faults: data.cuts.faults } : null,
    testKeys: whom.testKeys,
  };
}

export default define({
  name: "report",
  summary: "write a page that shows a release and verifies it when it is opened",
  arguments: [commandArgument("<envelope>", "envelope")],
  options: () => [
    option("--html <file>", "output file", { required: true }),
    ...trusted(),
    threshold(),
    option("--vendor <vendor>", "device whose keys and names are shown: domain of the vendor, or vendor UUID"),
    option("--class <class>", "device whose keys and names are shown: name of the device class, or class UUID"),
    option("--previous-release <envelope>", "also show what changes against this release"),
    option("--slot-size <bytes>", "also show how much of a slot each payload takes", { parse: wholeNumber }),
    option("--device <name>", "also show power cuts on a simulated device: flash, storage, files or memory"),
    productFile(),
    ...passphrases(),
  ],
  examples: [
    ["firmseal report fw.suit --key release.jwk --html fw.html", "a page that anybody can open"],
    [
      "firmseal report fw.suit --trust fleet.trust --previous-release old.suit --slot-size 524288 --device flash --html fw.html",
      "with changes, sizes and power cuts",
    ],
  ],
  json: {
    html: ["string", "output file"],
    bytes: ["number", "its length"],
    sequence: ["string", "sequence number"],
    signers: ["object[]", "keys that signed and count"],
    ...membersOf("signers[]", SIGNER),
    cuts: ["object|null", "power cuts; null: not simulated"],
    ...membersOf("cuts", {
      device: ["string", "the device"],
      operations: ["number", "writes and erases"],
      faults: ["number", "cuts that do not end well"],
    }),
    ...TEST_KEYS,
  },
  run: makeReport,
  words: (f) => [`${f.html}: ${f.bytes} bytes, sequence number ${f.sequence}, signed by ${f.signers.map(keyWords).join(", ")}`],
});
