// Signs an image for its boot loader: MCUboot, or Secure Boot v2 of ESP32.

import type { ImageOptions } from "@firmseal/formats";
import { type ClockOverride, keyFacts, type SequenceOverrides } from "@firmseal/keys";
import { isFile, logBeside, type PassphraseOptions, passphraseOptions, usage } from "@firmseal/keys/internal";
import { type Product, signImage } from "@firmseal/release";
import { boardsOf, builtBootImage, hasBootImage, productLog, refusedFormat, signedImageName, withImage } from "@firmseal/release/internal";
import { missingOption } from "../options.js";
import { checkLog, checkOutput, deliver } from "../output.js";
import { productAsked } from "../release/product-names.js";
import { NOT_OF_ENVELOPES, refuseEnvelopeOptions } from "./read.js";

/** Options of sign that count for an image. */
export interface SignBootOptions extends PassphraseOptions, ClockOverride, SequenceOverrides {
  readonly format: string;
  readonly key?: readonly string[];
  readonly out?: string;
  readonly replace?: boolean;
  readonly product?: string;
  readonly board?: string;
  readonly vendor?: string;
  readonly class?: string;
  readonly log?: string;
  readonly version?: string;
  readonly seq?: bigint | "next";
  readonly headerSize?: number;
  readonly padHeader?: boolean;
  readonly slotSize?: number;
  readonly align?: number;
  readonly pad?: string;
  readonly add?: boolean;
  readonly allowTestKey?: readonly string[];
  readonly json?: boolean;
}

/** The same, by their names. */
const TAKEN: { readonly [name in keyof SignBootOptions]-?: true } = {
  ...{ format: true, key: true, out: true, replace: true, product: true, board: true, vendor: true, class: true, log: true },
  ...{ version: true, seq: true, headerSize: true, padHeader: true, slotSize: true, align: true, pad: true, add: true },
  ...{ allowLowerSequence: true, allowSequenceReuse: true, allowSequenceJump: true, allowTestKey: true, allowClock: true },
  ...{ passphraseEnv: true, passphraseFd: true, json: true },
};

/** The devices, for the log. */
function devicesOf(product: Product | undefined, o: SignBootOptions): { vendor: string; class: string | readonly string[] } {
  const { board, vendor, class: name } = o;
  if (board !== undefined && (vendor !== undefined || name !== undefined))
    throw usage("`board` names vendor and class, and `vendor` or `class` is given too", "give one of the two");
  if (board !== undefined) {
    if (!product)
      throw usage(
        "`board` is a board of the product file, and there is none here",
        "name it: `product` FILE; or give `vendor` and `class`",
      );
    const [one] = boardsOf(product, [board]) as [Product["boards"][number]];
    return { vendor: product.vendor, class: one.classes };
  }
  if (vendor === undefined || name === undefined)
    throw usage(
      "an image needs `vendor` and `class`: the log counts by them",
      "for example: `vendor` example.com `class` board-v2; or `board` NAME",
    );
  return { vendor, class: name };
}

/** What an image says that is made from a binary; undefined if no option says any of it: then the input is an image. */
function imageOptions({
  format,
  version,
  seq,
  headerSize,
  padHeader,
  slotSize,
  align,
  pad,
}: SignBootOptions): Omit<ImageOptions, "signer"> | undefined {
  if ([version, seq, headerSize, padHeader, slotSize, align, pad].every((one) => one === undefined)) return undefined;
  if (format !== "mcuboot")
    throw usage(
      "an ESP32 image says its version and its security counter itself",
      "drop `version`, `seq` and what is for `format` mcuboot",
    );
  if (seq === "next")
    throw usage(
      "`seq` next: a security counter does not go up with each image",
      "give the number; it goes up when older images must not start any more",
    );
  if (seq !== undefined && seq >= 2n ** 32n)
    throw usage(`\`seq\` ${seq}: a security counter has 32 bits`, "give a number below 4294967296");
  if (version === undefined || headerSize === undefined)
    throw usage("an image that is made from a binary needs `version` and `headerSize`", "for example: `version` 1.4.2 `headerSize` 0x200");
  if (slotSize === undefined && (align !== undefined || pad !== undefined))
    throw usage("`align` and `pad` are for an image that fits a slot, and its size is missing", "give it: `slotSize` BYTES");
  return {
    version,
    headerSize,
    hasRoom: !padHeader,
    ...(seq !== undefined && { counter: Number(seq) }),
    ...(slotSize !== undefined && {
      slot: { size: slotSize, ...(align !== undefined && { align }), ...(pad !== undefined && { trailer: pad as "test" }) },
    }),
  };
}

