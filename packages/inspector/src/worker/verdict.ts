// What the open files say together: whether the release is good under the open keys or the open trust file.

import { type OnProgress, type PageData, refusalWords, verifyReport } from "@firmseal/report/page";
import {
  acceptTrust,
  anchorOf,
  decodeTrust,
  keyOfAnchor,
  loadAlg,
  type PublicKey,
  ROLES,
  roleNames,
  testKeyName,
  thumbprint,
  toHex,
  trustName,
} from "@firmseal/signer";
import {
  type Anchor,
  anchor,
  errors,
  type Identity,
  open,
  policyOf,
  type Trust,
  type TrustAnchor,
  type TrustStore,
} from "@firmseal/verifier";
import { ALG_NAMES, type CoseSignature, formatSequence, isRefusal, ROLE_RELEASE, throwRefusal } from "@firmseal/verifier/tools";
import type { DeskVerdict, DeviceSettings, SignatureRow } from "../protocol.js";
import { TEXTS } from "../texts.js";
import type { Desk, Main } from "./desk.js";
import { bytesOfHex } from "./keys.js";
import { kindsOf, pageInterpreter } from "./release.js";
import { Sentence } from "./sentence.js";

/** The verifier, with every key that tools have. */
const device = () => ({ ...{ open, anchor, errors }, ...pageInterpreter() });

/** Who is trusted, and the keys in the order of the anchors. `pinned`: whether a person has opened keys for it. */
export interface DeskPolicy {
  trust: Trust;
  keys: { key: PublicKey; anchor: Anchor; name?: string }[];
  list?: TrustList;
}

/** The open trust file. `before`: the one before, if it is open too. */
interface TrustList {
  store: TrustStore;
  pinned: boolean;
  before?: TrustStore;
}

const base64 = (bytes: ArrayLike<number>) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));

/** A trust file, verified with these roots, or with its own. Throws refusals. */
function acceptedTrust({ bytes }: Main, roots: TrustStore | Trust | undefined): TrustStore {
  const own = decodeTrust(bytes);
  // a device would call it damaged CBOR
  if (own.signatures.length === 0) throwRefusal(errors.TRUST_SIGNERS, -1);
  return acceptTrust(bytes, roots ?? own.store);
}

/** The trust file, verified with the open keys as its roots, or with its own, and the one before it first. Throws refusals. */
function trustList({ trust, before: first, keys }: Desk): TrustList | undefined {
  if (!trust) return undefined;
  const pinned = keys.length > 0;
  const roots = pinned ? { anchors: keys.map(({ key }) => anchorOf(key)), threshold: keys.length } : undefined;
  if (!first) return { store: acceptedTrust(trust, roots), pinned };
  const before = acceptedTrust(first, roots);
  return { store: acceptedTrust(trust, before), pinned, before };
}

function identityOf(device: DeviceSettings | undefined, main: Main): Identity {
  if (device) return { vendor: [bytesOfHex(device.vendor)], class: [bytesOfHex(device.class)] };
  const [first] = kindsOf(main).kinds;
  return { vendor: first?.identity.vendor ?? [], class: first?.identity.class ?? [] };
}

/** Who must have signed the release. Undefined: neither keys nor a trust file are open. Throws refusals and Sentence. */
export async function policyFor(desk: Desk, threshold: number, device: DeviceSettings | undefined): Promise<DeskPolicy | undefined> {
  for (const { key } of desk.keys) await loadAlg(key.alg);
  const list = trustList(desk);
  if (list && !desk.envelope) return { trust: { anchors: [] }, keys: [], list };
  if (list && desk.envelope) {
    const trust = policyOf(list.store, ROLE_RELEASE, identityOf(device, desk.envelope));
    const keys = trust.anchors.flatMap((one) => {
      const key = keyOfAnchor(one as TrustAnchor);
      return key ? [{ key, anchor: one }] : [];
    });
    return { trust: { ...trust, anchors: keys.map((one) => one.anchor) }, keys, list };
  }
  if (desk.keys.length === 0) return undefined;
  const keys = desk.keys.map(({ key, name }) => ({ key, name, anchor: anchorOf(key) }));
  return { trust: { anchors: keys.map((one) => one.anchor), threshold }, keys };
}

