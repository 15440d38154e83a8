import type { SigningKey } from "@firmseal/keys";
import {
  Failure,
  keyFacts,
  notice,
  passphraseOptions,
  refuseTestKeys,
  signingLogPath,
  usage,
  warn,
  warnOfLonePartner,
  withSigners,
} from "@firmseal/keys";
import {
  big,
  identityOf,
  isRefusal,
  keySet,
  keysInRole,
  makeDraft,
  nameFile,
  only,
  outsideUris,
  type PreparedInput,
  plan,
  readFleet,
  readInput,
  readTrustFile,
  recordSigning,
  refusalMeaning,
  refusalName,
  releaseFacts,
  reviewSigned,
  type TrustOnFile,
} from "@firmseal/release";
import { draftOf, type EnvelopeDraft, equalBytes, type PublicKey, bridge as recipe, signedBy } from "@firmseal/signer";
import { nodeHost } from "@firmseal/simulator";
import { errors, type Identity, open, policyOf, trustFileUnchecked } from "@firmseal/verifier";
import { formatSequence, ROLE_RELEASE } from "@firmseal/verifier/tools";
import { commandArgument, define, option } from "../../command.js";
import { cohortFacts, refuseStranded, warnOfRest } from "../../common/cohorts.js";
import {
  allowRootKey,
  allowStranded,
  allowTestKey,
  imageInputOptions as imageOptions,
  keys as keyOption,
  passphrases,
  sequenceChecks,
} from "../../common/options.js";
import { checkOutput, deliver, writeOut } from "../../common/output.js";
import { COHORTS, KEY, membersOf, OUT, optional, PAYLOADS, RECEIPTS } from "../../common/shapes.js";
import { outsideWords, receiptWords } from "../../common/words.js";
import type { SignOptions } from "../sign/sign.js";

export interface BridgeOptions extends SignOptions {
  trust: string;
  next: string;
  out: string;
  fleet?: string;
  allowStranded?: string[];
}

const HINT = "give --key for as many release keys of both trust files as they need";

/** Checks before a key is used: enough keys are release keys of the trust file and count for this sequence number. */
function checkKeys({ sequence }: EnvelopeDraft, keys: readonly PublicKey[], { path, store }: TrustOnFile, identity: Identity): void {
  const signing = only(keysInRole(store, ROLE_RELEASE, identity), keySet(keys));
  const n = signing.filter((h) => h.from <= sequence && sequence <= h.until).length;
  const threshold = store.thresholds[ROLE_RELEASE] as number;
  if (n < threshold)
    throw new Failure(
      1,
      "SIGNATURE_THRESHOLD",
      errors.SIGNATURE_THRESHOLD,
      `a device with ${path} would refuse the bridge: ${n} of its release keys would have signed, and it needs ${threshold}`,
      HINT,
    );
}

/** Opens the bridge as the devices of one trust file do. */
function openUnder(envelope: Uint8Array, { path, store }: TrustOnFile, identity: Identity): void {
  try {
    open(envelope, policyOf(store, ROLE_RELEASE, identity), nodeHost);
  } catch (e) {
    if (!isRefusal(e)) throw e;
    throw new Failure(1, refusalName(e.code), e.code, `a device with ${path} would refuse the bridge: ${refusalMeaning(e.code)}`, HINT, {
      cause: e,
    });
  }
}

function checkSuccession(old: TrustOnFile, next: TrustOnFile): void {
  // a release may carry today's trust file, for devices that missed the bridge
  if (equalBytes(old.store.payload, next.store.payload)) return;
  try {
    trustFileUnchecked(next.bytes, old.store, nodeHost);
  } catch (e) {
    throw nameFile(next.path, e);
  }
}

/** The envelope to sign: the trust file with an image, or alone. */
async function prepared(image: string | undefined, o: BridgeOptions, trust: Uint8Array): Promise<PreparedInput> {
  if (image === undefined) {
    const { sequence, ...device } = releaseFacts(o);
    return { draft: (next) => draftOf(recipe({ sequence: sequence(next), ...device, trust })) };
  }
  const input = readInput(image, o);
  if (input.kind !== "image") throw usage(`${image}: is not an image`, "make a bridge from an image, or without one");
  return makeDraft(input, o, ({ sequence, vendor, class: name, ...rest }) => recipe({ sequence, vendor, class: name, trust, image: rest }));
}

function checkOutputs(image: string | undefined, o: BridgeOptions, signingKeys: readonly SigningKey[]): void {
  const own = signingKeys.flatMap((key) => key.file ?? []);
  const inputs = [o.trust, o.next, ...[image, o.fleet].filter((path) => path !== undefined), ...own];
  if (o.log !== undefined) checkOutput(o.log, "--log", inputs, false);
  const files = [...inputs, ...signingKeys.map((key) => signingLogPath(key, o.log))];
  checkOutput(o.out, "--out", files, true);
  if (o.imageOut === "-" && (o.json || o.out === "-")) throw usage("--image-out -: stdout is used already", "name a file for the image");
  if (o.imageOut !== undefined) checkOutput(o.imageOut, "--image-out", [...files, o.out], false);
  warnOfLonePartner(own);
}

