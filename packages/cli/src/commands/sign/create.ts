import { byteWords, readAll } from "@firmseal/keys/internal";
import { encodeDescription, formatDigest, LIMITS } from "@firmseal/release/internal";
import { define, option } from "../../command.js";
import { allowKeyAsImage, replace } from "../../common/options.js";
import { checkOutput, checkRelease, deliverOver, judgeRelease, outputName } from "../../common/output.js";
import { DIGEST_SHAPE, membersOf, NUMBER, OUT } from "../../common/shapes.js";
import { numberWords, versionFacts } from "../../common/words.js";

interface CreateOptions {
  from: string;
  out?: string;
  replace?: boolean;
  allowKeyAsImage?: boolean;
  json?: boolean;
}

async function createEnvelope(o: CreateOptions) {
  const out = o.out ?? outputName(o.from);
  checkOutput(out, "--out", [o.from], "envelope");
  const { draft, warnings } = await encodeDescription(readAll(o.from, LIMITS.description), o.from, o);
  const envelope = draft.bytes;
  checkRelease(out, envelope, o.replace);
  const member = await deliverOver(out, envelope, o.json, judgeRelease(out, envelope, o));
  return {
    out,
    bytes: envelope.length,
    sequence: String(draft.sequence),
    ...versionFacts(draft.outline),
    digest: formatDigest(draft.digest),
    warnings,
    ...member,
  };
}

export default define({
  name: "create",
  summary: "create an unsigned envelope from a description",
  options: () => [
    option("--from <path>", "description (JSON), or - for stdin", { required: true }),
    option("-o, --out <file>", "output file, or - for stdout (default: the input's name with .suit, beside it)"),
    replace(),
    allowKeyAsImage(),
  ],
  examples: [
    ["firmseal create --from release.json", "release.suit, not signed"],
    ["firmseal create --from - --out - < release.json > release.suit", "in a pipe"],
  ],
  json: {
    ...OUT,
    ...NUMBER,
    digest: ["object", "digest of the manifest"],
    ...membersOf("digest", DIGEST_SHAPE),
    warnings: ["string[]", "what may be a mistake in the description"],
  },
  run: createEnvelope,
  words: (f) => [`${f.out}: ${numberWords(f)}, ${byteWords(f.bytes)}, not signed`],
});
