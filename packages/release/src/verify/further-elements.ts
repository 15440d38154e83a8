// The elements of a manifest that no device of this project runs, and that decodeEnvelope() passes over: dependencies,
// the component of the manifest itself, and the version. For inspect.

import { exactArgument, type LooseItem, looseItemIn, openedItem, under } from "@firmseal/behaviour";
import {
  COM_DEPENDENCIES,
  DEP_PREFIX,
  MAN_COMMON,
  MAN_COMPONENT_ID,
  MAN_SET_VERSION,
  toHex,
  type UnverifiedEnvelope,
} from "@firmseal/verifier/tools";

/** A dependency of a manifest. */
export interface DependencyFacts {
  /** Its index, in decimal. */
  index: string;
  /** The identifier that devices store it under: hex of each part. Null: none. */
  prefix: string[] | null;
}

/** A value in a form that the specification does not have is "cbor" and its encoding in hex. */
export interface FurtherElements {
  dependencies: DependencyFacts[];
  /** Where devices store the manifest itself: hex of each part. */
  manifestComponent: string[] | null;
  /** The version that the manifest gives, as text: 2.0-rc.1. */
  setVersion: string | null;
}

/** Kinds of version by their negative numbers (update management §3). */
const KINDS: readonly string[] = ["", "rc", "beta", "alpha"];

function cborText(bytes: Uint8Array, { at, end }: LooseItem): string {
  return `cbor ${toHex(bytes.subarray(at, end))}`;
}

const isNumber = ({ kind }: LooseItem) => kind === "unsigned" || kind === "negative";

/** The identifier of a component: hex of each part. */
function identifier(bytes: Uint8Array, item: LooseItem): string[] {
  const isWhole = item.kind === "array" && item.items.every(({ kind, value }) => kind === "bytes" && value >= 0);
  return isWhole ? item.items.map(({ body, end }) => toHex(bytes.subarray(body, end))) : [cborText(bytes, item)];
}

function versionText(bytes: Uint8Array, item: LooseItem): string {
  const list = openedItem(bytes, item);
  if (item.kind !== "bytes" || list?.kind !== "array" || list.items.length === 0 || !list.items.every(isNumber))
    return cborText(bytes, item);
  return list.items
    .map((one, i) => {
      const n = exactArgument(one);
      const kind = n < 0 ? KINDS[Number(-n)] : undefined;
      return kind ? `-${kind}` : `${i > 0 ? "." : ""}${n}`;
    })
    .join("");
}

function dependencies(bytes: Uint8Array, map: LooseItem): DependencyFacts[] {
  if (map.kind !== "map") return [{ index: cborText(bytes, map), prefix: null }];
  const out: DependencyFacts[] = [];
  for (let i = 0; i + 1 < map.items.length; i += 2) {
    const [key, value] = [map.items[i], map.items[i + 1]] as [LooseItem, LooseItem];
    const prefix = under(value, DEP_PREFIX);
    const isOther = value.kind !== "map" || value.items.length !== (prefix ? 2 : 0);
    out.push({
      index: key.kind === "unsigned" ? String(exactArgument(key)) : cborText(bytes, key),
      prefix: isOther ? [cborText(bytes, value)] : prefix ? identifier(bytes, prefix) : null,
    });
  }
  return out;
}

/** Reads the further elements of an envelope that decodeEnvelope() has read from `bytes`. */
export function furtherElements(bytes: Uint8Array, { envelope }: Pick<UnverifiedEnvelope, "envelope">): FurtherElements {
  const manifest = looseItemIn(bytes, envelope.manifestElement.inside);
  const listed = under(openedItem(bytes, under(manifest, MAN_COMMON)), COM_DEPENDENCIES);
  const [own, version] = [under(manifest, MAN_COMPONENT_ID), under(manifest, MAN_SET_VERSION)];
  return {
    dependencies: listed ? dependencies(bytes, listed) : [],
    manifestComponent: own ? identifier(bytes, own) : null,
    setVersion: version ? versionText(bytes, version) : null,
  };
}
