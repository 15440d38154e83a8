// How every command begins.

import type { Command } from "commander";
import { withJson } from "../common/options.js";

/** Commands of `under` that share a name before their own. */
export function group(under: Command, name: string, description: string): Command {
  return under
    .command(name)
    .description(description)
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
}

/** A command of `under`, which is the program or a group. */
export function command(under: Command, name: string, description: string): Command {
  return withJson(group(under, name, description));
}