function dataOf(main: Main, { keys, trust, list }: DeskPolicy): PageData {
  const { kinds, slots } = kindsOf(main);
  const part = (name: string, bytes: ArrayLike<number> | undefined) => (bytes && bytes.length > 0 ? { [name]: base64(bytes) } : {});
  const number = (limit: Anchor["since"]) => limit && ([limit[0], limit[1]] as [number, number]);
  return {
    file: main.name,
    made: "",
    keys: keys.map(({ key, name, anchor: { since, until } }) => ({
      alg: key.alg,
      key: base64(key.key),
      ...(key.kid && { kid: base64(key.kid) }),
      ...(since && { since: number(since) as [number, number] }),
      ...(until && { until: number(until) as [number, number] }),
      ...(name !== undefined && { name }),
    })),
    threshold: trust.threshold ?? 1,
    ...(list && { trust: { name: trustName(list.store), sequence: formatSequence(list.store.sequence), role: "release" } }),
    names: {},
    kinds: kinds.map(({ identity, slot, there }) => ({
      ...part("vendor", identity.vendor[0]),
      ...part("class", identity.class[0]),
      ...part("device", identity.device?.[0]),
      slot,
      has: there,
    })),
    slots,
  };
}

/** Every signature, and the open key that made it. */
function signatureRows(claims: readonly CoseSignature[], keys: DeskPolicy["keys"]): SignatureRow[] {
  return claims.map((claim) => {
    const by = keys.find(
      ({ key, anchor: { alg } }) => alg.ids.includes(claim.alg) && alg.verify(key.key, claim.message, claim.signature, {}),
    );
    return {
      alg: ALG_NAMES[claim.alg] ?? String(claim.alg),
      kid: claim.kid ? toHex(claim.kid) : "",
      ...(by && { by: by.name ?? toHex(thumbprint(by.key)) }),
    };
  });
}

function trustFacts(store: TrustStore): NonNullable<DeskVerdict["trust"]> {
  const limit = (name: string, value: string | undefined) => (value === undefined ? [] : [`${name} ${value}`]);
  return {
    name: trustName(store),
    sequence: formatSequence(store.sequence),
    thresholds: Object.entries(ROLES)
      .flatMap(([name, role]) => (store.thresholds[role] ? [`${name} ${store.thresholds[role]}`] : []))
      .join(", "),
    keys: store.anchors.map((one) => {
      const key = keyOfAnchor(one);
      return {
        roles: roleNames(one).join(", "),
        alg: key?.alg ?? String(one.cose),
        thumbprint: key ? toHex(thumbprint(key)) : "",
        limits: [
          ...limit("vendor", one.vendor && toHex(one.vendor)),
          ...limit("class", one.class && toHex(one.class)),
          ...limit("since", one.since && formatSequence(one.since)),
          ...limit("until", one.until && formatSequence(one.until)),
        ].join(", "),
      };
    }),
  };
}

type KeyFacts = ReturnType<typeof trustFacts>["keys"][number];

/** What changes from one trust file to the next, line by line. */
function trustChanges(before: TrustStore, after: TrustStore): string[] {
  const [was, is] = [trustFacts(before), trustFacts(after)];
  const nameOf = ({ alg, thumbprint: hex }: KeyFacts) => `${alg} ${hex.slice(0, 16)}…`;
  const same = (a: KeyFacts) => (b: KeyFacts) => a.alg === b.alg && a.thumbprint === b.thumbprint;
  const wordsOf = ({ roles, limits }: KeyFacts) => `${roles}${limits === "" ? "" : `, ${limits}`}`;
  const lines = [
    ...is.keys.flatMap((key) => (was.keys.some(same(key)) ? [] : [TEXTS.trustAdded(`${nameOf(key)}, ${wordsOf(key)}`)])),
    ...was.keys.flatMap((key) => (is.keys.some(same(key)) ? [] : [TEXTS.trustGone(`${nameOf(key)}, ${wordsOf(key)}`)])),
    ...is.keys.flatMap((key) => {
      const old = was.keys.find(same(key));
      return old && wordsOf(old) !== wordsOf(key) ? [TEXTS.trustChanged(nameOf(key), wordsOf(old), wordsOf(key))] : [];
    }),
    ...(was.thresholds === is.thresholds ? [] : [TEXTS.trustThresholds(was.thresholds, is.thresholds)]),
  ];
  return lines.length === 0 ? [TEXTS.trustSame] : lines;
}

