// The verdict on a trust file alone: the keys that it trusts, and what changes from the previous one.

import { keyOfAnchor, ROLES, roleNames, thumbprint, trustName } from "@firmseal/signer";
import type { TrustStore } from "@firmseal/verifier";
import { formatSequence, toHex } from "@firmseal/verifier/tools";
import type { DeskVerdict, SignatureRow } from "../../protocol.js";
import { TEXTS } from "../../texts.js";
import type { TrustList } from "./policy.js";

/** The trust file alone, with what changes from the previous one. */
export function trustVerdict(list: TrustList, signatures: SignatureRow[]): DeskVerdict {
  const { store, before } = list;
  const number = before && formatSequence(before.sequence);
  const changes = before && number !== undefined ? { changes: { number, lines: trustChanges(before, store) } } : {};
  const facts = { trust: { ...trustFacts(store), ...changes }, signatures, notes: [] };
  if (before && number !== undefined)
    return list.pinned
      ? { state: "good", words: TEXTS.trustFollowsGood(number), ...facts }
      : { state: "unknown", words: `${TEXTS.trustFollows(trustName(before), number)}. ${TEXTS.trustOwn}`, ...facts };
  return list.pinned ? { state: "good", words: TEXTS.trustGood, ...facts } : { state: "unknown", words: TEXTS.trustOwn, ...facts };
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
