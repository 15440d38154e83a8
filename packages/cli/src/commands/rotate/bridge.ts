// rotate bridge: a release that moves devices from one trust file to the next, signed by keys of both.

import type { SigningKey } from "@firmseal/keys";
import {
  anchors,
  Failure,
  keyFacts,
  passphraseOptions,
  placeOf,
  type Receipt,
  refuseTestKeys,
  someOf,
  usage,
  visible,
  warn,
  warnOfLonePartner,
  withSigners,
} from "@firmseal/keys";
import {
  about,
  big,
  type CohortResult,
  enterUse,
  holders,
  identityOf,
  isRefusal,
  keySet,
  type Made,
  make,
  meaningOf,
  nameOf,
  only,
  outsideUris,
  plan,
  readFleet,
  readInput,
  readTrustFile,
  releaseFacts,
  review,
  type TrustOnFile,
} from "@firmseal/release";
import { encode, type PublicKey, bridge as recipe, sign as signEnvelope } from "@firmseal/signer";
import { host } from "@firmseal/simulator";
import { errors, type Identity, type Manifest, open, policyOf, trustFile } from "@firmseal/verifier";
import { same } from "@firmseal/verifier/bytes";
import { decimal } from "@firmseal/verifier/number";
import { peek } from "@firmseal/verifier/peek";
import { ROLE_RELEASE } from "@firmseal/verifier/spec";
import { facts, refuseStranded, warnOfRest } from "../../common/cohorts.js";
import { checkOutput, deliver, inJson, writeOut } from "../../common/output.js";
import { json, say } from "../../show/ui.js";
import type { SignOptions } from "../sign/sign.js";

export interface BridgeOptions extends SignOptions {
  trust: string;
  next: string;
  out: string;
  fleet?: string;
  allowStranded?: string[];
}

const HINT = "both trust files must be met: give --key for as many release keys of each as it wants";

/** What can be told before a key is used: too few of these keys are release keys of a trust file, or count for this sequence number. */
function checkKeys(unsigned: Uint8Array, keys: readonly PublicKey[], { path, store }: TrustOnFile, identity: Identity): void {
  const sequence = big(peek(unsigned).structure.sequence);
  const signing = only(holders(store, ROLE_RELEASE, identity), keySet(keys));
  const n = signing.filter((h) => h.from <= sequence && sequence <= h.until).length;
  const need = store.thresholds[ROLE_RELEASE] as number;
  if (n < need)
    throw new Failure(
      1,
      "SIGNATURE_THRESHOLD",
      errors.SIGNATURE_THRESHOLD,
      `a device with ${path} would refuse the bridge: ${n} of its release keys would have signed, and it wants ${need}`,
      HINT,
    );
}

/** Opens the bridge as the devices of one trust file do. */
function openUnder(envelope: Uint8Array, { path, store }: TrustOnFile, identity: Identity): void {
  try {
    open(envelope, policyOf(store, ROLE_RELEASE, identity), host);
  } catch (e) {
    if (!isRefusal(e)) throw e;
    throw new Failure(1, nameOf(e.code), e.code, `a device with ${path} would refuse the bridge: ${meaningOf(e.code)}`, HINT, { cause: e });
  }
}

function checkSuccession(old: TrustOnFile, next: TrustOnFile): void {
  // a release that carries the trust file of its time, for devices that the bridge has not reached
  if (same(old.store.payload, next.store.payload)) return;
  try {
    trustFile(next.bytes, old.store, host);
  } catch (e) {
    throw about(next.path, e);
  }
}

/** The envelope to be signed: the trust file with an image, or alone. */
async function prepared(image: string | undefined, o: BridgeOptions, trust: Uint8Array): Promise<Made> {
  if (image === undefined) {
    const { sequence, ...device } = releaseFacts(o);
    return { envelope: (next) => encode(recipe({ sequence: sequence(next), ...device, trust })) };
  }
  const input = readInput(image, o);
  if (input.kind !== "image") throw usage(`${image}: is no image`, "a bridge is made from an image, or without one");
  return make(input, o, ({ sequence, vendor, class: name, ...rest }) => recipe({ sequence, vendor, class: name, trust, image: rest }));
}

