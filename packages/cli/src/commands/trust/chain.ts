import { byteWords, plural } from "@firmseal/keys/internal";
import { chainOf } from "@firmseal/release/internal";
import { trustName } from "@firmseal/signer";
import { formatSequence } from "@firmseal/verifier/tools";
import { commandArgument, define, option } from "../../command.js";
import { checkOutput, deliver } from "../../common/output.js";
import { OUT } from "../../common/shapes.js";

/** Joins trust files into a chain, so that one release moves devices that have any of them. */
async function chain(paths: string[], o: { out: string; json?: boolean }) {
  checkOutput(o.out, "--out", paths, "trust file");
  const { bytes, files } = chainOf(paths);
  const [first, last] = [files[0], files.at(-1)] as [(typeof files)[number], (typeof files)[number]];
  const member = deliver(o.out, bytes, o.json);
  return {
    out: o.out,
    bytes: bytes.length,
    name: trustName(last.store),
    first: formatSequence(first.store.sequence),
    last: formatSequence(last.store.sequence),
    files: files.map(({ path }) => path),
    ...member,
  };
}

export default define({
  name: "trust chain",
  summary: "join trust files into a chain, for devices that missed some of them",
  arguments: [commandArgument("<files...>", "trust files of one line, with numbers that follow each other, in any order")],
  options: () => [option("-o, --out <file>", "output file, or - for stdout", { required: true })],
  examples: [
    ["firmseal trust chain fleet-2.trust fleet-3.trust fleet-4.trust --out chain.trust", "for devices that have number 1, 2 or 3"],
    ["firmseal trust chain fleet-2.trust fleet-3.trust --out chain.trust --json", "the same for scripts"],
  ],
  json: {
    ...OUT,
    name: ["string", "name of the line of trust files"],
    first: ["string", "lowest sequence number"],
    last: ["string", "sequence number that devices have afterwards"],
    files: ["string[]", "the files, in the order of the chain"],
  },
  run: chain,
  words: (f) => [
    `${f.out}: ${plural(f.files.length, "trust file")} of ${f.name}, from sequence number ${f.first} to ${f.last}, ${byteWords(f.bytes)}`,
  ],
});
