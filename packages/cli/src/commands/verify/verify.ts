import { keyWords, someOf, visible } from "@firmseal/keys";
import {
  type Believed,
  believed,
  checkPayloads,
  identities,
  outsideUris,
  payloadFiles,
  readEnvelope,
  type TrustOptions,
  warnOfRefusal,
} from "@firmseal/release";
import { toHex } from "@firmseal/signer";
import { host } from "@firmseal/simulator";
import { type Anchor, type Identity, type Manifest, open, type Trust } from "@firmseal/verifier";
import { decodeEnvelope, formatSequence, MANIFEST_NAMES, parseSequence, rawKey } from "@firmseal/verifier/tools";
import { failureOf } from "../../show/failure-of.js";
import { json, say } from "../../show/ui.js";

export interface VerifyOptions extends TrustOptions {
  floor?: bigint;
  payload?: string[];
  json?: boolean;
}

/** By their raw keys, the first of each. */
function byKey(anchors: readonly Anchor[]): Map<string, Anchor> {
  const first = new Map<string, Anchor>();
  for (const a of anchors) {
    const key = toHex(rawKey(a.key));
    if (!first.has(key)) first.set(key, a);
  }
  return first;
}

/**
 * The manifest, believed by all of `anchors` that have signed and count, each once. open() stops at the number that is needed, and a person wants to know
 * all: a limit, here one that limits nothing, makes it look at every signature.
 */
function believedByAll(envelope: Parameters<typeof open>[0], anchors: readonly Anchor[]): Manifest {
  return open(envelope, { anchors: [...byKey(anchors).values()].map((a): Anchor => ({ since: [0, 0], ...a })) }, host);
}

/** Verifies an envelope against trusted keys, and the payloads that are in it or given. */
export async function verify(path: string, o: VerifyOptions): Promise<void> {
  const whom = await believed(o);
  try {
    await verifyWith(whom, path, o);
  } catch (e) {
    const failure = failureOf(e);
    failure.facts = { testKeys: whom.testKeys };
    throw failure;
  }
}

/** Those that differ: each costs a verification of every signature, and most kinds of device believe the same keys. */
function distinct(policies: readonly Trust[]): Trust[] {
  const positions = new Map<Anchor, number>();
  const numberOf = (a: Anchor) => positions.get(a) ?? positions.set(a, positions.size).size - 1;
  return [...new Map(policies.map((policy) => [`${policy.threshold} ${policy.anchors.map(numberOf).join(" ")}`, policy])).values()];
}

/** Every kind of device that the manifest names, where it depends on that who is believed. Where it names none, keys with a scope do not count. */
function devices(envelope: Uint8Array, whom: Believed): Identity[] {
  if (!whom.scoped) return [{ vendor: [], class: [] }];
  return identities(decodeEnvelope(envelope).manifest);
}

async function verifyWith(whom: Believed, path: string, o: VerifyOptions): Promise<void> {
  const { testKeys, trust } = whom;
  const envelope = readEnvelope(path);
  // each kind of device has to believe it: a key for one class must not sign for another
  const policies = distinct(devices(envelope, whom).map((device) => whom.policy(device)));
  const floor = o.floor === undefined ? {} : { floor: parseSequence(String(o.floor)) };
  const [manifest] = policies.map((policy) => open(envelope, { ...policy, ...floor }, host)) as [Manifest];
  // open() passes over the text, which no device needs; whoever verifies a release wants all of it to be sound
  decodeEnvelope(envelope);
  const files = payloadFiles(manifest, o.payload ?? []);
  await checkPayloads(manifest, files);
  const anchors = policies.flatMap((policy) => policy.anchors);
  const all = believedByAll(envelope, anchors);
  // each kind of device counts the keys that are trusted for it
  warnOfRefusal({ ...all, threshold: manifest.threshold });
  const sequence = formatSequence(manifest.sequence);
  const listed = byKey(anchors);
  const signers = [...byKey(all.believed).keys()].map((key) => whom.facts(listed.get(key) as Anchor));
  const unchecked = outsideUris(manifest).filter((uri) => !files.has(uri));
  const absent = manifest.absent.map((key) => MANIFEST_NAMES[key]);
  if (o.json) {
    json({
      ok: true,
      code: 0,
      reason: "OK",
      sequence,
      signers,
      testKeys,
      ...(trust && { trust }),
      payloadsChecked: [...manifest.payloads.map((p) => p.uri), ...files.keys()],
      payloadsNotChecked: unchecked,
      severedAbsent: absent,
    });
    return;
  }
  say(
    `${visible(path)}: good, sequence number ${sequence}, signed by ${signers.map((s) => `${keyWords(s)}${s.roles ? ` (${s.roles.join(", ")})` : ""}`).join(", ")}`,
  );
  if (unchecked.length > 0) say(`not looked at: ${someOf(unchecked.map(visible))} (give it with --payload FILE)`);
  if (absent.length > 0) say(`severed and not at hand: ${absent.join(", ")}`);
}
