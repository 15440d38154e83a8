import { grouped } from "@firmseal/keys/internal";
import { readFleet } from "@firmseal/release";
import { type NextResult, nameWords, readArchive, whatNext } from "@firmseal/release/internal";
import { define, option } from "../../command.js";
import { productFile } from "../../common/options.js";
import { hasBoards, NAMES, REASONS, trustWords } from "../../common/release/cohorts.js";
import { type BoardsOfRows, boardsOfRows, productAsked } from "../../common/release/product-names.js";
import { membersOf } from "../../common/shapes.js";

interface NextOptions {
  fleet: string;
  product?: string;
  archive: string;
  json?: boolean;
}

const nextFacts = ({ names, path, ...r }: NextResult, boards: BoardsOfRows) => ({
  ...r,
  rows: names.length,
  names: names.slice(0, NAMES),
  ...boards(names),
  next: path[0] ?? null,
  path: [...path],
});

/** Finds what each cohort needs next, from a folder of bridges. Writes nothing. */
async function next(o: NextOptions) {
  const product = await productAsked(o.product);
  const fleet = await readFleet(o.fleet, product);
  const boards = boardsOfRows(product, fleet);
  return { cohorts: whatNext(fleet, await readArchive(o.archive)).map((one) => nextFacts(one, boards)) };
}

export default define({
  name: "rotate next",
  summary: "show which file of an archive each cohort of a fleet needs next",
  options: () => [
    option("--fleet <file>", "the devices in the field: .json, .jsonl or .csv", { required: true }),
    productFile(),
    option("--archive <folder>", "folder of bridges, releases and trust files: .suit and .trust", { required: true }),
  ],
  examples: [
    ["firmseal rotate next --fleet fleet.csv --archive bridges", "which bridge to offer to which devices"],
    ["firmseal rotate next --fleet device.json --archive bridges --json", "the same for an update server"],
  ],
  json: {
    cohorts: ["object[]", "cohorts in the same state share an entry"],
    ...membersOf("cohorts[]", {
      name: ["string", "name of the first of them"],
      rows: ["number", "how many rows of the fleet file they are"],
      names: ["string[]", "their names, the first 8"],
      "boards?": ["string[]", "with a product file: their boards"],
      devices: ["number", "number of their devices"],
      floor: ["object", "their floors"],
      ...membersOf("floor", { lowest: ["string", "the lowest"], highest: ["string", "the highest"] }),
      trust: ["object", "trust file of the devices"],
      ...membersOf("trust", {
        before: ["string|null", "its sequence number before; null: keys in the firmware"],
        after: ["string|null", "its sequence number at the end of the path"],
      }),
      next: ["string|null", "what they need next; null: nothing of the archive"],
      path: ["string[]", "this and what follows, in order"],
      complete: ["boolean", "whether the path ends at the newest trust file, and they refuse nothing that is for them"],
      why: ["string|null", "the reason, if it is not complete"],
    }),
  },
  run: next,
  words: ({ cohorts }) => [
    {
      table: {
        columns: [
          { title: "cohort" },
          ...(hasBoards(cohorts) ? [{ title: "board" }] : []),
          ...[{ title: "devices", right: true }, { title: "trust" }, { title: "next" }, { title: "then" }],
        ],
        rows: cohorts.map((r) => [
          nameWords(r),
          ...(hasBoards(cohorts) ? [r.boards?.join(", ") ?? ""] : []),
          ...[grouped(r.devices), trustWords(r.trust), r.next ?? "-", r.path.slice(1).join(", ")],
        ]),
      },
    },
    ...cohorts.flatMap((r) => (r.why === null ? [] : [`${nameWords(r)}: ${r.why}`])).slice(0, REASONS),
  ],
});
