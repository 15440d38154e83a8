import { existsSync, lstatSync, unlinkSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";
import { checkNew, STDIO, schemeOf, shellWord, usage } from "@firmseal/keys/internal";
import {
  type ConsumerName,
  type FoundProject,
  findProject,
  foldersOutside,
  newProduct,
  PRODUCT_FILE,
  plainName,
} from "@firmseal/release/internal";
import { define, option } from "../../command.js";
import { askFor } from "../../common/ask.js";
import { coseAlgOption, forVerifier } from "../../common/options.js";
import { writeOut } from "../../common/output.js";
import { membersOf } from "../../common/shapes.js";
import { isOnTerminal } from "../../show/ui.js";

interface InitOptions {
  name?: string;
  vendor?: string;
  board?: string[];
  key?: string;
  for?: ConsumerName;
  coseAlg?: string[];
  out?: string;
  json?: boolean;
}

type Boards = FoundProject["boards"];

const DEFAULT_KEY = "release.pem";

function givenBoards(values: readonly string[]): Boards {
  return values.map((value) => {
    const at = value.indexOf("=");
    if (at < 1 || at === value.length - 1) throw usage(`--board ${value} is not NAME=IMAGE`, "for example: --board esp32=build/app.bin");
    const image = value.slice(at + 1);
    const [a, b, ...more] = image.split(",");
    if (a === undefined || b === undefined || existsSync(image)) return { name: value.slice(0, at), image };
    if (a === "" || b === "" || more.length > 0)
      throw usage(`--board ${value}: a board has an image, or two: A,B`, "for example: --board esp32=build/a.bin,build/b.bin");
    return { name: value.slice(0, at), image: [a, b] as const };
  });
}

async function boardsFor(o: InitOptions, project: FoundProject | undefined): Promise<Boards> {
  if (o.board) return givenBoards(o.board);
  if (project && project.boards.length > 0) return project.boards;
  return givenBoards([await askFor("--board", "Which board is it, and which image does its build write? NAME=IMAGE:")]);
}

async function keyFor(o: InitOptions): Promise<string> {
  if (o.key !== undefined || existsSync(DEFAULT_KEY) || !isOnTerminal()) return o.key ?? DEFAULT_KEY;
  return askFor("--key", `Which key signs releases? A file such as ${DEFAULT_KEY}, or a reference such as pkcs11:…:`);
}

/** From the folder of the product file, which may be another one. */
function fromFile(out: string, path: string): string {
  const folder = dirname(out);
  return folder === "." || isAbsolute(path) ? path : relative(folder, path);
}

/** A path as .gitignore takes it literally, from its own folder. */
const ignoring = (path: string) => `/${path.replace(/[\\*?[\] !#]/g, "\\$&")}`;

/** What must never be in the repository: a private key in this folder, and its log and state, which are beside it. */
function neverCommitted(isFile: boolean, key: string): string[] {
  const isInside = isFile && !isAbsolute(key) && !key.startsWith("..") && !/[\r\n]/.test(key);
  return isInside ? [ignoring(key), `${ignoring(key)}.*`] : [];
}

/** Writes the product file, and .gitignore if there is none: both or neither. */
function writeBoth(out: string, text: string, ignored: readonly string[]): boolean {
  const path = join(dirname(out), ".gitignore");
  const isNew = ignored.length > 0 && !lstatSync(path, { throwIfNoEntry: false });
  const head = "# Private keys, their logs and their states stay on the machine that signs.\n";
  if (isNew) writeOut(path, Buffer.from(`${head}${ignored.join("\n")}\n`), { fresh: true });
  try {
    writeOut(out, Buffer.from(text), { fresh: true });
  } catch (e) {
    if (isNew) unlinkSync(path);
    throw e;
  }
  return isNew;
}

/** Writes a new product file, from options, from a project in this folder, and from answers. */
async function init(o: InitOptions) {
  const out = o.out ?? PRODUCT_FILE;
  if (out === STDIO) throw usage("--out -: a product file cannot go to stdout", "name a file for it");
  checkNew(out);
  const project = findProject(".");
  const vendor = o.vendor ?? (await askFor("--vendor", "What is the domain of the vendor, for example example.com?"));
  const boards = await boardsFor(o, project);
  const key = await keyFor(o);
  const isFile = schemeOf(key) === undefined;
  const own = isFile ? fromFile(out, key) : key;
  const { text, product } = newProduct(out, {
    name: o.name ?? project?.name ?? plainName(basename(resolve("."))),
    vendor,
    boards: boards.map((board) => ({
      ...board,
      image: typeof board.image === "string" ? fromFile(out, board.image) : [fromFile(out, board.image[0]), fromFile(out, board.image[1])],
    })),
    key: own,
    for: o.for,
    coseAlg: o.coseAlg,
  });
  const ignored = neverCommitted(isFile, own);
  const isIgnored = writeBoth(out, text, ignored);
  return {
    out,
    project: project?.kind ?? null,
    name: product.name,
    vendor: product.vendor,
    boards: product.boards.map(({ name, classes, images }) => ({
      board: name,
      classes: [...classes],
      images: [...(images[0]?.files ?? [])],
    })),
    key,
    ignore: ignored,
    gitignore: isIgnored,
    outside: foldersOutside(product),
    missing: [
      ...(isFile && !existsSync(key) ? [key] : []),
      ...product.boards
        .flatMap(({ images }) => images.flatMap(({ files }) => files))
        .filter((file) => !/[*?[{]/.test(file) && !existsSync(file)),
    ],
  };
}

export default define({
  name: "init",
  summary: "write a product file, from options or from the project in this folder",
  options: () => [
    option("--vendor <vendor>", "domain of the vendor, or its UUID (asked for on a terminal)"),
    option(
      "--board <name>",
      "a board and the image that its build writes, as NAME=IMAGE; NAME=A,B if each slot has its own (default: those of the project here)",
      { repeat: true },
    ),
    option("-k, --key <key>", `key that signs releases: a file, or a reference as for sign (default: ${DEFAULT_KEY})`),
    forVerifier(),
    coseAlgOption(),
    option("--name <name>", "name of the product (default: that of the project, or of this folder)"),
    option("-o, --out <file>", "output file, which must not exist (default: firmseal.toml)"),
  ],
  examples: [
    ["firmseal init --vendor example.com --board esp32=build/app.bin --key release.pem", "firmseal.toml, for one board"],
    ["firmseal init", "asks on a terminal; knows PlatformIO, Zephyr, ESP-IDF, CMake and Espruino projects"],
  ],
  json: {
    out: ["string", "the product file"],
    project: ["string|null", "kind of the project in this folder; null if none is known"],
    name: ["string", "name of the product"],
    vendor: ["string", "its vendor"],
    boards: ["object[]", "its boards"],
    ...membersOf("boards[]", {
      board: ["string", "name of the board"],
      classes: ["string[]", "its classes"],
      images: ["string[]", "its image, or those of slot a and slot b"],
    }),
    key: ["string", "key that signs releases"],
    ignore: ["string[]", "lines of .gitignore: what must never be in the repository"],
    gitignore: ["boolean", "whether .gitignore was written; it is never changed"],
    outside: ["string[]", "folders of images outside the folder of the product file, which a release must allow"],
    missing: ["string[]", "files that it names and that do not exist yet"],
  },
  run: init,
  words: (f) => [
    `${f.out}: ${f.name} by ${f.vendor}, ${f.boards.map(({ board }) => board).join(", ")}${f.project === null ? "" : ` (${f.project} project)`}`,
    ...(f.missing.includes(f.key) ? [`next, make the key: firmseal keygen --out ${shellWord(f.key)}`] : []),
    ...(f.ignore.length > 0 && !f.gitignore ? [`.gitignore exists: it must have ${f.ignore.join(" and ")}`] : []),
    `into the repository: ${f.out}, public keys, trust files; never: private keys, their logs and states`,
    ...f.missing.filter((file) => file !== f.key).map((file) => `${file} does not exist yet`),
    [
      "then: firmseal release --version 1.0.0 --first",
      ...(f.out === PRODUCT_FILE ? [] : [`--product ${shellWord(f.out)}`]),
      ...f.outside.map((folder) => `--allow-outside ${shellWord(folder)}`),
    ].join(" "),
  ],
});