/** The trust file alone, with what changes from the one before. */
function trustVerdict(list: TrustList, keys: DeskPolicy["keys"], claims: readonly CoseSignature[]): DeskVerdict {
  const { store, before } = list;
  const number = before && formatSequence(before.sequence);
  const changes = before && number !== undefined ? { changes: { number, lines: trustChanges(before, store) } } : {};
  const facts = { trust: { ...trustFacts(store), ...changes }, signatures: signatureRows(claims, keys), notes: [] };
  if (before && number !== undefined)
    return list.pinned
      ? { state: "good", words: TEXTS.trustFollowsGood(number), ...facts }
      : { state: "unknown", words: `${TEXTS.trustFollows(trustName(before), number)}. ${TEXTS.trustOwn}`, ...facts };
  return list.pinned ? { state: "good", words: TEXTS.trustGood, ...facts } : { state: "unknown", words: TEXTS.trustOwn, ...facts };
}

function notesOf(desk: Desk, policy: DeskPolicy, verified: NonNullable<DeskVerdict["release"]>["verified"]): string[] {
  const tests = policy.keys.flatMap(({ key }, i) => (verified.signed[i] ? (testKeyName(key) ?? []) : []));
  const outside = verified.payloads.filter(({ inside }) => !inside);
  const isOpen = ({ uri, digest }: (typeof outside)[number]) => desk.payloads.some((one) => one.uri === uri && one.digest === digest?.hex);
  return [
    ...tests.map((name) => TEXTS.isTestKey(name)),
    ...(policy.list && !policy.list.pinned ? [TEXTS.trustNotPinned] : []),
    ...outside.map((payload) => (isOpen(payload) ? TEXTS.outsideGood : TEXTS.outside)(payload.uri)),
  ];
}

const refused = (e: unknown, signatures: SignatureRow[], words = (text: string) => `${TEXTS.refused}: ${text}`): DeskVerdict => {
  // what is not tried is neither good nor refused
  if (e instanceof Sentence) return { state: "unknown", words: e.message, signatures, notes: [] };
  const text = refusalWords(e);
  const at = isRefusal(e) && e.at >= 0 ? { at: e.at } : {};
  return { state: "bad", words: words(text), ...at, signatures, notes: [] };
};

async function releaseVerdict(desk: Desk, main: Main, policy: DeskPolicy | undefined, progress: OnProgress): Promise<DeskVerdict> {
  const signatures = signatureRows(main.outline?.signatures ?? [], policy?.keys ?? []);
  if (!policy) {
    if (main.fault) return refused(main.fault, signatures);
    return { state: "unknown", words: signatures.length === 0 ? TEXTS.unsigned : TEXTS.noKeyYet, signatures, notes: [] };
  }
  try {
    // with the keys first: a damaged file is refused as on a device, whatever a tool can still read of it
    open(main.bytes, policy.trust);
    const data = dataOf(main, policy);
    const verified = await verifyReport(device(), policy.trust, data, main.bytes, progress);
    const release = { data, verified, length: main.bytes.length };
    return { state: "good", words: "", signatures, release, notes: notesOf(desk, policy, verified) };
  } catch (e) {
    return refused(e, signatures);
  }
}

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
  const roots = desk.keys.map(({ key, name }) => ({ key, name, anchor: anchorOf(key) }));
  const own = [...list.store.anchors, ...(list.before?.anchors ?? [])].flatMap((one) => {
    const key = keyOfAnchor(one);
    return key ? [{ key, anchor: anchorOf(key) }] : [];
  });
  return trustVerdict(list, [...roots, ...own], decodeTrust(desk.trust.bytes).signatures);
}
