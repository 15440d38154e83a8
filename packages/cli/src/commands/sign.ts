import { createHash } from "node:crypto";
import { closeSync } from "node:fs";
import { basename, extname } from "node:path";
import { encode, sign as signEnvelope, singleImage, toHex } from "@firmseal/signer";
import { open } from "@firmseal/verifier";
import { decimal } from "@firmseal/verifier/number";
import { checkPayloads, outsideUris, warnOfRefusal } from "../audit.js";
import { encodeDescription, MAX_INTEGRATED } from "../description.js";
import { looksLikeEnvelope } from "../envelope-kind.js";
import { refusedInput, usage } from "../failure.js";
import { identityOf } from "../identity.js";
import { detect, HEAD, parseImage } from "../image.js";
import { checkOutput, hashFile, host, openRegular, readAll, readHead, writeWhole } from "../io.js";
import { anchors, keyFacts, refuseTestKeys, withSigners } from "../key-ref.js";
import { warnOfLonePartner } from "../keys/hybrid.js";
import type { SigningKey } from "../keys/kind.js";
import { type PassphraseOptions, passphraseOptions } from "../options.js";
import { advise } from "../targets.js";
import { json, say, visible, warn } from "../ui.js";
import { outputName } from "./create.js";

export interface SignOptions extends PassphraseOptions {
  key: string[];
  out?: string;
  vendor?: string;
  class?: string;
  seq?: bigint;
  uri?: string;
  imageOut?: string;
  allowTestKey?: string[];
  target?: string;
  json?: boolean;
}

type Kind = "envelope" | "description" | "image";

/** From here on a sequence number leaves little room for later releases: each must be higher than the one before. */
const HIGH_SEQUENCE = 2n ** 48n;

