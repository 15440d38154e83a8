import type { SequenceOverrides, SigningKey } from "@firmseal/keys";
import {
  keyFacts,
  keyWords,
  type PassphraseOptions,
  passphraseOptions,
  refuseTestKeys,
  signingLogPath,
  someOf,
  usage,
  visible,
  warnOfLonePartner,
  withSigners,
} from "@firmseal/keys";
import type { TrustOnFile } from "@firmseal/release";
import {
  type CoverOptions,
  type Input,
  type InputOptions,
  listsOf,
  makeDraft,
  outsideUris,
  readInput,
  recordSigning,
  review,
} from "@firmseal/release";
import { signedBy } from "@firmseal/signer";
import { formatSequence } from "@firmseal/verifier/tools";
import { checkOutput, deliver, writeOut } from "../../output.js";
import { json, say } from "../../show/ui.js";
import { adviceFor } from "../../target.js";
import { outputName } from "./create.js";

export interface SignOptions extends PassphraseOptions, InputOptions, SequenceOverrides, CoverOptions {
  /** Another place for the log of the keys. */
  log?: string;
  key: string[];
  out?: string;
  allowTestKey?: string[];
  target?: string;
  json?: boolean;
}

/** Signs an image, a description or an envelope. The output is opened with the public keys before the file appears. */
export async function sign(path: string, o: SignOptions): Promise<void> {
  const input = readInput(path, o);
  const out = o.out ?? (input.kind === "envelope" ? path : outputName(path));
  const lists = listsOf(o);
  await withSigners(o.key, passphraseOptions(o), (keys) => signWith(keys, input, out, o, lists));
}

async function signWith(
  signingKeys: readonly SigningKey[],
  input: Input,
  out: string,
  o: SignOptions,
  lists: TrustOnFile[],
): Promise<void> {
  const keys = signingKeys.map((key) => key.public);
  const own = signingKeys.flatMap((key) => key.file ?? []);
  const given = lists.map((list) => list.path);
  const files = [...own, ...given, ...signingKeys.map((key) => signingLogPath(key, o.log))];
  if (o.log !== undefined) checkOutput(o.log, "--log", [input.path, ...own, ...given], false);
  checkOutput(out, "--out", input.kind === "envelope" ? files : [input.path, ...files], true);
  if (o.imageOut === "-" && (o.json || out === "-")) throw usage("--image-out -: stdout is taken already", "name a file for the image");
  if (o.imageOut !== undefined) checkOutput(o.imageOut, "--image-out", [input.path, out, ...files], false);
  refuseTestKeys(keys, o.allowTestKey ?? []);
  warnOfLonePartner(own);
  const algs = keys.map((k) => k.alg);
  const advice = adviceFor(o.target, algs);

  const made = await makeDraft(input, o);
  // in the logs before any key has signed: an entry without a signature does no harm, a signature without an entry would
  const { draft, receipts } = await recordSigning("sign", signingKeys, { ...o, lists }, made.draft);
  const signing = signingKeys.map((key) => key.signer);
  const done = await signedBy(draft, signing);
  const manifest = await review(done, signing);
  const signed = done.bytes;
  const sequence = formatSequence(manifest.sequence);
  const signers = keys.map(keyFacts);
  const outside = outsideUris(manifest);
  if (made.read !== undefined) say(made.read);
  if (o.imageOut !== undefined && made.forFile) writeOut(o.imageOut, made.forFile);
  const member = deliver(out, signed, o.json);
  if (o.json)
    json({
      ok: true,
      code: 0,
      out,
      bytes: signed.length,
      sequence,
      signers,
      log: receipts,
      payloads: { inside: manifest.payloads.map((p) => p.uri), outside },
      ...(advice && { target: advice }),
      ...member,
    });
  else say(`${visible(out)}: sequence number ${sequence}, ${signed.length} bytes, signed by ${signers.map(keyWords).join(", ")}`);
  if (!o.json) for (const { path, entry } of receipts) say(`${visible(path)}: entry ${entry}`);
  if (!o.json && advice?.advice) say(advice.advice);
  if (!o.json && outside.length > 0) say(`not in the envelope, to be fetched by devices: ${someOf(outside.map(visible))}`);
}
