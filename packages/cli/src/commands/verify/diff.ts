import { difference, explain, readEnvelopeFile } from "@firmseal/release";
import { commandArgument, define } from "../../command.js";
import { differenceLines } from "../../common/difference.js";
import { DIFFERENCE } from "../../common/shapes.js";

async function diffReleases(before: string, after: string) {
  const read = (path: string) => explain(readEnvelopeFile(path));
  return { verified: false, ...difference(await read(before), await read(after)) };
}

export default define({
  name: "diff",
  summary: "show what changes for devices between two releases, without verifying signatures",
  arguments: [commandArgument("<before>", "envelope of the earlier release"), commandArgument("<after>", "envelope of the later one")],
  examples: [
    ["firmseal diff fw-1.4.1.suit fw-1.4.2.suit", "in words"],
    ["firmseal diff fw-1.4.1.suit fw-1.4.2.suit --json", "for a script"],
  ],
  json: {
    verified: ["boolean", "false: signatures are not verified"],
    ...DIFFERENCE,
  },
  run: diffReleases,
  words: (f) => [{ lines: differenceLines(f) }],
});
