import { basename, extname } from "node:path";
import { readAll, visible } from "@firmseal/keys";
import { digestText, encodeDescription, LIMITS } from "@firmseal/release";
import { decimal } from "@firmseal/verifier/number";
import { peek } from "@firmseal/verifier/peek";
import { checkOutput, deliver } from "../../common/output.js";
import { json, say } from "../../show/ui.js";

export interface CreateOptions {
  from: string;
  out?: string;
  json?: boolean;
}

/** The input's name with the extension .suit, in the current directory. stdin goes to stdout. */
export function outputName(input: string): string {
  return input === "-" ? "-" : `${basename(input, extname(input))}.suit`;
}

/** Makes an unsigned envelope from a description. */
export async function create(o: CreateOptions): Promise<void> {
  const out = o.out ?? outputName(o.from);
  checkOutput(out, "--out", [o.from], true);
  const { envelope, warnings } = await encodeDescription(readAll(o.from, LIMITS.description), o.from);
  const outline = peek(envelope);
  const sequence = decimal(outline.structure.sequence);
  const member = deliver(out, envelope, o.json);
  if (o.json)
    json({
      ok: true,
      code: 0,
      out,
      bytes: envelope.length,
      sequence,
      digest: outline.digest && digestText(outline.digest),
      warnings,
      ...member,
    });
  else say(`${visible(out)}: sequence number ${sequence}, ${envelope.length} bytes, not signed`);
}
