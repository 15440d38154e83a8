import type { SequenceOverrides, SigningKey } from "@firmseal/keys";
import {
  anchors,
  keyFacts,
  keyWords,
  type PassphraseOptions,
  passphraseOptions,
  placeOf,
  refuseTestKeys,
  someOf,
  usage,
  visible,
  warnOfLonePartner,
  withSigners,
} from "@firmseal/keys";
import type { TrustOnFile } from "@firmseal/release";
import {
  type CoverOptions,
  enterUse,
  type Input,
  type InputOptions,
  listsOf,
  make,
  outsideUris,
  readInput,
  review,
} from "@firmseal/release";
import { sign as signEnvelope } from "@firmseal/signer";
import { decimal } from "@firmseal/verifier/number";
import { checkOutput, deliver, writeOut } from "../../common/output.js";
import { adviceFor } from "../../common/target.js";
import { json, say } from "../../show/ui.js";
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

async function signWith(held: readonly SigningKey[], input: Input, out: string, o: SignOptions, lists: TrustOnFile[]): Promise<void> {
  const keys = held.map((key) => key.public);
  const own = held.flatMap((key) => key.file ?? []);
  const given = lists.map((list) => list.path);
  const files = [...own, ...given, ...held.map((key) => placeOf(key, o.log))];
  if (o.log !== undefined) checkOutput(o.log, "--log", [input.path, ...own, ...given], false);
  checkOutput(out, "--out", input.kind === "envelope" ? files : [input.path, ...files], true);
  if (o.imageOut === "-" && (o.json || out === "-")) throw usage("--image-out -: stdout is taken already", "name a file for the image");
  if (o.imageOut !== undefined) checkOutput(o.imageOut, "--image-out", [input.path, out, ...files], false);
  refuseTestKeys(keys, o.allowTestKey ?? []);
  warnOfLonePartner(own);
  const algs = keys.map((k) => k.alg);
  const advice = adviceFor(o.target, algs);

  const made = await make(input, o);
  // in the logs before any key has signed: an entry without a signature does no harm, a signature without an entry would
  const { envelope, receipts } = await enterUse("sign", held, { ...o, lists }, made.envelope);
  const signed = await signEnvelope(
    envelope,
    held.map((key) => key.signer),
  );
  const manifest = await review(signed, { anchors: anchors(keys), need: keys.length });
  const sequence = decimal(manifest.sequence);
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
