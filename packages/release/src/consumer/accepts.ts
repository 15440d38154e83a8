// Whether a consumer accepts an envelope: its row in consumers.ts, applied to what is in the envelope. Nothing is
// verified here.

import { byteWords } from "@firmseal/keys/internal";
import { inWords } from "@firmseal/signer";
import {
  ALG_NAMES,
  COM_COMPONENTS,
  COM_SHARED_SEQUENCE,
  COMMAND_NAMES,
  DIR_INVOKE,
  DIR_SET_COMPONENT_INDEX,
  DIR_TRY_EACH,
  decodeItem,
  HASH_NAMES,
  type Item,
  MAN_COMMON,
  MANIFEST_NAMES,
  PARAM_IMAGE_DIGEST,
  PARAM_URI,
  PARAMETER_NAMES,
  type UnverifiedEnvelope,
} from "@firmseal/verifier/tools";
import { type DigestText, type SequenceCommand, sequenceCommands } from "../verify/tree.js";
import type { Consumer, Grammar } from "./consumers.js";
import { excludeEachOther } from "./exclusive.js";

/** Why a consumer does not accept an envelope, and what to change. */
export interface ConsumerFault {
  readonly what: string;
  readonly hint: string;
}

const DESCRIBE = "write a description without it: docs/reference/description.md";

export const algName = (cose: number): string => ALG_NAMES[cose] ?? String(cose);
/** "es256 or esp256", or "the algorithms of its bundle". */
export const algsOf = ({ algs }: Consumer): string => (algs ? inWords(algs.map(algName)) : "any algorithm of its bundle");

/** The keys of a map, and their values. */
const pairs = ({ items }: Item): [number, Item][] =>
  Array.from({ length: items.length / 2 }, (_, i) => [(items[2 * i] as Item).value, items[2 * i + 1] as Item]);

/** `algs`: the COSE algorithm numbers of all signatures. */
function signatureFault(row: Consumer, { signatures }: UnverifiedEnvelope, algs: readonly number[]): ConsumerFault | undefined {
  if (algs.length > row.signatures)
    return {
      what: `it has ${algs.length} signatures; the limit is ${row.signatures}`,
      hint: row.signatures === 1 ? "make the release with one key" : `make the release with at most ${row.signatures} keys`,
    };
  const other = row.algs && algs.find((alg) => !row.algs?.includes(alg));
  if (other !== undefined)
    return {
      what: `a signature names algorithm ${algName(other)}, not ${algsOf(row)}`,
      hint: `make the release with a key for ${algsOf(row)}: firmseal keygen --alg makes one, \`coseAlg\` names the algorithm`,
    };
  if (row.grammar && signatures.some(({ multiple }) => multiple))
    return { what: "a signature is a COSE_Sign, not a COSE_Sign1", hint: "get the release with a signature as firmseal sign makes it" };
  return undefined;
}

function elementFault(g: Grammar, envelope: Uint8Array, { envelope: parts }: UnverifiedEnvelope): ConsumerFault | undefined {
  for (const [number, item] of pairs(decodeItem(envelope, parts.manifestElement.inside))) {
    const name = MANIFEST_NAMES[number] ?? `element ${number}`;
    if (!g.elements.includes(number)) return { what: `the manifest has ${name}`, hint: DESCRIBE };
    if (!g.severed && item.kind === "array") return { what: `${name} is severed`, hint: 'drop "sever" from the description' };
    if (number !== MAN_COMMON) continue;
    const common = pairs(decodeItem(envelope, { at: item.body, n: item.value })).map(([key]) => key);
    if (common.some((key) => key !== COM_COMPONENTS && key !== COM_SHARED_SEQUENCE))
      return { what: "the common part has more than components and a shared sequence", hint: DESCRIBE };
  }
  return undefined;
}