/** What the input is, by its first bytes and its extension: an envelope, a JSON object; anything else is an image. */
function kindOf(head: Uint8Array, name: string): Kind {
  if (looksLikeEnvelope(head)) return "envelope";
  if (extname(name).toLowerCase() === ".suit") return "envelope";
  if (extname(name).toLowerCase() === ".json" || /^\s*\{\s*("|\})/.test(Buffer.from(head).toString("latin1"))) return "description";
  return "image";
}

function sizeOf(path: string): number {
  const { fd, size } = openRegular(path);
  closeSync(fd);
  return size;
}

interface Flash {
  digest: string;
  size: number;
  uri: string;
  /** The bytes themselves, where they are to travel in the envelope. */
  payload?: Uint8Array;
  /** The same, where --image-out asks for them. */
  forFile?: Uint8Array;
  /** What was made of a file that is not raw, in words. */
  read?: string;
}

interface Made {
  envelope: Uint8Array;
  forFile?: Uint8Array | undefined;
  read?: string | undefined;
}

/** The bytes that go to flash. */
async function readImage(path: string, stdin: Uint8Array | undefined, o: SignOptions): Promise<Flash> {
  const format = detect(stdin?.subarray(0, HEAD) ?? readHead(path, HEAD), path);
  if (format === "raw" && !stdin && o.imageOut === undefined && (o.uri !== undefined || sizeOf(path) > MAX_INTEGRATED)) {
    const d = await hashFile(path);
    return { digest: toHex(d.digest), size: d.size, uri: o.uri ?? encodeURIComponent(basename(path)) };
  }
  // one buffer is hashed and embedded: the file may change meanwhile, what is signed does not
  const file = stdin ?? readAll(path);
  const image = format === "raw" ? undefined : parseImage(file, format);
  const bytes = image ? image.bytes : file;
  if (bytes.length === 0) throw refusedInput("IMAGE", `${path}: holds no bytes for the flash`, "give the image that the build wrote");
  const gaps = image && image.gaps > 0 ? `, ${image.gaps} of them gaps filled with ff` : "";
  const facts = {
    digest: createHash("sha256").update(bytes).digest("hex"),
    size: bytes.length,
    ...(image && { read: `${visible(path)}: ${format}, ${bytes.length} bytes from address 0x${(image.address ?? 0).toString(16)}${gaps}` }),
    ...(o.imageOut !== undefined && { forFile: bytes }),
  };
  if (o.uri === undefined && bytes.length <= MAX_INTEGRATED) return { ...facts, uri: "#firmware", payload: bytes };
  if (image && o.imageOut === undefined)
    throw usage(`${path}: is ${format}, and a device fetches the bytes for the flash`, "write them for publishing: --image-out FILE.bin");
  return { ...facts, uri: o.uri ?? encodeURIComponent(basename(o.imageOut ?? path)) };
}

async function fromImage(path: string, stdin: Uint8Array | undefined, o: SignOptions): Promise<Made> {
  const missing = [o.vendor === undefined && "--vendor", o.class === undefined && "--class", o.seq === undefined && "--seq"].filter(
    Boolean,
  );
  if (missing.length > 0) throw usage(`an image needs ${missing.join(", ")}`, "for example: --vendor example.com --class board-v2 --seq 7");
  const [vendor, name] = [o.vendor as string, o.class as string];
  identityOf(vendor, name);
  if (path === "-" && o.uri === undefined && (stdin?.length ?? 0) > MAX_INTEGRATED)
    throw usage("stdin: is too large to travel in the envelope", "say where the image will lie: --uri URI");
  const { forFile, read, ...image } = await readImage(path, stdin, o);
  const envelope = encode(singleImage({ sequence: String(o.seq), vendor, class: name, ...image }));
  return { envelope, forFile, read };
}

/** Signs an image, a description or an envelope. The output is opened with the public keys before the file appears. */
export async function sign(input: string, o: SignOptions): Promise<void> {
  const head = input === "-" ? new Uint8Array() : readHead(input, HEAD);
  if (input !== "-" && head.length === 0)
    throw refusedInput("IMAGE", `${input}: the file is empty`, "give an image, a description or an envelope");
  const stdin = input === "-" ? readAll(input) : undefined;
  const kind = kindOf(stdin?.subarray(0, HEAD) ?? head, input);
  if (kind !== "image") {
    const given = (["vendor", "class", "seq", "uri", "imageOut"] as const).find((name) => o[name] !== undefined);
    if (given)
      throw usage(
        `${kind === "envelope" ? "an envelope" : "a description"} takes no --${given === "imageOut" ? "image-out" : given}`,
        "it says itself what it is for",
      );
  }
  const out = o.out ?? (kind === "envelope" ? input : outputName(input));
  await withSigners(o.key, passphraseOptions(o), (keys) => signWith(keys, { input, stdin, kind, out, o }));
}

interface Job {
  input: string;
  stdin: Uint8Array | undefined;
  kind: Kind;
  out: string;
  o: SignOptions;
}

async function signWith(held: readonly SigningKey[], { input, stdin, kind, out, o }: Job): Promise<void> {
  const keys = held.map((key) => key.public);
  const files = held.flatMap((key) => key.file ?? []);
  checkOutput(out, "--out", kind === "envelope" ? files : [input, ...files], true);
  if (o.imageOut === "-" && (o.json || out === "-")) throw usage("--image-out -: stdout is taken already", "name a file for the image");
  if (o.imageOut !== undefined) checkOutput(o.imageOut, "--image-out", [input, out, ...files], false);
  refuseTestKeys(keys, o.allowTestKey ?? []);
  warnOfLonePartner(files);
  const algs = keys.map((k) => k.alg);
  const advice = o.target === undefined ? undefined : advise(o.target, algs);

  let made: Made;
  if (kind === "envelope") made = { envelope: stdin ?? readAll(input) };
  else if (kind === "description") made = await encodeDescription(stdin ?? readAll(input), input);
  else made = await fromImage(input, stdin, o);

  const signed = await signEnvelope(
    made.envelope,
    held.map((key) => key.signer),
  );
  const manifest = open(signed, { anchors: anchors(keys), need: keys.length }, host);
  await checkPayloads(manifest, new Map());
  const sequence = decimal(manifest.sequence);
  if (BigInt(sequence) >= HIGH_SEQUENCE) warn(`sequence number ${sequence} leaves little room: a device accepts nothing lower afterwards`);
  warnOfRefusal(manifest);
  const outside = outsideUris(manifest);
  if (made.read !== undefined) say(made.read);
  if (o.imageOut !== undefined && made.forFile) writeWhole(o.imageOut, made.forFile);
  const inJson = o.json && out === "-";
  if (!inJson) writeWhole(out, signed);
  if (o.json)
    json({
      ok: true,
      code: 0,
      out,
      bytes: signed.length,
      sequence,
      signers: keys.map(keyFacts),
      payloads: { inside: manifest.payloads.map((p) => p.uri), outside },
      ...(advice && { target: advice }),
      ...(inJson && { data: Buffer.from(signed).toString("base64") }),
    });
  else
    say(
      `${visible(out)}: sequence number ${sequence}, ${signed.length} bytes, signed by ${keys.map((k) => `${k.alg} ${keyFacts(k).thumbprint.slice(0, 16)}…`).join(", ")}`,
    );
  if (!o.json && advice?.advice) say(advice.advice);
  if (!o.json && outside.length > 0) say(`not in the envelope, to be fetched by devices: ${outside.map(visible).join(", ")}`);
}
