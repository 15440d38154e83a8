// Encodes a description as an unsigned envelope: first the commands, then the elements, the digests of severed
// elements, the manifest, and finally its digest in the wrapper.

import {
  COM_COMPONENTS,
  COM_SHARED_SEQUENCE,
  COMMAND_NAMES,
  COMMAND_ROWS,
  COMPONENT_TEXT_NAMES,
  fromHex,
  MAN_COMMON,
  MAN_REFERENCE_URI,
  MAN_SEQUENCE_NUMBER,
  MAN_VERSION,
  MANIFEST_NAMES,
  type Names,
  PARAM_CLASS_IDENTIFIER,
  PARAM_DEVICE_IDENTIFIER,
  PARAM_IMAGE_DIGEST,
  PARAM_VENDOR_IDENTIFIER,
  PARAMETER_NAMES,
  REP_RECORD_ON_FAILURE,
  REP_RECORD_ON_SUCCESS,
  REP_SYSINFO_ON_FAILURE,
  REP_SYSINFO_ON_SUCCESS,
  TEXT_NAMES,
} from "@firmseal/verifier/tools";
import { HASHES } from "../alg/hash.js";
import { encodeCbor as cbor, type Encodable } from "../cbor.js";
import { EnvelopeDraft } from "../envelope/draft.js";
import { type EnvelopeParts, writeEnvelope } from "../envelope/envelope.js";
import { toBytes } from "./bytes-value.js";
import { DescriptionError } from "./conform.js";
import {
  type ClassValue,
  type Command,
  type Description,
  type DigestValue,
  type HashName,
  type Parameters,
  type SectionName,
  type TextValue,
  type VendorValue,
  validate,
} from "./manifest.js";
import { classUuid, parseUuid, vendorUuid } from "./uuid.js";

const SECTIONS: readonly SectionName[] = ["validate", "load", "invoke", "payload-fetch", "install"];

const ALWAYS = REP_RECORD_ON_SUCCESS | REP_RECORD_ON_FAILURE | REP_SYSINFO_ON_SUCCESS | REP_SYSINFO_ON_FAILURE;

/**
 * Reporting policies as in the examples of the specification. For the other commands: record a failure, as the
 * directives in the examples do.
 */
const POLICIES: { [name: string]: number } = {
  "condition-vendor-identifier": ALWAYS,
  "condition-class-identifier": ALWAYS,
  "condition-device-identifier": ALWAYS,
  "condition-image-match": ALWAYS,
  "condition-component-slot": REP_RECORD_ON_SUCCESS | REP_SYSINFO_ON_SUCCESS,
};

function codesByName(names: Names): Map<string, number> {
  return new Map(Object.entries(names).map(([code, name]) => [name, Number(code)]));
}

const COMMAND = codesByName(COMMAND_NAMES);
const PARAMETER = codesByName(PARAMETER_NAMES);
const ELEMENT = codesByName(MANIFEST_NAMES);
const TEXT = codesByName(TEXT_NAMES);
const COMPONENT_TEXT = codesByName(COMPONENT_TEXT_NAMES);

function codeOfName(table: Map<string, number>, name: string): number {
  const code = table.get(name);
  if (code === undefined) throw new DescriptionError("", `unknown name ${JSON.stringify(name)}`);
  return code;
}

function vendor(value: VendorValue): Uint8Array {
  return typeof value === "string" ? parseUuid(value) : vendorUuid(value.domain);
}

function classOf(value: ClassValue): Uint8Array {
  return typeof value === "string" ? parseUuid(value) : classUuid(vendorUuid(value.domain), value.name);
}

function suitDigest(algorithm: HashName, bytes: Uint8Array): Encodable {
  return [HASHES[algorithm].id, HASHES[algorithm].hash(bytes)];
}

function digestParameter(value: DigestValue, path: string): Uint8Array {
  const algorithm = value.algorithm ?? "sha-256";
  if (!("hex" in value)) throw new DescriptionError(path, "a file or payload is named: resolve() must hash it first");
  const bytes = fromHex(value.hex);
  if (bytes.length !== HASHES[algorithm].length)
    throw new DescriptionError(path, `a ${algorithm} digest has ${HASHES[algorithm].length} bytes, not ${bytes.length}`);
  return cbor([HASHES[algorithm].id, bytes]);
}

function encodeParameters(value: Parameters, path: string): Encodable {
  const out = new Map<Encodable, Encodable>();
  for (const [name, v] of Object.entries(value) as [keyof Parameters, never][]) {
    const at = `${path}/${name}`;
    if (name === "image") throw new DescriptionError(at, "a file or payload is named: resolve() must hash it first");
    const code = codeOfName(PARAMETER, name);
    if (code === PARAM_VENDOR_IDENTIFIER) out.set(code, vendor(v));
    else if (code === PARAM_CLASS_IDENTIFIER) out.set(code, classOf(v));
    else if (code === PARAM_DEVICE_IDENTIFIER) out.set(code, parseUuid(v));
    else if (code === PARAM_IMAGE_DIGEST) out.set(code, digestParameter(v, at));
    else if (name === "content" || name === "invoke-args" || name === "fetch-args") out.set(code, toBytes(v, at));
    else out.set(code, v);
  }
  return out;
}

