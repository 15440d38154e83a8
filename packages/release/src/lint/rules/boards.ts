// Rules about the devices that a release is for.

import { componentWords } from "@firmseal/behaviour";
import { byteWords, grouped } from "@firmseal/keys/internal";
import { formatUuid, identityUuids } from "@firmseal/signer";
import type { Board, ProductImage } from "../../product/file/product.js";
import type { LintContext, Rule } from "../rule.js";

const isForNoBoard = (pair: string) => pair.split("/").includes("-");

/** vendor/class of each class of a board, as in the scope of a release. */
export function pairsOf(vendor: string, { classes }: Board): string[] {
  return classes.map((name) => {
    const id = identityUuids(vendor, name);
    return `${formatUuid(id.vendor)}/${formatUuid(id.class)}`;
  });
}

/** The component of an image, as words name it. */
const nameOf = ({ component }: ProductImage) => component ?? "00";

/** The bytes in the slot of a component: undefined if the product file does not say. */
function slotSize(board: Board, component: string, slot: number | undefined): number | undefined {
  const sizes = board.images.find((image) => nameOf(image) === component)?.sizes ?? [];
  const known = sizes.filter((size) => size !== undefined);
  const own = slot === undefined ? undefined : sizes[slot];
  return own ?? (known.length > 0 ? Math.min(...known) : undefined);
}

function tooLarge({ release, boards }: LintContext): string[] {
  const out = new Set<string>();
  const { explained } = release;
  for (const board of boards ?? [])
    for (const { slot, install } of explained?.behaviours ?? [])
      for (const { what, component, bytes, uri } of install) {
        if (bytes === undefined || what === "compare" || what === "check-content") continue;
        const name = componentWords(explained?.components[component] ?? []);
        const size = slotSize(board, name, slot);
        if (size !== undefined && bytes > size)
          out.add(`${uri ?? `component ${name}`} has ${byteWords(bytes)}, and its slot on board ${board.name} has ${grouped(size)}`);
      }
  return [...out];
}

export const boardRules: readonly Rule[] = [
  {
    id: "L20",
    name: "board-missing",
    severity: "error",
    title: "The release does not say which devices it is for",
    why: "Devices compare vendor and class before they install. Without both, they refuse the release, or other devices install it.",
    fix: "Compare vendor-identifier and class-identifier in the shared sequence, as firmseal sign and release do.",
    check: ({ release }) =>
      release.scope.some(isForNoBoard) ? [`the release is for ${release.scope.filter(isForNoBoard).join(", ")} (vendor/class)`] : [],
  },
  {
    id: "L21",
    name: "board-unknown",
    severity: "error",
    title: "The release is for devices that the product does not have",
    why: "It was made with a wrong class or vendor, and the intended devices refuse it.",
    fix: "Correct the class, or add the board to the product file.",
    needs: ["product"],
    check: ({ release, product }) => {
      const known = new Set((product?.boards ?? []).flatMap((board) => pairsOf(product?.vendor ?? "", board)));
      const other = release.scope.filter((pair) => !isForNoBoard(pair) && !known.has(pair));
      return other.map((pair) => `the release is for ${pair} (vendor/class), which is not a board of ${product?.name}`);
    },
  },
  {
    id: "L22",
    name: "slot-too-small",
    severity: "error",
    title: "A payload is larger than its slot",
    why: "The device runs out of flash while it installs, after it has downloaded the payload.",
    fix: "Make the image smaller, or correct the size of the slot in the product file.",
    needs: ["product"],
    check: tooLarge,
  },
];
