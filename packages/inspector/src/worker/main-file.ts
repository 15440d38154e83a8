// The file whose items are shown, an envelope or a trust file, and what the views need of it.

import { diagnostic } from "@firmseal/behaviour";
import type { Refusal } from "@firmseal/verifier";
import {
  decodeEnvelope,
  formatSequence,
  isRefusal,
  PARAM_CLASS_IDENTIFIER,
  PARAM_COMPONENT_SLOT,
  PARAM_VENDOR_IDENTIFIER,
  toHex,
  type UnverifiedEnvelope,
} from "@firmseal/verifier/tools";
import type { MainFile } from "../protocol.js";
import { TEXTS } from "../texts.js";
import { refusalText, Sentence } from "./sentence.js";
import { Tree } from "./tree.js";

/** Bytes of a byte string that diagnostic notation shows in full. */
const SHOWN_BYTES = 65_536;

/** An envelope or a trust file. `outline`: if it can be read without trust; `fault`: if not. */
export interface Main {
  id: number;
  name: string;
  kind: "envelope" | "trust";
  bytes: Uint8Array;
  tree: Tree;
  outline?: UnverifiedEnvelope;
  fault?: Refusal;
}

export function openEnvelope(id: number, name: string, bytes: Uint8Array): Main {
  const main: Main = { id, name, kind: "envelope", bytes, tree: new Tree(bytes, "envelope") };
  try {
    main.outline = decodeEnvelope(bytes);
  } catch (e) {
    if (!isRefusal(e)) throw e;
    main.fault = e;
  }
  return main;
}

/** The different values that a release names for an identifier. */
export function identifiersIn({ bytes, tree }: Main, code: number): Uint8Array[] {
  const all = [...tree.values("parameters", code)].map((item) => bytes.slice(item.kind === "bytes" ? item.body : item.at, item.end));
  return [...new Map(all.map((id) => [toHex(id), id])).values()];
}

/** The different slots that a release names. */
export const slotsIn = ({ tree }: Main): number[] => [
  ...new Set([...tree.values("parameters", PARAM_COMPONENT_SLOT)].map(({ value }) => value)),
];

/** What the views of the file need. */
export function mainFile(main: Main): MainFile {
  const { name, kind, bytes, tree, outline } = main;
  const identifiers = (code: number) => (outline ? identifiersIn(main, code).map(toHex) : []);
  return {
    name,
    kind,
    length: bytes.length,
    bytes: new Blob([bytes as Uint8Array<ArrayBuffer>]),
    ...(tree.root && { root: tree.root }),
    vendors: identifiers(PARAM_VENDOR_IDENTIFIER),
    classes: identifiers(PARAM_CLASS_IDENTIFIER),
    slots: outline ? slotsIn(main) : [],
    ...(outline && { sequence: formatSequence(outline.manifest.sequence) }),
  };
}

/** Diagnostic notation of the file. Throws Sentence if its structure is damaged. */
export function diagnosticOf({ name, kind, bytes, fault }: Main): string {
  if (fault) throw new Sentence(TEXTS.damaged(name, refusalText(fault)));
  try {
    return diagnostic(bytes, SHOWN_BYTES, kind);
  } catch (e) {
    if (!isRefusal(e)) throw e;
    throw new Sentence(TEXTS.damaged(name, refusalText(e)));
  }
}
