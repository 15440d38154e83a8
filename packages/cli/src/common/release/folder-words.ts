// What commands say about the boards in the folder of a release, in JSON and in words.

import { membersOf, type Shape } from "../shapes.js";

/** A board that others still have to sign. */
export interface MissingBoard {
  /** The folder. */
  path: string;
  board: string;
  signed: number;
  needed: number;
}

/** What the JSON of a folder has. A board has the members that the JSON of its envelope has. */
export const BOARDS: Shape = {
  "boards?": ["object[]", "for a folder: each board, with its name as board, its envelope as path, and what the JSON of that envelope has"],
  "missing?": ["object[]", "for a folder: boards that others still have to sign"],
  ...membersOf("missing?[]", {
    path: ["string", "the folder"],
    board: ["string", "name of the board"],
    signed: ["number", "how many have signed"],
    needed: ["number", "how many must sign"],
  }),
};

/** One line for each board that others still have to sign. */
export const missingLines = (missing: readonly MissingBoard[]): string[] =>
  missing.map(({ path, board, signed, needed }) => `${path}: others still have to sign board ${board}: ${signed} of ${needed} signed`);

/** The lines of each board, below its name. */
export const boardLines = <T extends { readonly board: string }>(boards: readonly T[], lines: (one: T) => readonly string[]): string[] =>
  boards.flatMap((one) => [`board ${one.board}:`, ...lines(one).map((line) => `  ${line}`)]);
