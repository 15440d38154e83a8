import { inputName } from "@firmseal/keys/internal";
import { explain, releaseDifference } from "@firmseal/release";
import { readEnvelopeFile, withFileName } from "@firmseal/release/internal";
import { commandArgument, define } from "../../command.js";
import { productFile } from "../../common/options.js";
import { differenceLines } from "../../common/release/difference.js";
import { namedLines, namesOfProduct, productHere } from "../../common/release/product-names.js";
import { DIFFERENCE, NAMES_SHAPE } from "../../common/shapes.js";

interface DiffOptions {
  product?: string;
  json?: boolean;
}

async function diffReleases(before: string, after: string, o: DiffOptions) {
  const read = async (path: string) => {
    try {
      return await explain(readEnvelopeFile(path));
    } catch (e) {
      throw withFileName(inputName(path), e);
    }
  };
  const names = await namesOfProduct(await productHere(o.product, o.json === true));
  return {
    verified: false,
    ...releaseDifference(await read(before), await read(after)),
    ...names,
  };
}

export default define({
  name: "diff",
  summary: "show what changes for devices between two releases, without verifying signatures",
  arguments: [commandArgument("<before>", "envelope of the earlier release"), commandArgument("<after>", "envelope of the later one")],
  options: () => [productFile()],
  examples: [
    ["firmseal diff fw-1.4.1.suit fw-1.4.2.suit", "in words"],
    ["firmseal diff fw-1.4.1.suit fw-1.4.2.suit --json", "for a script"],
  ],
  json: {
    verified: ["boolean", "false: signatures are not verified"],
    ...DIFFERENCE,
    ...NAMES_SHAPE,
  },
  run: diffReleases,
  words: (f) => [{ lines: namedLines(differenceLines(f), f.names) }],
});
