import { basename, extname } from "node:path";
import { readAll, visible } from "@firmseal/keys";
import { digestText, encodeDescription, LIMITS } from "@firmseal/release";
import { checkOutput, deliver } from "../../output.js";
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
  const { draft, warnings } = await encodeDescription(readAll(o.from, LIMITS.description), o.from);
  const [envelope, sequence] = [draft.bytes, String(draft.sequence)];
  const member = deliver(out, envelope, o.json);
  if (o.json)
    json({
      ok: true,
      code: 0,
      out,
      bytes: envelope.length,
      sequence,
      digest: digestText(draft.digest),
      warnings,
      ...member,
    });
  else say(`${visible(out)}: sequence number ${sequence}, ${envelope.length} bytes, not signed`);
}
