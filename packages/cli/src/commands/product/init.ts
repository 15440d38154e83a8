import { existsSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";
import { checkNew, passphraseOptions, STDIO, schemeOf, shellWord, usage } from "@firmseal/keys/internal";
import { type FoundProject, findProject, foldersOutside, newProduct, PRODUCT_FILE, plainName } from "@firmseal/release/internal";
import { define, option } from "../../command.js";
import {
  boardsAsked,
  consumerFor,
  DEFAULT_KEY,
  type InitOptions,
  keysFor,
  refuseName,
  refuseOptions,
  rootsFor,
  vendorFor,
} from "../../common/init/answers.js";
import { type FirstList, firstList, isThere, loneKey, lookAtKeys } from "../../common/init/first-list.js";
import { ignoreLines } from "../../common/init/git-ignore.js";
import { givenList } from "../../common/init/given-list.js";
import { allowTestKey, coseAlgOption, forVerifier, passphrases, wholeNumber } from "../../common/options.js";
import { type NewFile, writeAllNew, writeSigned } from "../../common/output.js";
import { membersOf, RECEIPTS } from "../../common/shapes.js";
import { receiptWords } from "../../common/words.js";

/** From the folder of the product file, which may be another one. */
function fromFile(out: string, path: string): string {
  const folder = dirname(out);
  return folder === "." || isAbsolute(path) ? path : relative(folder, path);
}

/** A board, with its images as a product file names them. */
function fromFileOf(out: string, { image, ...board }: FoundProject["boards"][number]): FoundProject["boards"][number] {
  return { ...board, image: typeof image === "string" ? fromFile(out, image) : [fromFile(out, image[0]), fromFile(out, image[1])] };
}

/** Writes the product file, what it names, and .gitignore if there is none: all or nothing. */
async function writeProductFiles(out: string, text: string, list: FirstList | undefined, ignored: readonly string[]): Promise<NewFile[]> {
  const gitignore = join(dirname(out), ".gitignore");
  const head = "# Private keys, their logs and their states stay on the machine that signs.\n";
  const isNew = !isThere(gitignore);
  const files: NewFile[] = [
    ...(isNew ? [{ path: gitignore, bytes: Buffer.from(`${head}${ignored.join("\n")}\n`) }] : []),
    ...(list?.files ?? []),
    { path: out, bytes: Buffer.from(text) },
  ];
  const write = () => writeAllNew(files);
  if (list && list.log.length > 0) await writeSigned("1", write);
  else write();
  return files;
}

/** Writes a new product file, from options, from a project in this folder, and from answers. */
async function init(o: InitOptions) {
  const out = o.out ?? PRODUCT_FILE;
  if (out === STDIO) throw usage("--out -: a product file cannot go to stdout", "name a file for it");
  checkNew(out);
  const project = findProject(".");
  const name = o.name ?? project?.name ?? plainName(basename(resolve(".")));
  refuseName("--name", name);
  refuseOptions(o);
  const given = o.trust === undefined ? undefined : await givenList(o.trust, o);
  if (!given && o.root) await lookAtKeys(out, name, o.root, o.key ?? []);
  if (o.loneKey && o.key) await loneKey(o.key[0] as string);
  const vendor = await vendorFor(o);
  const boards = await boardsAsked(o, project);
  const refs = given ? [] : await keysFor(o);
  const roots = given ? undefined : await rootsFor(o);
  const looked = roots && (await lookAtKeys(out, name, roots, refs));
  const lone = given || roots ? undefined : await loneKey(refs[0] as string);
  const consumer = await consumerFor(o);
  const own = (path: string) => (schemeOf(path) === undefined ? fromFile(out, path) : path);
  const about = { name, vendor, boards: boards.map((board) => fromFileOf(out, board)), for: consumer, coseAlg: o.coseAlg };
  // before a root signs: what the product file does not take is refused here
  newProduct(out, { ...about, keys: refs.map(own), trust: { keys: [] } });
  const threshold = given?.threshold ?? o.threshold ?? 1;
  const first =
    looked &&
    (await firstList({
      out,
      name: about.name,
      looked,
      threshold,
      passphrases: passphraseOptions(o),
      allowTestKey: o.allowTestKey ?? [],
    }));
  const list = given ?? first;
  const keys = list?.keys ?? lone?.keys ?? [];
  const signing = keys.filter(({ signs }) => signs).map(({ ref }) => ref);
  const pinned = (list?.roots ?? []).slice(0, list?.rootThreshold);
  const { text, product } = newProduct(out, {
    ...about,
    // if too few are here, each person signs with --key
    keys: signing.length < threshold ? [] : signing.map(own),
    trust: list
      ? { file: own(list.trust), root: pinned.map(({ publicKey }) => own(publicKey)), name: list.name }
      : { keys: (lone?.trusted ?? []).map(own) },
  });
  const all = [...(list?.roots ?? []), ...keys];
  const secrets = all.filter(({ ref, signs }) => signs && schemeOf(ref) === undefined).map(({ ref }) => ref);
  const publicKeys = [...(list ? all.map(({ publicKey }) => publicKey).filter((path) => path !== "") : (lone?.trusted ?? []))];
  const ignored = ignoreLines(dirname(out), secrets, publicKeys);
  const written = (await writeProductFiles(out, text, first, ignored)).map(({ path }) => path);
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
    for: consumer ?? null,
    keys: keys.map(({ ref }) => ref),
    trust: list
      ? {
          file: list.trust,
          description: first?.description ?? null,
          threshold,
          roots: list.roots.map(({ ref, publicKey, signs }) => ({ ref, publicKey, signs })),
          rootThreshold: list.rootThreshold,
        }
      : null,
    // of a threshold of two or more, release knows that others sign
    unsigned: threshold === 1 && signing.length === 0,
    publicKeys,
    written,
    ignore: ignored,
    gitignore: written.includes(join(dirname(out), ".gitignore")),
    outside: foldersOutside(product),
    missing: [
      ...secrets.filter((key) => !existsSync(key)),
      ...product.boards
        .flatMap(({ images }) => images.flatMap(({ files }) => files))
        .filter((file) => !/[*?[{]/.test(file) && !existsSync(file)),
    ],
    log: first?.log ?? [],
  };
}

type InitFacts = Awaited<ReturnType<typeof init>>;

const oneOf = (n: number, of: number) => `${n} of ${of}`;

/** What is lost with which key. */
function lossWords({ trust, keys, for: consumer }: InitFacts): string[] {
  if (!trust) return [`no list of keys: if ${keys.join()} is lost or stolen, every device must be recalled`];
  const { file, description, roots, rootThreshold, threshold } = trust;
  const more =
    rootThreshold > 1 ? "one may be lost or stolen" : "one may be lost, but who steals one can replace the list; of three, 2 must sign";
  const pinned = roots
    .slice(0, rootThreshold)
    .map(({ publicKey }) => ` --root ${shellWord(publicKey)}`)
    .join("");
  const left = description === null ? [] : roots.filter(({ signs }) => !signs).map(({ ref }) => ref);
  return [
    `${file}: the list of keys: ${oneOf(threshold, keys.length)} must sign a release; if one is lost or stolen, the roots sign the next list`,
    ...(description === null ? [] : [`roots: ${oneOf(rootThreshold, roots.length)} must sign a list: ${more}`]),
    ...(left.length > 0 ? [`next, for ${left.join(", ")}: firmseal trust sign ${shellWord(file)} --key ROOT`] : []),
    consumer === null
      ? `devices get ${file} with their firmware: firmseal trust export ${shellWord(file)}${pinned}; keep the roots away from this machine`
      : `devices with ${consumer} read no list: their keys are in their firmware; keep the roots away from this machine`,
  ];
}

export default define({
  name: "init",
  summary: "write a product file and the first list of its keys, from options or from the project in this folder",
  options: () => [
    option("--vendor <vendor>", "domain of the vendor, or its UUID (asked for on a terminal)"),
    option(
      "--board <name>",
      "a board and the image that its build writes, as NAME=IMAGE; NAME=A,B if each slot has its own (default: those of the project here)",
      { repeat: true },
    ),
    option(
      "-k, --key <key>",
      `key that signs releases: a file, or a reference as for sign; the public key of a person who signs elsewhere (default: ${DEFAULT_KEY})`,
      { repeat: true },
    ),
    option("--root <file>", "root that signs the list of keys, two or more: a private key signs it now, that of a public key later", {
      repeat: true,
    }),
    option(
      "--trust <file>",
      "the list of keys of another product, instead of a new one; --root then names public roots that have signed it",
    ),
    option("--threshold <n>", "with --root: how many of the keys must sign a release (default: 1)", { parse: wholeNumber }),
    option("--lone-key", "no list of keys: if the one release key is lost or stolen, every device must be recalled"),
    ...passphrases(),
    forVerifier(),
    coseAlgOption(),
    allowTestKey(),
    option("--name <name>", "name of the product (default: that of the project, or of this folder)"),
    option("-o, --out <file>", "output file, which must not exist (default: firmseal.toml)"),
  ],
  examples: [
    [
      "firmseal init --vendor example.com --board esp32=build/app.bin --root root-1.pem --root root-2.pem",
      "firmseal.toml for one board and release.pem, and the list of keys, which the roots sign",
    ],
    [
      "firmseal init --vendor example.com --board esp32=build/app.bin --trust ../lamp/lamp.trust --root root-1.pub --root root-2.pub",
      "a second product of the same people",
    ],
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
    for: ["string|null", "what verifies on the devices; null: a bundle of firmseal"],
    keys: ["string[]", "keys that sign releases"],
    trust: ["object|null", "the list of keys; null with --lone-key"],
    ...membersOf("trust", {
      file: ["string", "the trust file"],
      description: ["string|null", "its description, for the next one; null with --trust"],
      threshold: ["number", "keys that must sign a release"],
      roots: ["object[]", "its roots"],
      ...membersOf("roots[]", {
        ref: ["string", "the root"],
        publicKey: ["string", "file of its public key"],
        signs: ["boolean", "whether it has signed the list"],
      }),
      rootThreshold: ["number", "roots that must sign a list"],
    }),
    unsigned: ["boolean", "whether release needs --unsigned: no key here signs"],
    publicKeys: ["string[]", "files of public keys"],
    written: ["string[]", "files that were written"],
    ignore: ["string[]", "lines of .gitignore: what must never be in the repository"],
    gitignore: ["boolean", "whether .gitignore was written; it is never changed"],
    outside: ["string[]", "folders of images outside the folder of the product file, which a release must allow"],
    missing: ["string[]", "files that it names and that do not exist yet"],
    ...RECEIPTS,
  },
  run: init,
  words: (f) => [
    `${f.out}: ${f.name} by ${f.vendor}, ${f.boards.map(({ board }) => board).join(", ")}${f.project === null ? "" : ` (${f.project} project)`}`,
    ...lossWords(f),
    ...receiptWords(f.log),
    ...f.keys.filter((key) => f.missing.includes(key)).map((key) => `next, make the key: firmseal keygen --out ${shellWord(key)}`),
    ...(f.gitignore ? [] : [`.gitignore exists: it must have ${f.ignore.join(" and ")}`]),
    `into the repository: ${[f.out, ...(f.gitignore ? [join(dirname(f.out), ".gitignore")] : []), ...(f.trust ? [f.trust.file, f.trust.description] : []), ...f.publicKeys].filter((path) => path !== null).join(", ")}; never: private keys, their logs and states`,
    ...f.missing.filter((file) => !f.keys.includes(file)).map((file) => `${file} does not exist yet`),
    [
      "then: firmseal release --version 1.0.0 --first",
      ...(f.unsigned ? ["--unsigned"] : []),
      ...(f.out === PRODUCT_FILE ? [] : [`--product ${shellWord(f.out)}`]),
      ...f.outside.map((folder) => `--allow-outside ${shellWord(folder)}`),
    ].join(" "),
  ],
});