function checkOutputs(image: string | undefined, o: BridgeOptions, held: readonly SigningKey[]): void {
  const own = held.flatMap((key) => key.file ?? []);
  const inputs = [o.trust, o.next, ...[image, o.fleet].filter((path) => path !== undefined), ...own];
  if (o.log !== undefined) checkOutput(o.log, "--log", inputs, false);
  const files = [...inputs, ...held.map((key) => placeOf(key, o.log))];
  checkOutput(o.out, "--out", files, true);
  if (o.imageOut === "-" && (o.json || o.out === "-")) throw usage("--image-out -: stdout is taken already", "name a file for the image");
  if (o.imageOut !== undefined) checkOutput(o.imageOut, "--image-out", [...files, o.out], false);
  warnOfLonePartner(own);
}

/** Makes and signs a bridge. It is opened under both trust files, and offered to the fleet, before the file appears. */
export async function bridge(image: string | undefined, o: BridgeOptions): Promise<void> {
  if (o.allowStranded && o.fleet === undefined) throw usage("--allow-stranded needs a fleet", "name its file: --fleet fleet.json");
  const { vendor, class: name } = releaseFacts(o);
  const id = identityOf(vendor, name);
  const identity: Identity = { vendor: [id.vendor], class: [id.class] };
  const [old, after] = [readTrustFile(o.trust), readTrustFile(o.next)];
  const fleet = o.fleet === undefined ? undefined : readFleet(o.fleet);
  checkSuccession(old, after);
  await withSigners(o.key, passphraseOptions(o), async (held) => {
    const keys = held.map((key) => key.public);
    checkOutputs(image, o, held);
    refuseTestKeys(keys, o.allowTestKey ?? []);
    const made = await prepared(image, o, after.bytes);
    const { envelope: unsigned, receipts } = await enterUse("rotate bridge", held, { ...o, lists: [old, after] }, (next) => {
      const envelope = made.envelope(next);
      for (const file of [old, after]) checkKeys(envelope, keys, file, identity);
      return envelope;
    });
    const envelope = await signEnvelope(
      unsigned,
      held.map((key) => key.signer),
    );
    for (const file of [old, after]) openUnder(envelope, file, identity);
    const manifest = await review(envelope, { anchors: anchors(keys), need: keys.length });
    const step = { name: o.out, envelope, sequence: big(manifest.sequence) };
    const results = fleet && plan(fleet, [step], { lost: new Set(), stolen: new Set() }, [old.store, after.store]);
    if (results) {
      warnOfRest(results);
      refuseStranded(results, o.allowStranded ?? []);
    }
    if (image === undefined)
      warn("the bridge holds no image: a device that starts its image by the envelope that it keeps has nothing to start after it");
    if (made.read !== undefined) say(made.read);
    if (o.imageOut !== undefined && made.forFile) writeOut(o.imageOut, made.forFile);
    deliver(o.out, envelope, o.json);
    told({ envelope, manifest, old, next: after, results, o, signers: keys.map(keyFacts), log: receipts });
  });
}

interface Told {
  envelope: Uint8Array;
  manifest: Manifest;
  old: TrustOnFile;
  next: TrustOnFile;
  results: readonly CohortResult[] | undefined;
  o: BridgeOptions;
  signers: readonly object[];
  log: readonly Receipt[];
}

function told({ envelope, manifest, old, next, results, o, signers, log }: Told): void {
  const outside = outsideUris(manifest);
  const sequence = decimal(manifest.sequence);
  const trust = { before: decimal(old.store.sequence), after: decimal(next.store.sequence) };
  if (o.json) {
    json({
      ok: true,
      code: 0,
      reason: "OK",
      out: o.out,
      bytes: envelope.length,
      sequence,
      trust,
      signers,
      log,
      payloads: { inside: manifest.payloads.map((p) => p.uri), outside },
      ...(results && facts(results, o.allowStranded ?? [])),
      ...inJson(o.out, envelope, o.json),
    });
    return;
  }
  say(
    `${visible(o.out)}: sequence number ${sequence}, with trust file ${trust.after}, ${envelope.length} bytes, good under it${trust.before === trust.after ? "" : ` and under ${trust.before}`}`,
  );
  for (const { path, entry } of log) say(`${visible(path)}: entry ${entry}`);
  if (outside.length > 0) say(`not in the envelope, to be fetched by devices: ${someOf(outside.map(visible))}`);
}
