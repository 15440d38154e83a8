import { existsSync } from "node:fs";
import { byteWords, inputName, keyWords, STDIO, usage, warn } from "@firmseal/keys/internal";
import { type Product, type VerifiedRelease, verifyRelease } from "@firmseal/release";
import {
  envelopeOf,
  imageIn,
  openWithTrialKey,
  PRODUCT_FILE,
  readDraft,
  readEnvelopeFile,
  refuseIncomplete,
  type TrustedKeys,
  type TrustOptions,
  trustedKeys,
  type VerifiedBoard,
} from "@firmseal/release/internal";
import { decodeEnvelope, formatSequence } from "@firmseal/verifier/tools";
import { commandArgument, define, option } from "../../command.js";
import { passphrases, payload, productFile, refuseMissingFirst, threshold, trusted, wholeNumber } from "../../common/options.js";
import { checkNewOutput, deliver, refuseTerminal } from "../../common/output.js";
import { folderAt, onlyBoard, refuseBoardOf, shownFolder } from "../../common/release/folder-boards.js";
import { onDemand } from "../../common/release/on-demand.js";
import { isAmongReleases } from "../../common/release/signatures.js";
import { DIGEST_SHAPE, membersOf, NUMBER, OUT, SIGNER, TEST_KEYS, TRUST_SHAPE } from "../../common/shapes.js";
import { numberWords, versionFacts } from "../../common/words.js";

interface ExtractOptions extends TrustOptions {
  out: string;
  product?: string;
  board?: string;
  component?: number;
  slot?: number;
  payload?: string[];
  allowUnverified?: boolean;
  json?: boolean;
}

/** Whose signatures count: those of keys that are given, or of a product, or of nobody. */
async function trustedBy(o: ExtractOptions): Promise<{ whom: TrustedKeys } | { product: Product } | undefined> {
  const given = [o.key, o.trust, o.threshold, o.root, o.previousTrust].some((one) => one !== undefined);
  if (o.allowUnverified) {
    if (given || o.role !== undefined || o.product !== undefined)
      throw usage("--allow-unverified: trusted keys are given too", "drop one of them");
    return undefined;
  }
  if (o.product !== undefined && given)
    throw usage("--product: the product file gives the trusted keys", "drop --key, --trust and their options");
  if (given) return { whom: await trustedKeys(o) };
  if (o.product === undefined && !existsSync(PRODUCT_FILE))
    throw usage(
      "no trusted keys: what is extracted may be signed again",
      "give the signer's public key: --key PUB, or a trust file; --allow-unverified takes an image of anybody",
    );
  const { readProduct } = await onDemand();
  return { product: readProduct(o.product ?? PRODUCT_FILE) };
}

/** The envelope at a path, or that of a board in the folder of a release. */
async function envelopeAt(
  given: string,
  { board, product }: ExtractOptions,
  verifies: boolean,
): Promise<{ path: string; envelope: Uint8Array }> {
  const folder = await shownFolder(given, board);
  if (!folder) {
    const envelope = readEnvelopeFile(given);
    refuseBoardOf(given, board);
    return { path: given, envelope };
  }
  const only = onlyBoard(folder);
  if (verifies) refuseIncomplete(folder, only, product);
  return await envelopeOf(folder, only);
}

/** A release of which an image is taken out. */
interface Opened extends Pick<VerifiedRelease, "manifest" | "outline" | "signers"> {
  readonly path: string;
  readonly whom?: TrustedKeys;
}

/** Whether devices take it, and its payloads, are matters of the release that is made from the image. */
const ACCEPTED = { withoutPayloads: true, allowNoDevice: true, allowNoStart: true };

/** Opens a release of a product: it must be for its board, and nothing else. */
async function openedFor(given: string, product: Product, o: ExtractOptions): Promise<Opened> {
  const { verifyProduct } = await onDemand();
  const folder = await folderAt(given, o.board);
  if (folder) refuseIncomplete(folder, onlyBoard(folder), o.product);
  const { releases, whom } = await verifyProduct(given, product, { ...o, ...ACCEPTED });
  return { ...(releases[0] as VerifiedBoard), whom };
}