function encodeArgument(code: number, value: unknown, path: string): Encodable {
  switch (COMMAND_ROWS[code]?.argument) {
    case "policy":
      return value as number;
    case "index":
      return value as Encodable;
    case "parameters":
      return encodeParameters(value as Parameters, path);
    case "sequence":
      return encodeSequence(value as Command[], path);
    case "alternatives":
      return (value as (Command[] | null)[]).map((a, i) => (a === null ? null : encodeSequence(a, `${path}/${i}`)));
    default:
      throw new DescriptionError(path, "descriptions cannot express the argument of this command");
  }
}

/** Encodes a command sequence. */
function encodeSequence(commands: readonly Command[], path: string): Uint8Array {
  const out: Encodable[] = [];
  for (const [i, command] of commands.entries()) {
    if (typeof command === "string") out.push(codeOfName(COMMAND, command), POLICIES[command] ?? REP_RECORD_ON_FAILURE);
    else
      for (const [name, value] of Object.entries(command)) {
        const code = codeOfName(COMMAND, name);
        out.push(code, encodeArgument(code, value, `${path}/${i}/${name}`));
      }
  }
  return cbor(out);
}

function encodeText(value: { [language: string]: TextValue }, components: Uint8Array[][]): Uint8Array {
  const languages = new Map<Encodable, Encodable>();
  for (const [language, entry] of Object.entries(value)) {
    const out = new Map<Encodable, Encodable>();
    for (const [name, v] of Object.entries(entry)) if (name !== "components") out.set(codeOfName(TEXT, name), v);
    for (const [i, { component, ...texts }] of (entry.components ?? []).entries()) {
      const id = components[component];
      if (!id) throw new DescriptionError(`/text/${language}/components/${i}`, `unknown component ${component}`);
      out.set(id, new Map(Object.entries(texts).map(([name, v]) => [codeOfName(COMPONENT_TEXT, name), v])));
    }
    languages.set(language, out);
  }
  return cbor(languages);
}

/**
 * Encodes a description as an unsigned envelope (SUIT manifest draft 37 §8.3): tag 107, a wrapper with the digest of
 * the manifest, the manifest, severed elements and integrated payloads. Files must have been resolved with resolve().
 * decodeEnvelope() reads the result before it is returned.
 *
 * @param description - From singleImage(), boardRelease() or bridge(), or JSON that validate() has checked.
 * @returns The envelope.
 * @throws DescriptionError, and the refusals of decodeEnvelope().
 */
export function encode(description: Description): Uint8Array {
  return draftOf(description).bytes;
}

/**
 * Encodes like encode().
 *
 * @param description - The description.
 * @returns A draft that can be signed.
 * @throws DescriptionError.
 */
export function draftOf(description: Description): EnvelopeDraft {
  const d = validate(description);
  const algorithm = d.digest ?? "sha-256";
  const components = d.components.map((id, i) => id.map((part, j) => toBytes(part, `/components/${i}/${j}`)));
  const common = new Map<Encodable, Encodable>([[COM_COMPONENTS, components]]);
  if (d["shared-sequence"]) common.set(COM_SHARED_SEQUENCE, encodeSequence(d["shared-sequence"], "/shared-sequence"));
  const sequenceNumber = BigInt(d.sequence);
  if (sequenceNumber >= 2n ** 64n) throw new DescriptionError("/sequence", "a sequence number has 64 bits");
  const manifest = new Map<Encodable, Encodable>([
    [MAN_VERSION, 1],
    [MAN_SEQUENCE_NUMBER, sequenceNumber],
    [MAN_COMMON, cbor(common)],
  ]);
  if (d["reference-uri"] !== undefined) manifest.set(MAN_REFERENCE_URI, d["reference-uri"]);

  const severed = new Map<number, Uint8Array>();
  const place = (name: SectionName | "text", content: Uint8Array) => {
    const key = codeOfName(ELEMENT, name);
    if (d.sever?.some((s) => s === name)) {
      severed.set(key, content);
      // the digest covers the byte string including its head (M37 §8.3)
      manifest.set(key, suitDigest(algorithm, cbor(content)));
    } else manifest.set(key, content);
  };
  for (const name of SECTIONS) {
    const commands = d[name];
    if (commands) place(name, encodeSequence(commands, `/${name}`));
  }
  if (d.text) place("text", encodeText(d.text, components));
  for (const name of d.sever ?? []) if (!d[name]) throw new DescriptionError("/sever", `there is no ${name} to sever`);

  const content = cbor(manifest);
  const parts: EnvelopeParts = {
    digest: cbor(suitDigest(algorithm, cbor(content))),
    blocks: [],
    manifest: content,
    severed,
    payloads: new Map(Object.entries(d.payloads ?? {}).map(([uri, value]) => [uri, toBytes(value, `/payloads/${uri}`)])),
  };
  return EnvelopeDraft.read(writeEnvelope(parts));
}
