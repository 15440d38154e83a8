// What trust verify and trust export verify a trust file against.

import type { PassphraseOptions } from "@firmseal/keys/internal";
import type { Option } from "commander";
import { option } from "../../command.js";

export interface PinnedOptions extends PassphraseOptions {
  root?: string[];
  previousTrust?: string;
  json?: boolean;
}

export function pins(): Option[] {
  return [
    option("--root <file>", "root key that must have signed, from a trusted source", { repeat: true }),
    option("--previous-trust <file>", "the previous trust file"),
  ];
}
