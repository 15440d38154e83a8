// Signs a file in the format of another tool: the signature is a file beside it.

import { type ClockOverride, keyFacts } from "@firmseal/keys";
import { logBeside, type PassphraseOptions, passphraseOptions, STDIO, usage } from "@firmseal/keys/internal";
import { signFile } from "@firmseal/release";
import { productLog, refusedFormat } from "@firmseal/release/internal";
import { missingOption } from "../options.js";
import { checkLog, checkNewOutput, checkOutput, deliver } from "../output.js";
import { productAsked } from "../release/product-names.js";
import { NOT_OF_ENVELOPES, refuseEnvelopeOptions } from "./read.js";

/** Options of sign that count for a signature file. */
export interface SignForeignOptions extends PassphraseOptions, ClockOverride {
  readonly format: string;
  readonly key?: readonly string[];
  readonly out?: string;
  readonly product?: string;
  readonly log?: string;
  readonly namespace?: string;
  readonly comment?: string;
  readonly trustedComment?: string;
  readonly publicKey?: string;
  readonly allowTestKey?: readonly string[];
  readonly json?: boolean;
}

/** The same, by their names. */
const TAKEN: { readonly [name in keyof SignForeignOptions]-?: true } = {
  ...{
    format: true,
    key: true,
    out: true,
    product: true,
    log: true,
    namespace: true,
    comment: true,
    trustedComment: true,
    publicKey: true,
  },
  ...{ allowTestKey: true, allowClock: true, passphraseEnv: true, passphraseFd: true, json: true },
};

/** The name of the signature file, beside the file. stdin goes to stdout. */
const signatureName = (path: string, format: string): string =>
  path === STDIO ? STDIO : `${path}.${format === "minisign" ? "minisig" : "sig"}`;

/** Writes the signature file of a file. The members are those of an envelope. */
export async function signForeign(path: string | undefined, o: SignForeignOptions) {
  if (path === undefined) throw usage("argument 'input' is missing", "name the file to sign");
  refuseEnvelopeOptions(`--format ${o.format} signs a file`, o, Object.keys(TAKEN));
  const [ref, ...others] = o.key ?? [];
  if (ref === undefined) throw missingOption("-k, --key <key>");
  if (others.length > 0)
    throw usage("a signature file has one signature, and several keys are given", "sign once for each key, with --out");
  const out = o.out ?? signatureName(path, o.format);
  // the log may not exist yet
  const log = o.log ?? logBeside(ref) ?? [];
  checkOutput(out, "--out", [path, ref].concat(log, o.publicKey ?? []));
  checkNewOutput(out, "--out");
  if (o.log !== undefined) checkLog(o.log, [path, ref, out]);
  const product = await productAsked(o.product);
  const { file, key, receipts } = await signFile(path, ref, {
    ...{ format: o.format, product, log: await productLog(product, o.log), passphrases: passphraseOptions(o) },
    ...(o.namespace !== undefined && { namespace: o.namespace }),
    ...(o.comment !== undefined && { comment: o.comment }),
    ...(o.trustedComment !== undefined && { trustedComment: o.trustedComment }),
    ...(o.publicKey !== undefined && { publicKey: o.publicKey }),
    ...(o.allowTestKey && { allowTestKey: o.allowTestKey }),
    ...(o.allowClock && { allowClock: o.allowClock }),
  }).catch((e) => {
    throw refusedFormat(path, e);
  });
  const member = deliver(out, file.bytes, o.json, { fresh: true });
  return {
    ...{ out, bytes: file.bytes.length, sequence: null, format: o.format, signers: [keyFacts(key)], log: receipts },
    ...NOT_OF_ENVELOPES,
    ...member,
  };
}
