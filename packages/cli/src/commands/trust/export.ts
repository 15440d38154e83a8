import { byteWords, STDIO, usage, warnOfTestKeys } from "@firmseal/keys/internal";
import { exportAll, exportRole, keysOf, readKnownTrust } from "@firmseal/release/internal";
import { commandArgument, define, option } from "../../command.js";
import { passphrases, policyRoles } from "../../common/options.js";
import { checkOutput, deliver } from "../../common/output.js";
import { OUT } from "../../common/shapes.js";
import { type PinnedOptions, pins } from "../../common/trust/pins.js";

interface ExportOptions extends PinnedOptions {
  format: "js" | "h" | "bin";
  role?: "release" | "debug" | "recovery";
  vendor?: string;
  class?: string;
  out: string;
}

/** Writes what a device embeds: the file, or the keys of one role. */
async function exportTrust(path: string, o: ExportOptions) {
  const { store, bytes } = await readKnownTrust(path, o);
  warnOfTestKeys(keysOf(store));
  if (o.role === undefined && (o.vendor !== undefined || o.class !== undefined))
    throw usage("--vendor and --class choose the keys of one role", "give --role too, or drop them");
  if (o.role !== undefined && o.format === "bin") throw usage("--format bin is the whole file", "drop --role, or choose js or h");
  const ending = o.format === "bin" ? "" : `.${o.format}`;
  if (o.out !== STDIO && !o.out.endsWith(ending))
    throw usage(`--out ${o.out} is not a file name for ${o.format}`, `choose a name that ends in ${ending}`);
  if (ending === "") checkOutput(o.out, "--out", [path], "trust file");
  else if (o.out !== STDIO) checkOutput(o.out, "--out", [path]);
  const content = o.role === undefined ? exportAll(bytes, store, o.format) : exportRole(store, o.role, o.format as "js" | "h", o, path);
  const member = deliver(o.out, content, o.json);
  return { out: o.out, format: o.format, bytes: content.length, ...member };
}

export default define({
  name: "trust export",
  summary: "write a trust file, or the keys of one role, in a form that a device can embed",
  arguments: [commandArgument("<file>", "trust file")],
  options: () => [
    ...pins(),
    option("--format <name>", "js: for a bundle; h: a C header; bin: the file itself", { choices: ["js", "h", "bin"], default: "js" }),
    option("--role <name>", "only the keys of this role, as data", { choices: policyRoles }),
    option("--vendor <vendor>", "with --role: vendor of the device (domain or UUID)"),
    option("--class <class>", "with --role: class of the device (name or UUID)"),
    option("-o, --out <file>", "output file, or - for stdout", { default: "-" }),
    ...passphrases(),
  ],
  examples: [
    ["firmseal trust export fleet.trust --root root.jwk --out trust.js", "the whole file, for a bundle"],
    ["firmseal trust export fleet.trust --root root.jwk --role release --format h --out keys.h", "the release keys, for C"],
  ],
  json: { ...OUT, format: ["string", "format of the output"] },
  run: exportTrust,
  words: (f) => (f.out === STDIO ? [] : [`${f.out}: ${byteWords(f.bytes)}`]),
});
