import { formatPublic, keyFacts, type PublicFormat, publicFormats, publicKeys } from "@firmseal/keys";
import { jsLiteral, type PassphraseOptions, passphraseOptions, STDIO, usage } from "@firmseal/keys/internal";
import { algWords, hasTables, keyAlgs, type PublicKey, prepareKey, TABLE_SIZES, type TableSize, tableNumbers } from "@firmseal/signer";
import { commandArgument, define, option } from "../../command.js";
import { foreignRead } from "../../common/foreign/foreign.js";
import { passphrases } from "../../common/options.js";
import { checkOutput, refuseTerminal, writeOut } from "../../common/output.js";
import { KEY } from "../../common/shapes.js";

/** What people call keys that have tables. */
const TABLED = algWords(keyAlgs.filter(hasTables));

/** Formats of other tools: what reads and writes them is loaded for them alone. */
const TOOL_FORMATS = ["minisign", "signify", "ssh", "esp-digest"] as const;
type ToolFormat = (typeof TOOL_FORMATS)[number];

interface PubkeyOptions extends PassphraseOptions {
  format?: PublicFormat | ToolFormat;
  table?: boolean;
  tableSize?: TableSize;
  tableNumbers?: boolean;
  out?: string;
  json?: boolean;
}

function withTable(key: PublicKey, format: string, o: PubkeyOptions): Uint8Array {
  if (format !== "js") throw usage(`--table: only js has a table, not ${format}`, "drop --format, or give js");
  if (!hasTables(key.alg)) throw usage(`--table: ${key.alg} has no table`, `give an ${TABLED} key, or drop --table`);
  const { table, digest } = prepareKey(key.key, o.tableSize ?? "2k");
  return new TextEncoder().encode(jsLiteral(key, { table: o.tableNumbers ? tableNumbers(table) : table, digest }));
}

const isTextFormat = (format: string) => !["cose", "raw", "esp-digest"].includes(format);

const isOfTool = (format: string): format is ToolFormat => (TOOL_FORMATS as readonly string[]).includes(format);

async function forTool(path: string, key: PublicKey, format: ToolFormat): Promise<Uint8Array> {
  const [{ espKeyDigest, writeToolKey }, { ownKey }, { refusedFormat }] = await Promise.all([
    import("@firmseal/formats"),
    foreignRead(),
    import("@firmseal/release/internal"),
  ]);
  try {
    const own = ownKey(path, key);
    if (format === "esp-digest") return espKeyDigest(own);
    return Buffer.from(writeToolKey(own, format, `firmseal key ${keyFacts(key).thumbprint.slice(0, 16)}`));
  } catch (e) {
    throw refusedFormat(path, e);
  }
}

async function pubkey(path: string, o: PubkeyOptions) {
  if (!o.table && (o.tableSize || o.tableNumbers)) throw usage("--table-size and --table-numbers are for a table", "give --table too");
  const [key] = (await publicKeys([path], passphraseOptions(o))) as [PublicKey];
  const format = o.format ?? (o.table ? "js" : "pem");
  const out = o.out ?? STDIO;
  if (!isTextFormat(format)) refuseTerminal(out, o.out === undefined ? `--format ${format}` : "--out");
  if (out !== STDIO) checkOutput(out, "--out", [path]);
  const bytes = o.table ? withTable(key, format, o) : isOfTool(format) ? await forTool(path, key, format) : formatPublic(key, format);
  if (out !== STDIO) writeOut(out, bytes);
  return { ...keyFacts(key), format, out, data: Buffer.from(bytes).toString(isTextFormat(format) ? "utf8" : "base64") };
}

export default define({
  name: "pubkey",
  summary: "write the public key of a private key",
  arguments: [commandArgument("<key>", "private or public key: a file, - for stdin, or a reference as for sign")],
  options: () => [
    option("--format <name>", "output format (default: pem, or js with --table)", {
      choices: [...publicFormats, ...TOOL_FORMATS],
    }),
    option("-o, --out <file>", "output file (default: - for stdout)"),
    option("--table", `add a precomputed table, which makes verification faster (${TABLED}; js)`),
    option("--table-size <size>", "characters in the table", { choices: TABLE_SIZES }),
    option("--table-numbers", "write the table as an array of numbers: faster than text, for devices with RAM"),
    ...passphrases(),
  ],
  examples: [
    ["firmseal pubkey release.pem", "the public key as PEM, on stdout"],
    ["firmseal pubkey release.pem --format js", "the public key for the JavaScript of a device"],
    ["firmseal pubkey 'pkcs11:token=release;object=fw'", "the public key of a key in a token"],
  ],
  json: {
    ...KEY,
    format: ["string", "output format"],
    out: ["string", "output file, or - for stdout"],
    data: ["string", "the public key: text, or base64 for cose, raw and esp-digest"],
  },
  run: pubkey,
  words: ({ data, format, thumbprint, out }) => [
    out === STDIO ? { bytes: Buffer.from(data, isTextFormat(format) ? "utf8" : "base64") } : `${out}: public key, ${format}`,
    // to compare with what keygen and token keygen print
    `thumbprint ${thumbprint}`,
  ],
});
