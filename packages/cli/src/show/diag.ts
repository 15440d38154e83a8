// CBOR diagnostic notation (RFC 8949 §8, RFC 8610 §G for << >>) of an envelope, with the names of its numbers as comments. Byte strings
// are opened where the format says that they hold CBOR, and nowhere else.

import { grouped, visible } from "@firmseal/keys";
import { LIMITS } from "@firmseal/release";
import { toHex } from "@firmseal/signer";
import {
  ALG_NAMES,
  type ArgumentKind,
  COM_SHARED_SEQUENCE,
  COMMAND_NAMES,
  COMMANDS,
  COMMON_NAMES,
  decodeItem,
  ELEMENT_NAMES,
  ENV_AUTHENTICATION_WRAPPER,
  ENV_MANIFEST,
  HASH_NAMES,
  HEADER_ALG,
  type Item,
  MAN_CANDIDATE_VERIFICATION,
  MAN_COMMON,
  MAN_DEPENDENCY_RESOLUTION,
  MAN_INSTALL,
  MAN_INVOKE,
  MAN_LOAD,
  MAN_PAYLOAD_FETCH,
  MAN_TEXT,
  MAN_UNINSTALL,
  MAN_VALIDATE,
  MANIFEST_NAMES,
  type Names,
  PARAM_IMAGE_DIGEST,
  PARAMETER_NAMES,
} from "@firmseal/verifier/tools";

/** Where in the format an item stands: what its numbers mean, and which of its byte strings hold CBOR. */
type DiagContext =
  | "envelope"
  | "wrapper"
  | "digest"
  | "block"
  | "headers"
  | "manifest"
  | "common"
  | "sequence"
  | "parameters"
  | "alternatives"
  | "plain";

const SEQUENCES = [
  MAN_VALIDATE,
  MAN_LOAD,
  MAN_INVOKE,
  MAN_DEPENDENCY_RESOLUTION,
  MAN_PAYLOAD_FETCH,
  MAN_CANDIDATE_VERIFICATION,
  MAN_INSTALL,
  MAN_UNINSTALL,
];

const CONTEXT_NAMES: { [place in DiagContext]?: Names } = {
  envelope: { ...MANIFEST_NAMES, ...ELEMENT_NAMES },
  manifest: MANIFEST_NAMES,
  common: COMMON_NAMES,
  sequence: COMMAND_NAMES,
  parameters: PARAMETER_NAMES,
};

/** The elements whose content decodeEnvelope() has checked. Any other content is shown as bytes. */
function elementPlace(key: number | undefined): DiagContext | undefined {
  if (key === MAN_TEXT) return "plain";
  return key !== undefined && SEQUENCES.includes(key) ? "sequence" : undefined;
}

/** What follows a command. */
function argumentOf(code: number | undefined): ArgumentKind | undefined {
  return code === undefined ? undefined : COMMANDS[code]?.argument;
}

/** What a value is, from the place of its map or array and from its key, position or command. undefined: not opened. */
function childContext(place: DiagContext, key: number | undefined): DiagContext | undefined {
  switch (place) {
    case "envelope":
      if (key === ENV_AUTHENTICATION_WRAPPER) return "wrapper";
      if (key === ENV_MANIFEST) return "manifest";
      return elementPlace(key);
    case "manifest":
      return key === MAN_COMMON ? "common" : elementPlace(key);
    case "common":
      return key === COM_SHARED_SEQUENCE ? "sequence" : undefined;
    case "wrapper":
      return key === 0 ? "digest" : "block";
    case "block":
      return key === 0 ? "headers" : undefined;
    case "sequence":
      return argumentOf(key) === "sequence" ? "sequence" : undefined;
    case "alternatives":
      return "sequence";
    case "parameters":
      return key === PARAM_IMAGE_DIGEST ? "digest" : undefined;
    default:
      return undefined;
  }
}

function comment(names: Names | undefined, key: number | undefined): string {
  const name = key === undefined ? undefined : names?.[key];
  return name === undefined ? "" : `/ ${name} / `;
}

/** A number, exact: the argument of the item's head. */
function exactArgument({ kind, high, low }: Item): bigint {
  const n = (BigInt(high) << 32n) | BigInt(low);
  return kind === "negative" ? -1n - n : n;
}

