// Descriptions: ours and those of the retired reference tool, whose files are not there or are what the description
// says about itself.

import { DescriptionError, encode, importSuitTool, isDescription, resolve } from "@firmseal/signer";
import { open } from "@firmseal/verifier";
import { decodeEnvelope } from "@firmseal/verifier/tools";
import { descriptionSeeds } from "../common/descriptions.js";
import { Finding, refusal, type Target } from "../common/verdict.js";
import { told } from "../common/words.js";

export const seeds = () => descriptionSeeds();

const FILE = Uint8Array.from(Buffer.from("a payload"));
const files = { hash: async () => ({ digest: new Uint8Array(32), size: FILE.length }), read: async () => FILE };

export const fuzz: Target = (bytes) =>
  told(async () => {
    let value: unknown;
    try {
      value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    } catch {
      return;
    }
    if (typeof value !== "object" || value === null) return;
    const description = isDescription(value) ? value : importSuitTool(value).description;
    const envelope = encode(await resolve(description, files));
    // what is written can be read: the reader's refusals are those of a manifest that says what none may
    if (refusal(() => decodeEnvelope(envelope)) < 20) {
      const code = refusal(() => decodeEnvelope(envelope));
      if (code !== 0) throw new Finding(`what was encoded is refused with ${code}`);
    }
    refusal(() => open(envelope, { anchors: [] }));
    if (!(envelope instanceof Uint8Array)) throw new DescriptionError("/", "is nothing");
  });
