// The headers of signatures that no device evaluates: content type, IV and Partial IV. RFC 9052 §3.1 gives them types,
// and lets only one of the last two be there. A device skips them, and loses nothing; another reader refuses the
// message.

import { unlessThrown } from "@firmseal/signer";
import { decodeItem, type Item, readSlice, type UnverifiedEnvelope } from "@firmseal/verifier/tools";

const CONTENT_TYPE = 3;
const IV = 5;
const PARTIAL_IV = 6;

const NAMES: { readonly [label: number]: { readonly name: string; readonly kinds: readonly Item["kind"][]; readonly is: string } } = {
  [CONTENT_TYPE]: { name: "content type", kinds: ["text", "unsigned"], is: "text, or a number from 0" },
  [IV]: { name: "IV", kinds: ["bytes"], is: "bytes" },
  [PARTIAL_IV]: { name: "Partial IV", kinds: ["bytes"], is: "bytes" },
};

/** The labels that are integers, with the kinds of their values. */
function labelsOf(header: Item | undefined): Map<number, Item["kind"]> {
  const found = new Map<number, Item["kind"]>();
  const items = header?.kind === "map" ? header.items : [];
  for (let i = 0; i + 1 < items.length; i += 2) {
    const [label, value] = [items[i], items[i + 1]] as [Item, Item];
    if (label.kind === "unsigned" || label.kind === "negative") found.set(label.value, value.kind);
  }
  return found;
}

/** The faults in both headers of one layer: of a message, or of one of its signatures. */
function layerFaults(bytes: Uint8Array, [inside, outside]: readonly Item[]): string[] {
  const isEmpty = !inside || inside.body === inside.end;
  const all = new Map([...labelsOf(isEmpty ? undefined : decodeItem(bytes.subarray(inside.body, inside.end))), ...labelsOf(outside)]);
  const faults = [...all].flatMap(([label, kind]) => {
    const row = NAMES[label];
    return row && !row.kinds.includes(kind) ? [`header ${label}, ${row.name}, is not ${row.is}`] : [];
  });
  return all.has(IV) && all.has(PARTIAL_IV) ? [...faults, "headers 5 and 6, IV and Partial IV, exclude each other"] : faults;
}

/** What is wrong with the headers of the signatures of an envelope, in words. */
export function headerFaults({ envelope }: UnverifiedEnvelope): string[] {
  if (!envelope.wrapper) return [];
  const bytes = Uint8Array.from(readSlice(envelope.input, envelope.wrapper.inside));
  // the digest comes first
  const faults = decodeItem(bytes)
    .items.slice(1)
    .flatMap(({ body, end }) => {
      const block = bytes.subarray(body, end);
      const parts = decodeItem(block).items[0]?.items ?? [];
      const layers = [parts, ...(parts[3]?.kind === "array" ? parts[3].items.map(({ items }) => items) : [])];
      return layers.flatMap((layer) => unlessThrown(() => layerFaults(block, layer)) ?? []);
    });
  return [...new Set(faults)];
}
