// What the open files say together: whether the release is good under the open keys or the open trust file.

import { reportKey, reportKind } from "@firmseal/report";
import { type OnProgress, type PageData, refusalWords, verifyReport } from "@firmseal/report/page";
import {
  anchorOf,
  decodeTrust,
  keyAlgOf,
  keyOfAnchor,
  loadAlg,
  type PublicKey,
  testKeyForms,
  testKeyName,
  testKeys,
  thumbprint,
  trustName,
} from "@firmseal/signer";
import { type Anchor, anchor, errors, open } from "@firmseal/verifier";
import { ALG_NAMES, type CoseSignature, formatSequence, isRefusal, toHex } from "@firmseal/verifier/tools";
import type { DeskVerdict, DeviceSettings, SignatureRow } from "../../protocol.js";
import { TEXTS } from "../../texts.js";
import type { Main } from "../main-file.js";
import type { Desk } from "../open-files.js";
import { kindsOf, pageInterpreter } from "../release.js";
import { Sentence } from "../sentence.js";
import { type DeskPolicy, policyFor, type TrustList } from "./policy.js";
import { trustVerdict } from "./trust-verdict.js";

/** The verifier, with every key that tools have. */
const device = () => ({ ...{ open, anchor, errors }, ...pageInterpreter() });

/** The verdict on the main file. */
export async function deskVerdict(
  desk: Desk,
  threshold: number,
  device: DeviceSettings | undefined,
  progress: OnProgress,
): Promise<DeskVerdict> {
  let policy: DeskPolicy | undefined;
  try {
    policy = await policyFor(desk, threshold, device);
  } catch (e) {
    const verdict = refused(e, [], TEXTS.trustRefused);
    if (desk.envelope) delete verdict.at;
    return verdict;
  }
  if (desk.envelope) return releaseVerdict(desk, desk.envelope, policy, progress);
  const list = policy?.list;
  if (!desk.trust || !policy || !list) return { state: "unknown", words: TEXTS.noKeyYet, signatures: [], notes: [] };
  return trustVerdict(list, await signatureRows(decodeTrust(desk.trust.bytes).signatures, trustFileKeys(desk, list)));
}

/** Keys that may have signed the trust file: the open ones, and those of the file and of the previous one. */
function trustFileKeys({ keys }: Desk, { store, before }: TrustList): DeskPolicy["keys"] {
  const own = [...store.anchors, ...(before?.anchors ?? [])].flatMap((one) => {
    const key = keyOfAnchor(one);
    return key ? [{ key, anchor: anchorOf(key) }] : [];
  });
  return [...keys.map(({ key, name }) => ({ key, name, anchor: anchorOf(key) })), ...own];
}

async function releaseVerdict(desk: Desk, main: Main, policy: DeskPolicy | undefined, progress: OnProgress): Promise<DeskVerdict> {
  const signatures = await signatureRows(main.outline?.signatures ?? [], policy?.keys ?? []);
  if (!policy) {
    if (main.fault) return refused(main.fault, signatures);
    return { state: "unknown", words: signatures.length === 0 ? TEXTS.unsigned : TEXTS.noKeyYet, signatures, notes: [] };
  }
  try {
    // with the keys first: a damaged file is refused as on a device, whatever a tool can still read of it
    open(main.bytes, policy.trust);
    const other = otherRefusal(main, policy);
    if (other) return refused(other.fault, signatures, (words) => TEXTS.refusedBy(other.name, words));
    const data = { ...dataOf(main, policy), testKeyOf: signatures.map(({ testKey = null }) => testKey) };
    const names = new Map(policy.keys.map(({ key }) => [toHex(thumbprint(key)), testKeyName(key)]));
    const verified = await verifyReport(device(), policy.trust, data, main.bytes, (one) => names.get(one), progress);
    const release = { data, verified, length: main.bytes.length };
    return { state: "good", words: "", signatures, release, notes: notesOf(desk, policy, verified) };
  } catch (e) {
    return refused(e, signatures);
  }
}

/** The first kind of device that does not trust the signers, although the chosen one does. */
function otherRefusal({ bytes }: Main, { others }: DeskPolicy): { name: string; fault: unknown } | undefined {
  for (const { name, trust } of others) {
    try {
      open(bytes, trust());
    } catch (fault) {
      return { name, fault };
    }
  }
  return undefined;
}

const refused = (e: unknown, signatures: SignatureRow[], words = (text: string) => `${TEXTS.refused}: ${text}`): DeskVerdict => {
  // what is not tried is neither good nor refused
  if (e instanceof Sentence) return { state: "unknown", words: e.message, signatures, notes: [] };
  const text = refusalWords(e);
  const at = isRefusal(e) && e.at >= 0 ? { at: e.at } : {};
  return { state: "bad", words: words(text), ...at, signatures, notes: [] };
};

function dataOf(main: Main, { keys, trust }: DeskPolicy): PageData {
  const { kinds, slots } = kindsOf(main);
  return {
    file: main.name,
    made: "",
    keys: keys.map(({ key, anchor }) => reportKey(key, anchor, undefined)),
    threshold: trust.threshold ?? 1,
    names: {},
    kinds: kinds.map(reportKind),
    slots,
  };
}

const isBy = ({ alg: id, message, signature }: CoseSignature, key: PublicKey, { alg }: Pick<Anchor, "alg">) =>
  alg.ids.includes(id) && alg.verify(key.key, message, signature, {}) === true;

/** Every signature, and the open key that made it, or else the published test key. */
async function signatureRows(signatures: readonly CoseSignature[], keys: DeskPolicy["keys"]): Promise<SignatureRow[]> {
  const rows: SignatureRow[] = [];
  for (const one of signatures) {
    const { alg, kid } = one;
    const by = keys.find(({ key, anchor }) => isBy(one, key, anchor));
    const testKey = by ? undefined : await testKeyBehind(one);
    rows.push({
      alg: ALG_NAMES[alg] ?? String(alg),
      kid: kid ? toHex(kid) : "",
      ...(by && { by: by.name ?? toHex(thumbprint(by.key)) }),
      ...(testKey !== undefined && { testKey }),
    });
  }
  return rows;
}

/** The name of the published test key that made a signature. */
async function testKeyBehind(one: CoseSignature): Promise<string | undefined> {
  const name = keyAlgOf(one.alg);
  if (!name) return undefined;
  await loadAlg(name);
  return testKeys.find((test) => test.alg === name && testKeyForms(test).some((key) => isBy(one, key, anchorOf(key))))?.name;
}

function notesOf(desk: Desk, policy: DeskPolicy, verified: NonNullable<DeskVerdict["release"]>["verified"]): string[] {
  const outside = verified.payloads.filter(({ inside }) => !inside);
  const isOpen = ({ uri, digest }: (typeof outside)[number]) => desk.payloads.some((one) => one.uri === uri && one.digest === digest?.hex);
  return [
    ...(policy.list ? [TEXTS.trustKeys(trustName(policy.list.store), formatSequence(policy.list.store.sequence))] : []),
    ...(policy.list && !policy.list.pinned ? [TEXTS.trustNotPinned] : []),
    ...outside.map((payload) => (isOpen(payload) ? TEXTS.outsideGood : TEXTS.outside)(payload.uri)),
  ];
}