/** The input of a signature: a file, its bytes, and the facts of an image that is made from them. */
interface BootInput {
  readonly path: string;
  readonly content: string | Uint8Array;
  readonly image: Omit<ImageOptions, "signer"> | undefined;
  readonly keys: readonly string[];
}

/** Options that the product file answers for a board with a `format`. */
const ANSWERED = ["seq", "headerSize", "padHeader", "slotSize", "align", "pad"] as const;

/** The image of a board whose format the product file has. Undefined for others: options say everything. */
async function boardInput(path: string | undefined, product: Product | undefined, o: SignBootOptions): Promise<BootInput | undefined> {
  const [board] = product && o.board !== undefined ? boardsOf(product, [o.board]) : [];
  if (!product || !board || !hasBootImage(board) || board.boot.format !== o.format) return undefined;
  const answered = ANSWERED.find((name) => o[name] !== undefined);
  if (answered)
    throw usage(`\`${answered}\`: ${product.path} says it for board ${board.name}`, "drop the option, or correct the product file");
  const meant = path === undefined ? board : { ...(await withImage(product, board, path)), boot: board.boot };
  const { built, image } = await builtBootImage(product, meant, o.version);
  return { path: built.path, content: built.bytes, image, keys: o.key ?? product.boot.keys };
}

/** Writes the signed image. The members are those of an envelope. */
export async function signBootImage(given: string | undefined, o: SignBootOptions) {
  refuseEnvelopeOptions(`--format ${o.format} signs an image`, o, Object.keys(TAKEN));
  const product = await productAsked(o.product);
  const ofBoard = await boardInput(given, product, o);
  const path = ofBoard?.path ?? given;
  if (path === undefined) throw usage("argument 'input' is missing", "name the image, or the binary of the build");
  const { content, image, keys: refs } = ofBoard ?? { content: path, image: imageOptions(o), keys: o.key ?? [] };
  if (refs.length === 0) throw missingOption("-k, --key <key>");
  const out = o.out ?? signedImageName(path);
  // the logs may not exist yet
  const logs = o.log ?? refs.flatMap((key) => logBeside(key) ?? []);
  checkOutput(out, "--out", [path, ...refs].concat(logs));
  if (!o.replace && isFile(out)) throw usage(`${out} exists`, "choose another name: `out` FILE; or replace the file: `replace`");
  if (o.log !== undefined) checkLog(o.log, [path, ...refs, out]);
  const { file, keys, receipts } = await signImage(content, refs, {
    ...{ format: o.format, ...devicesOf(product, o), product, log: await productLog(product, o.log), passphrases: passphraseOptions(o) },
    ...(image && { image }),
    name: path,
    ...(o.add && { add: true }),
    ...(o.allowLowerSequence && { allowLowerSequence: true }),
    ...(o.allowSequenceReuse && { allowSequenceReuse: true }),
    ...(o.allowSequenceJump && { allowSequenceJump: true }),
    ...(o.allowTestKey && { allowTestKey: o.allowTestKey }),
    ...(o.allowClock && { allowClock: o.allowClock }),
  }).catch((e) => {
    throw e instanceof RangeError ? usage(`${path}: ${e.message}`, "correct the option") : refusedFormat(path, e);
  });
  const { counter, version } = file.facts;
  const member = deliver(out, file.bytes, o.json, { fresh: !o.replace });
  return {
    ...{ out, bytes: file.bytes.length, sequence: counter === null ? null : String(counter), version: version ?? undefined },
    ...{ format: o.format, signers: keys.map(keyFacts), log: receipts },
    ...NOT_OF_ENVELOPES,
    ...member,
  };
}
