// Vectors that must be accepted: the forms that are allowed, bounds that just hold, and names that must not be special.

import type { Made } from "./adder.js";
import { ENVELOPES } from "./positive-envelope.js";
import { INSTALLATIONS } from "./positive-install.js";
import { toolsOf } from "./positive-tools.js";

export async function positives(): Promise<Made[]> {
  const tools = toolsOf();
  for (const section of [...ENVELOPES, ...INSTALLATIONS]) await section(tools);
  return tools.out;
}
