import { keyWords, someOf } from "@firmseal/keys";
import {
  checkForMicro,
  checkPayloads,
  identities,
  outsideUris,
  payloadFiles,
  readEnvelopeFile,
  type TrustedKeys,
  type TrustOptions,
  trustedKeys,
  warnOfRefusal,
  withNumbers,
} from "@firmseal/release";
import { toHex } from "@firmseal/signer";
import { nodeHost } from "@firmseal/simulator";
import { type Anchor, type Identity, type Manifest, open, type Trust } from "@firmseal/verifier";
import { decodeEnvelope, formatSequence, MANIFEST_NAMES, parseSequence, rawKey } from "@firmseal/verifier/tools";
import { commandArgument, define, option } from "../../command.js";
import { forVerifier, passphrases, payload, sequenceNumber, threshold, trusted } from "../../common/options.js";
import { membersOf, SIGNER, TEST_KEYS, TRUST_SHAPE } from "../../common/shapes.js";
import { failureOf } from "../../show/failure-of.js";

export interface VerifyOptions extends TrustOptions {
  floor?: bigint;
  payload?: string[];
  for?: "micro";
  json?: boolean;
}

/** The first anchor of each raw key. */
function anchorsByKey(anchors: readonly Anchor[]): Map<string, Anchor> {
  const first = new Map<string, Anchor>();
  for (const a of anchors) {
    const key = toHex(rawKey(a.key));
    if (!first.has(key)) first.set(key, a);
  }
  return first;
}

/**
 * The manifest, with all of `anchors` that have signed and count, each once. open() stops at the threshold, and people want to know all
 * signers: a limit, here one that limits nothing, makes it check every signature.
 */
function trustedByAll(envelope: Parameters<typeof open>[0], anchors: readonly Anchor[]): Manifest {
  return open(envelope, { anchors: [...anchorsByKey(anchors).values()].map((a): Anchor => ({ since: [0, 0], ...a })) }, nodeHost);
}

/** Verifies an envelope against trusted keys, and the payloads that are in it or given. */
export async function verifyEnvelope(path: string, o: VerifyOptions) {
  const whom = await trustedKeys(o);
  try {
    return await verifyWith(whom, path, o);
  } catch (e) {
    const failure = failureOf(e);
    failure.facts = { testKeys: whom.testKeys };
    throw failure;
  }
}

/** The policies that differ: each costs a verification of every signature, and most kinds of device trust the same keys. */
function distinctPolicies(policies: readonly Trust[]): Trust[] {
  const positions = new Map<Anchor, number>();
  const numberOf = (a: Anchor) => positions.get(a) ?? positions.set(a, positions.size).size - 1;
  return [...new Map(policies.map((policy) => [`${policy.threshold} ${policy.anchors.map(numberOf).join(" ")}`, policy])).values()];
}

/** Every kind of device that the manifest names, if the trusted keys depend on it. If it names none, keys with a scope do not count. */
function devices(envelope: Uint8Array, whom: TrustedKeys): Identity[] {
  if (!whom.scoped) return [{ vendor: [], class: [] }];
  return identities(decodeEnvelope(envelope).manifest);
}

async function verifyWith(whom: TrustedKeys, path: string, o: VerifyOptions) {
  const { testKeys, trust } = whom;
  const envelope = readEnvelopeFile(path);
  // each kind of device must accept it: a key for one class must not sign for another
  const policies = distinctPolicies(devices(envelope, whom).map((device) => whom.policy(device)));
  const floor = o.floor === undefined ? {} : { floor: parseSequence(String(o.floor)) };
  let manifest: Manifest;
  try {
    [manifest] = policies.map((policy) => open(envelope, { ...policy, ...floor }, nodeHost)) as [Manifest];
  } catch (e) {
    throw withNumbers(e, envelope, String(o.floor));
  }
  // open() skips the text, which no device needs; who verifies a release wants all of it to be sound
  decodeEnvelope(envelope);
  if (o.for) checkForMicro(envelope);
  const files = payloadFiles(manifest, o.payload ?? []);
  await checkPayloads(manifest, files);
  const anchors = policies.flatMap((policy) => policy.anchors);
  const all = trustedByAll(envelope, anchors);
  // each kind of device counts the keys that are trusted for it
  warnOfRefusal({ ...all, threshold: manifest.threshold });
  const sequence = formatSequence(manifest.sequence);
  const listed = anchorsByKey(anchors);
  const signers = [...anchorsByKey(all.believed).keys()].map((key) => whom.facts(listed.get(key) as Anchor));
  const unchecked = outsideUris(manifest).filter((uri) => !files.has(uri));
  const absent = manifest.absent.map((key) => MANIFEST_NAMES[key] as string);
  return {
    sequence,
    signers,
    testKeys,
    ...(trust && { trust }),
    payloadsChecked: [...manifest.payloads.map((p) => p.uri), ...files.keys()],
    payloadsNotChecked: unchecked,
    severedAbsent: absent,
  };
}

export default define({
  name: "verify",
  summary: "verify an envelope and its payloads",
  arguments: [commandArgument("<envelope>", "envelope, or - for stdin")],
  options: () => [
    ...trusted(),
    threshold(),
    option("--floor <n>", "refuse lower sequence numbers", { parse: sequenceNumber }),
    payload(),
    forVerifier(),
    ...passphrases(),
  ],
  examples: [
    ["firmseal verify fw.suit --key release.jwk", "with the public key of the signer"],
    ["firmseal verify fw.suit --trust fleet.trust --root root.jwk", "with a trust file"],
    [
      "firmseal verify fw.suit --key release.jwk --payload fw.bin --floor 7",
      "with a payload outside the envelope, and sequence number 7 or higher",
    ],
  ],
  json: {
    sequence: ["string", "sequence number"],
    signers: ["object[]", "trusted keys that signed"],
    ...membersOf("signers[]", SIGNER),
    ...TEST_KEYS,
    ...TRUST_SHAPE,
    payloadsChecked: ["string[]", "URIs of the payloads that match their digests"],
    payloadsNotChecked: ["string[]", "URIs of the payloads that were not given"],
    severedAbsent: ["string[]", "severed elements that are not in the envelope"],
  },
  failure: { sequence: null, signers: [], testKeys: [] },
  run: verifyEnvelope,
  words: (f, path) => [
    `${path}: good, sequence number ${f.sequence}, signed by ${f.signers.map((s) => `${keyWords(s)}${s.roles ? ` (${s.roles.join(", ")})` : ""}`).join(", ")}`,
    ...(f.payloadsNotChecked.length > 0 ? [`payload not checked: ${someOf(f.payloadsNotChecked)} (give it with --payload FILE)`] : []),
    ...(f.severedAbsent.length > 0 ? [`severed, not in the envelope: ${f.severedAbsent.join(", ")}`] : []),
  ],
});