/** The key that an item is in a map, or the code that it is in a sequence. */
function keyOf(it: Item): number | undefined {
  return it.kind === "unsigned" || it.kind === "negative" ? Number(exactArgument(it)) : undefined;
}

/** An envelope that decodeEnvelope() has checked, as diagnostic notation. */
class DiagWriter {
  constructor(readonly bytes: Uint8Array) {}

  /** A value that stands under `key` in `place`. */
  value(it: Item, place: DiagContext, key: number | undefined, indent: string): string {
    const argument = place === "sequence" ? argumentOf(key) : undefined;
    if (argument === "parameters" || argument === "alternatives") return this.item(it, argument, indent);
    const opened = childContext(place, key);
    if (opened && it.kind === "bytes")
      return it.value === 0 ? "h''" : `<< ${this.item(decodeItem(this.bytes, { at: it.body, n: it.value }), opened, indent)} >>`;
    // a severed element: its digest is here instead
    if (place === "manifest" && elementPlace(key) && it.kind === "array") return this.item(it, "digest", indent);
    if (place === "headers" && key === HEADER_ALG) return this.noted(it, ALG_NAMES, indent);
    if (place === "digest" && key === 0) return this.noted(it, HASH_NAMES, indent);
    return this.item(it, "plain", indent);
  }

  /** A number, and what it stands for. */
  noted(it: Item, names: Names, indent: string): string {
    return `${this.item(it, "plain", indent)} ${comment(names, keyOf(it))}`.trimEnd();
  }

  /** A payload is not written out: a comment (RFC 8610 §G.1) says how much is left out. */
  string({ body, value }: Item): string {
    if (value <= LIMITS.shownBytes) return `h'${toHex(this.bytes.subarray(body, body + value))}'`;
    return `h'${toHex(this.bytes.subarray(body, body + 32))}' / and ${grouped(value - 32)} bytes more /'`;
  }

  item(it: Item, place: DiagContext, indent: string): string {
    const deeper = `${indent}  `;
    switch (it.kind) {
      case "unsigned":
      case "negative":
        return String(exactArgument(it));
      case "bytes":
        return this.string(it);
      case "text":
        return visible(JSON.stringify(new TextDecoder().decode(this.bytes.subarray(it.body, it.end))));
      case "simple":
        return it.value === 20 ? "false" : it.value === 21 ? "true" : "null";
      case "tag":
        return `${exactArgument(it)}(${this.item(it.items[0] as Item, place, indent)})`;
      case "map":
        return bracketed("{", this.pairs(it, CONTEXT_NAMES[place], place, ": ", deeper), "}", indent);
      default:
        if (place === "sequence") return bracketed("[", this.pairs(it, CONTEXT_NAMES.sequence, place, ", ", deeper), "]", indent);
        return bracketed("[", this.elements(it, place, deeper), "]", indent);
    }
  }

  /** The keys and values of a map, or the codes and arguments of a sequence. */
  pairs({ items }: Item, names: Names | undefined, place: DiagContext, between: string, indent: string): string[] {
    const out: string[] = [];
    for (let i = 0; i + 1 < items.length; i += 2) {
      const [first, second] = [items[i] as Item, items[i + 1] as Item];
      const key = keyOf(first);
      out.push(`${comment(names, key)}${this.item(first, "plain", indent)}${between}${this.value(second, place, key, indent)}`);
    }
    return out;
  }

  elements({ items }: Item, place: DiagContext, indent: string): string[] {
    const isNumbered = place === "wrapper" || place === "block" || place === "digest";
    return items.map((it, i) => this.value(it, place, isNumbered ? i : undefined, indent));
  }
}

function bracketed(open: string, parts: string[], close: string, indent: string): string {
  const flat = `${open}${parts.join(", ")}${close}`;
  if (parts.length === 0 || (flat.length + indent.length <= 100 && !flat.includes("\n"))) return flat;
  return `${open}\n${parts.map((p) => `${indent}  ${p}`).join(",\n")}\n${indent}${close}`;
}

/** The diagnostic notation of an envelope that decodeEnvelope() has checked. */
export function diagnostic(bytes: Uint8Array): string {
  return new DiagWriter(bytes).item(decodeItem(bytes), "envelope", "");
}