function contentFault(g: Grammar, { manifest, envelope: { payloads }, digest }: UnverifiedEnvelope): ConsumerFault | undefined {
  const [inside] = payloads;
  if (inside && !g.payloads)
    return {
      what: `payload ${inside.uri} is in the envelope`,
      hint: "leave it outside: `uri` URI, or uri in the product file",
    };
  if (digest && !g.digests.includes(digest.alg))
    return { what: `the manifest has a digest of ${HASH_NAMES[digest.alg]}`, hint: useHash(g) };
  if (manifest.components.length > g.components)
    return {
      what: `the manifest has ${manifest.components.length} components; the limit is ${g.components}`,
      hint: "make a release for each part of them",
    };
  if (g.shared && !manifest.shared) return { what: "the manifest has no shared sequence", hint: 'write one: "shared-sequence"' };
  const sequences = [...manifest.commands.map(({ inside: slice }) => slice), ...(manifest.shared ? [manifest.shared] : [])];
  for (const slice of sequences) {
    const list = sequenceCommands(manifest.input, slice);
    if (g.indexFirst && manifest.components.length > 1 && list[0] && list[0].code !== DIR_SET_COMPONENT_INDEX)
      return { what: "a sequence does not begin with directive-set-component-index", hint: "choose the components first" };
    const fault = stepsFault(g, list, false);
    if (fault) return fault;
  }
  return undefined;
}

const useHash = ({ digests }: Grammar) => `use ${inWords(digests.map((alg) => HASH_NAMES[alg] as string))}`;

function stepsFault(g: Grammar, list: readonly SequenceCommand[], inTryEach: boolean): ConsumerFault | undefined {
  for (const step of list) {
    const fault = stepFault(g, step, inTryEach);
    if (fault) return fault;
    for (const sequence of step.sequences ?? []) {
      const within = sequence && stepsFault(g, sequence, inTryEach || step.code === DIR_TRY_EACH);
      if (within) return within;
    }
  }
  return undefined;
}

function stepFault(g: Grammar, step: SequenceCommand, inTryEach: boolean): ConsumerFault | undefined {
  if (!g.commands.includes(step.code))
    return {
      what: `the manifest has ${COMMAND_NAMES[step.code] ?? `command ${step.code}`}`,
      hint: step.code === DIR_INVOKE ? "drop it: the device starts the image itself" : DESCRIBE,
    };
  if (step.code === DIR_TRY_EACH) {
    if (!g.nil && step.sequences?.includes(null))
      return { what: "a try-each ends with nil", hint: "drop the try-each, or write an alternative that always matches" };
    if (g.exclusive && !excludeEachOther(step.sequences ?? []))
      return {
        what: "two alternatives of a try-each can match one device, and it would run both",
        hint: "begin each with a condition that excludes the others, such as condition-component-slot",
      };
    if (!g.nested && inTryEach) return { what: "a try-each is in another one", hint: "write all alternatives in one try-each" };
  }
  for (const { code, value } of step.parameters ?? []) {
    if (!g.parameters.includes(code)) return { what: `the manifest sets parameter ${PARAMETER_NAMES[code] ?? code}`, hint: DESCRIBE };
    if (code === PARAM_IMAGE_DIGEST && !g.digests.some((alg) => HASH_NAMES[alg] === (value as DigestText).algorithm))
      return { what: `an image digest uses ${(value as DigestText).algorithm}`, hint: useHash(g) };
    if (code === PARAM_URI && Buffer.byteLength(String(value)) > g.uri)
      return { what: `a URI has ${byteWords(Buffer.byteLength(String(value)))}; the limit is ${g.uri}`, hint: "give a shorter URI" };
  }
  return undefined;
}

/**
 * Finds the first reason for which a consumer does not accept an envelope. Returns undefined if there is none.
 * `outline`: what is in the envelope. `algs`: the COSE algorithm numbers of all signatures, those that are still to be
 * made included. Whether it is the template of micro verifiers is for checkForMicro().
 */
export function faultFor(
  row: Consumer,
  envelope: Uint8Array,
  outline: UnverifiedEnvelope,
  algs: readonly number[],
): ConsumerFault | undefined {
  const { grammar } = row;
  return signatureFault(row, outline, algs) ?? (grammar && (elementFault(grammar, envelope, outline) ?? contentFault(grammar, outline)));
}
