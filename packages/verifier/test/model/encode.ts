// From what a manifest says to a signed envelope, with the vectors' assembler and not with the signer, which refuses to write what is wrong.

import { createHash } from "node:crypto";
import {
  alternatives,
  array,
  type Block,
  bytes,
  digest,
  digestParam,
  type Command as EncodedCommand,
  envelope,
  FALSE,
  int,
  manifest,
  override,
  type Pair,
  type Piece,
  seq,
  TRUE,
  text,
  unhex,
} from "../../../../test-vectors/src/pieces/assemble.js";
import {
  DIR_RUN_SEQUENCE,
  DIR_SET_COMPONENT_INDEX,
  DIR_TRY_EACH,
  PARAM_CLASS_IDENTIFIER,
  PARAM_COMPONENT_SLOT,
  PARAM_CONTENT,
  PARAM_DEVICE_IDENTIFIER,
  PARAM_FETCH_ARGS,
  PARAM_IMAGE_SIZE,
  PARAM_INVOKE_ARGS,
  PARAM_SOFT_FAILURE,
  PARAM_SOURCE_COMPONENT,
  PARAM_STRICT_ORDER,
  PARAM_URI,
  PARAM_VENDOR_IDENTIFIER,
} from "../../src/spec/suit.js";
import { CODES, type Command, type Manifest, type Parameters, type Sequence } from "./manifest.js";

const HASHES: { [alg: number]: string } = { "-16": "sha256", "-43": "sha384", "-44": "sha512" };

/** The digest of some octets, all in hexadecimal. */
export const hashOf = (alg: number, of: string): string =>
  createHash(HASHES[alg] as string)
    .update(Buffer.from(of, "hex"))
    .digest("hex");

const bool = (b: boolean): Piece => (b ? TRUE : FALSE);
/** Identifiers are UUIDs, or private enterprise numbers with their tag, which are already CBOR. */
const identifier = (id: string): Piece => (id.startsWith("d870") ? unhex(id) : bytes(unhex(id)));

function parameters(p: Parameters): [number, Piece][] {
  const out: [number, Piece][] = [];
  const add = <T>(key: number, value: T | undefined, piece: (v: T) => Piece) => {
    if (value !== undefined) out.push([key, piece(value)]);
  };
  const octets = (v: string) => bytes(unhex(v));
  add(PARAM_VENDOR_IDENTIFIER, p.vendor, identifier);
  add(PARAM_CLASS_IDENTIFIER, p.class, identifier);
  add(PARAM_DEVICE_IDENTIFIER, p.device, identifier);
  if (p.digest) out.push(digestParam(unhex(p.digest.of), p.digest.alg));
  add(PARAM_IMAGE_SIZE, p.size, int);
  add(PARAM_COMPONENT_SLOT, p.slot, int);
  add(PARAM_CONTENT, p.content, octets);
  add(PARAM_URI, p.uri, text);
  add(PARAM_FETCH_ARGS, p.fetchArgs, octets);
  add(PARAM_INVOKE_ARGS, p.invokeArgs, octets);
  add(PARAM_SOURCE_COMPONENT, p.source, int);
  add(PARAM_STRICT_ORDER, p.strict, bool);
  add(PARAM_SOFT_FAILURE, p.soft, bool);
  return out;
}

function command(c: Command): EncodedCommand {
  if (c.do === "index")
    return [DIR_SET_COMPONENT_INDEX, c.to === true ? TRUE : typeof c.to === "number" ? int(c.to) : array(...c.to.map(int))];
  if (c.do === "override") return override(...parameters(c.set));
  if (c.do === "try") return [DIR_TRY_EACH, alternatives(...c.of.map(sequence), ...(c.nil ? [null] : []))];
  if (c.do === "run") return [DIR_RUN_SEQUENCE, bytes(sequence(c.of))];
  if (c.do === "wrong") return [c.code, c.arg];
  return [CODES[c.do], 2];
}

const sequence = (s: Sequence): Piece => seq(...s.map(command));

/** A manifest and its envelope, signed as `blocks` says: by a MAC where it is left out, for that is quick. */
export async function encoded(m: Manifest, blocks: Block[] = [{ key: "m" }]): Promise<Uint8Array> {
  const sections: { [key: number]: Piece } = {};
  const more: [number, Piece][] = [];
  const rest: Pair[] = [];
  for (const [name, commands] of Object.entries(m.sections)) {
    const key = Number(name);
    const content = sequence(commands);
    const severed = m.severed.includes(key);
    if (severed && m.fault !== "redundant" && m.fault !== "uncovered") more.push([key, digest(bytes(content))]);
    else if (!severed || m.fault === "redundant") sections[key] = content;
    if (severed && !m.absent.includes(key)) rest.push([int(key), bytes(m.fault === "exchanged" ? [...content.slice(0, -1), 3] : content)]);
  }
  const content = manifest({
    sequence: m.sequence,
    components: m.components.map((id) => array(bytes(unhex(id)))),
    ...(m.shared && { shared: sequence(m.shared) }),
    sections,
    more,
  });
  // bytewise order of the encoded keys: integers, then texts by their length
  for (const uri of Object.keys(m.payloads).sort((a, b) => a.length - b.length || (a < b ? -1 : 1)))
    rest.push([text(uri), bytes(unhex(m.payloads[uri] as string))]);
  return Uint8Array.from(await envelope(content, { blocks, rest }));
}