/** Opens a release: verified, or as its own manifest says. */
async function opened(given: string, o: ExtractOptions): Promise<Opened> {
  refuseMissingFirst(given, o);
  const by = await trustedBy(o);
  if (by && "product" in by) return openedFor(given, by.product, o);
  const { path, envelope } = await envelopeAt(given, o, by !== undefined);
  if (by) {
    const verified = await verifyRelease(path, envelope, by.whom, { ...o, ...ACCEPTED });
    if (isAmongReleases(path)) (await onDemand()).refuseWithdrawnAround(path, verified.outline, by.whom);
    return { ...verified, path, whom: by.whom };
  }
  const manifest = await openWithTrialKey(readDraft(envelope));
  return { path, manifest, outline: decodeEnvelope(envelope), signers: [] };
}

/** Writes the image of a release to a file. */
async function extract(given: string, o: ExtractOptions) {
  if (o.out === STDIO && !o.json) refuseTerminal(o.out, "--out");
  checkNewOutput(o.out, "--out");
  const { path, manifest, outline, signers, whom } = await opened(given, o);
  const { component, slot, payload: files } = o;
  const { content, ...image } = imageIn(path, manifest, {
    ...(component !== undefined && { component }),
    ...(slot !== undefined && { slot }),
    ...(files && { payload: files }),
  });
  if (!whom) warn(`${inputName(path)}: its signatures were not checked: anybody can have made this image`);
  const member = deliver(o.out, content, o.json, { fresh: o.out !== STDIO });
  return {
    out: o.out,
    bytes: content.length,
    verified: whom !== undefined,
    sequence: formatSequence(manifest.sequence),
    ...versionFacts(outline),
    ...image,
    signers: [...signers],
    testKeys: whom?.testKeys ?? [],
    ...(whom?.trust && { trust: whom.trust }),
    ...member,
  };
}

export default define({
  name: "extract",
  summary: "write the image of a release to a file, after comparing it with the manifest",
  arguments: [commandArgument("<envelope>", "envelope, - for stdin, or the folder of a release")],
  options: () => [
    option("-o, --out <file>", "new file for the image, or - for stdout", { required: true }),
    ...trusted(),
    threshold(),
    productFile(),
    option("--board <name>", "for a folder: board of the release"),
    option("--component <n>", "if there are several images: index of the component that holds it", { parse: wholeNumber }),
    option("--slot <n>", "if there are several images: slot in which a device installs it", { parse: wholeNumber }),
    payload(),
    option("--allow-unverified", "take the image even though no signature is checked"),
    ...passphrases(),
  ],
  examples: [
    ["firmseal extract fw.suit --key release.jwk --out fw.bin", "the image of a release that this key has signed"],
    [
      "firmseal extract dist/1.4.2 --board gateway --slot 0 --out a.bin",
      "the image of a board in one slot, by the keys of the product file",
    ],
  ],
  json: {
    ...OUT,
    verified: ["boolean", "whether the signatures were verified"],
    ...NUMBER,
    component: ["number", "index of the component that holds the image"],
    uri: ["string", "where devices get it: # inside the envelope"],
    digest: ["object", "its digest, by the manifest"],
    ...membersOf("digest", DIGEST_SHAPE),
    signers: ["object[]", "trusted keys that signed"],
    ...membersOf("signers[]", SIGNER),
    ...TEST_KEYS,
    ...TRUST_SHAPE,
  },
  run: extract,
  words: (f, path) => {
    const by = f.verified ? `signed by ${f.signers.map(keyWords).join(", ")}` : "signatures not verified";
    return [`${f.out}: ${byteWords(f.bytes)}, the image of component ${f.component} of ${inputName(path)}, ${numberWords(f)}, ${by}`];
  },
});