/** Makes and signs a bridge. Before the file appears, it is opened under both trust files and offered to the fleet. */
async function bridge(image: string | undefined, o: BridgeOptions) {
  if (o.allowStranded && o.fleet === undefined) throw usage("--allow-stranded needs a fleet", "name its file: --fleet fleet.json");
  const { vendor, class: name } = releaseFacts(o);
  const id = identityOf(vendor, name);
  const identity: Identity = { vendor: [id.vendor], class: [id.class] };
  const [old, after] = [readTrustFile(o.trust), readTrustFile(o.next)];
  const fleet = o.fleet === undefined ? undefined : await readFleet(o.fleet);
  checkSuccession(old, after);
  return withSigners(o.key, passphraseOptions(o), async (signingKeys) => {
    const keys = signingKeys.map((key) => key.public);
    checkOutputs(image, o, signingKeys);
    refuseTestKeys(keys, o.allowTestKey ?? []);
    const made = await prepared(image, o, after.bytes);
    const { draft: unsigned, receipts } = await recordSigning("rotate bridge", signingKeys, { ...o, lists: [old, after] }, (next) => {
      const draft = made.draft(next);
      for (const file of [old, after]) checkKeys(draft, keys, file, identity);
      return draft;
    });
    const signing = signingKeys.map((key) => key.signer);
    const done = await signedBy(unsigned, signing);
    const envelope = done.bytes;
    for (const file of [old, after]) openUnder(envelope, file, identity);
    const manifest = await reviewSigned(done, signing);
    const step = { name: o.out, envelope, sequence: big(manifest.sequence) };
    const results = fleet && plan(fleet, [step], { lost: new Set(), stolen: new Set() }, [old.store, after.store]);
    if (results) {
      warnOfRest(results);
      refuseStranded(results, o.allowStranded ?? []);
    }
    if (image === undefined) warn("the bridge has no image: a device that starts the image of its last envelope then has nothing to start");
    if (made.read !== undefined) notice(made.read);
    if (o.imageOut !== undefined && made.forFile) writeOut(o.imageOut, made.forFile);
    const member = deliver(o.out, envelope, o.json);
    return {
      out: o.out,
      bytes: envelope.length,
      sequence: formatSequence(manifest.sequence),
      trust: { before: formatSequence(old.store.sequence), after: formatSequence(after.store.sequence) },
      signers: keys.map(keyFacts),
      log: receipts,
      payloads: { inside: manifest.payloads.map((p) => p.uri), outside: outsideUris(manifest) },
      ...(results && cohortFacts(results, o.allowStranded ?? [])),
      ...member,
    };
  });
}

export default define({
  name: "rotate bridge",
  summary: "sign a release that moves devices to the next trust file",
  arguments: [commandArgument("[image]", "image (raw, Intel HEX, UF2, ELF), or - for stdin; devices that have it do not fetch it")],
  options: () => [
    option("--trust <file>", "trust file that the devices have", { required: true }),
    option("--next <file>", "trust file that the devices get", { required: true }),
    keyOption("release key, private"),
    ...passphrases(),
    option("-o, --out <file>", "output file, or - for stdout", { required: true }),
    ...imageOptions(),
    option("--fleet <file>", "the devices in the field: refuse to leave any behind"),
    allowStranded(),
    ...sequenceChecks(),
    allowRootKey(),
    allowTestKey(),
  ],
  examples: [
    [
      "firmseal rotate bridge fw.bin --trust fleet-1.trust --next fleet-2.trust --key old.pem --key new.pem --vendor example.com --class board-v2 --seq next --out bridge.suit",
      "with an image, signed by keys of both trust files",
    ],
    [
      "firmseal rotate bridge --trust fleet-1.trust --next fleet-2.trust --key old.pem --key new.pem --vendor example.com --class board-v2 --seq 8 --fleet fleet.json --out bridge.suit",
      "without an image; tells what becomes of the fleet",
    ],
  ],
  json: {
    ...OUT,
    sequence: ["string", "sequence number"],
    trust: ["object", "sequence numbers of the trust files"],
    ...membersOf("trust", { before: ["string", "the one that devices have"], after: ["string", "the one that they get"] }),
    signers: ["object[]", "keys that signed"],
    ...membersOf("signers[]", KEY),
    ...RECEIPTS,
    ...PAYLOADS,
    ...optional(COHORTS),
  },
  run: bridge,
  words: ({ trust, ...f }) => [
    `${f.out}: sequence number ${f.sequence}, with trust file ${trust.after}, ${f.bytes} bytes, good under it${trust.before === trust.after ? "" : ` and under ${trust.before}`}`,
    ...receiptWords(f.log),
    ...outsideWords(f.payloads.outside),
  ],
});
