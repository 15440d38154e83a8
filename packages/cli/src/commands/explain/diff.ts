import { inputName, shellWord, someOf, usage } from "@firmseal/keys/internal";
import { explain, releaseDifference } from "@firmseal/release";
import { folderChanges, type ReleaseFolder, readEnvelopeFile, refuseOtherRelease, withFileName } from "@firmseal/release/internal";
import { commandArgument, define, option } from "../../command.js";
import { productFile } from "../../common/options.js";
import { differenceLines } from "../../common/release/difference.js";
import { missingBoards, productFor, refuseBoardOf, shownFolder } from "../../common/release/folder-boards.js";
import { BOARDS, missingLines } from "../../common/release/folder-words.js";
import { namedLines, namesOfProduct, productHere } from "../../common/release/product-names.js";
import { changeLines } from "../../common/release/release-facts.js";
import { DIFFERENCE, membersOf, NAMES_SHAPE, optional } from "../../common/shapes.js";

interface DiffOptions {
  product?: string;
  board?: string;
  json?: boolean;
}

const readExplained = async (path: string) => {
  try {
    return await explain(readEnvelopeFile(path));
  } catch (e) {
    throw withFileName(inputName(path), e);
  }
};

/** Compares the folders of two releases, board by board. */
async function diffFolders(before: ReleaseFolder, after: ReleaseFolder, o: DiffOptions) {
  const product = await productFor(after, o);
  refuseOtherRelease(before.path, before.record, after.record);
  return {
    verified: false,
    boards: await folderChanges(before, after),
    missing: [before, after].flatMap(missingBoards),
    ...(await namesOfProduct(product)),
  };
}

async function diffReleases(before: string, after: string, o: DiffOptions) {
  const [old, next] = [await shownFolder(before, o.board), await shownFolder(after, o.board)];
  if (old && next) return diffFolders(old, next, o);
  const folder = old ?? next;
  if (folder)
    throw usage(
      `${folder.path} is the folder of a release, and ${inputName(old ? after : before)} is an envelope`,
      `name the envelope of the board: ${someOf(folder.boards.map(({ path }) => shellWord(path)))}`,
    );
  refuseBoardOf(before, o.board);
  const product = await productHere(o.product, o.json === true);
  return {
    verified: false,
    ...releaseDifference(await readExplained(before), await readExplained(after)),
    ...(await namesOfProduct(product)),
  };
}

export default define({
  name: "diff",
  summary: "show what changes for devices between two releases, without verifying signatures",
  arguments: [
    commandArgument("<before>", "envelope or folder of the earlier release"),
    commandArgument("<after>", "envelope or folder of the later one"),
  ],
  options: () => [productFile(), option("--board <name>", "for folders: only this board of the releases")],
  examples: [
    ["firmseal diff fw-1.4.1.suit fw-1.4.2.suit", "two envelopes, in words"],
    ["firmseal diff dist/1.4.1 dist/1.4.2 --json", "every board of two releases, for a script"],
  ],
  json: {
    verified: ["boolean", "false: signatures are not verified"],
    ...optional(DIFFERENCE),
    ...BOARDS,
    "boards?": ["object[]", "for two folders: each board, those of the later release first"],
    ...membersOf("boards?[]", {
      board: ["string", "name of the board"],
      state: ["string", "changed, new or gone"],
      before: ["object|null", "the envelope before; null if there is none"],
      ...membersOf("before", { file: ["string", "its path"], version: ["string", "version of the release"] }),
      difference: [
        "object|null",
        "what changes, with the members that the JSON for two envelopes has; null if only one release has the board",
      ],
    }),
    ...NAMES_SHAPE,
  },
  run: diffReleases,
  words: (f) => {
    const lines =
      "boards" in f
        ? [
            ...missingLines(f.missing),
            ...f.boards.flatMap((one) => changeLines({ ...one, lines: one.difference ? differenceLines(one.difference) : [] })),
          ]
        : differenceLines(f);
    return [{ lines: namedLines(lines, f.names) }];
  },
});
