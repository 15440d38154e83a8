// Reads a product file: from what is written to what commands need, with the checks that a schema cannot make.

import { existsSync, statSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { type AlgName, TARGETS } from "@firmseal/bundler";
import { Failure, type KeyFileError } from "@firmseal/keys";
import {
  environment,
  isLedgerPlace,
  ledgerPlace,
  readAll,
  refusedInput,
  refuseUnknownSource,
  STDIO,
  schemeOf,
  systemFault,
  usage,
  visible,
} from "@firmseal/keys/internal";
import { decodeUtf8, formatUuid, identityUuids, isUuid, suggestion, TRUST_COMPONENT_NAME } from "@firmseal/signer";
import { identityOf } from "../../input/identity.js";
import { LIMITS } from "../../input/limits.js";
import { markedMembers } from "./marked.js";
import type { ProductPolicy } from "./policy.js";
import { positionOf } from "./position.js";
import {
  type Board,
  type BoardBoot,
  type Product,
  type ProductApproval,
  type ProductImage,
  type ProductTrust,
  takesTrust,
} from "./product.js";
import { HINT, type References, type SigningRole, type Written, type WrittenBoard, writtenIn } from "./written.js";

const PROFILE_ALGS: { readonly [name: string]: AlgName } = { esp256: "es256", ed25519: "ed25519", hsslms: "hsslms" };

const listOf = (value: References | undefined): readonly string[] => (value === undefined ? [] : Array.isArray(value) ? value : [value]);

const UNITS: { readonly [unit: string]: number } = { "": 1, K: 1024, M: 1024 * 1024 };

function sizeOf(value: number | string): number;
function sizeOf(value: number | string | undefined): number | undefined;
function sizeOf(value: number | string | undefined): number | undefined {
  if (typeof value !== "string") return value;
  const [, digits = "", unit = ""] = /^(\d+)([KM]?)$/.exec(value) ?? [];
  return Number(digits) * (UNITS[unit] as number);
}

/** Turns what is written into what commands need, and checks what a schema cannot say. */
class Reader {
  constructor(
    private readonly path: string,
    private readonly text: string,
    private readonly written: Written,
    private readonly allowOutside: readonly string[],
    private readonly folder = dirname(path),
  ) {}

  fault(pointer: string, what: string, hint = HINT): Failure {
    const { line, column } = positionOf(this.text, pointer);
    return refusedInput("ERR_PRODUCT", `${this.path}:${line}:${column}: ${what}`, hint);
  }

  /** Paths are relative to the file that names them. */
  private at(file: string, folder = dirname(this.path)): string {
    return isAbsolute(file) || folder === "." ? file : join(folder, file);
  }

  private reference(ref: string, pointer: string): string {
    if (ref === STDIO) throw this.fault(pointer, "a key of a product cannot come from stdin", "name a file, or env:NAME");
    if (schemeOf(ref) !== undefined) return ref;
    try {
      refuseUnknownSource(ref, (path) => existsSync(this.at(path)));
    } catch (e) {
      throw this.fault(pointer, (e as KeyFileError).message, (e as KeyFileError).hint);
    }
    return this.at(ref);
  }

  /** A public key, which is a file: nothing that verifies may start a program or ask for a PIN. */
  private publicFile(ref: string, pointer: string, what = "can be trusted keys"): string {
    if (ref === STDIO || schemeOf(ref) !== undefined)
      throw this.fault(pointer, `${visible(ref)}: only files ${what}`, "firmseal pubkey KEY --out release.pub writes the public key");
    return this.at(ref);
  }

  private classes(name: string, { class: own, revisions }: WrittenBoard): string[] {
    const of = own ?? `${this.written.name}-${name}`;
    const pointer = `/boards/${name}${own === undefined ? "" : "/class"}`;
    if (revisions && isUuid(of)) throw this.fault(pointer, "a class that is a UUID has no revisions", "name the class, or drop revisions");
    const all = revisions ? revisions.map((revision) => `${of}-${revision}`) : [of];
    for (const one of all) {
      try {
        identityOf(this.written.vendor, one);
      } catch (e) {
        throw this.fault(pointer, (e as Error).message.replace(/^`(vendor|class)` /, "$1 "));
      }
    }
    return all;
  }

  private images(name: string, board: WrittenBoard): ProductImage[] {
    const { uri } = this.written;
    const travels = (own: string | undefined) => (board.inside === true ? undefined : (own ?? uri));
    if (board.inside === true && board.uri !== undefined)
      throw this.fault(`/boards/${name}/inside`, "inside is true, and the board has a uri", "drop one of the two");
    const [a, b] = [sizeOf(board.slots?.a), sizeOf(board.slots?.b)];
    const smaller = a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
    const both = typeof board.image === "object";
    const main: ProductImage = {
      name: "image",
      component: board.component,
      files: (typeof board.image === "object" ? [board.image.a, board.image.b] : [board.image]).map((file) => this.at(file, this.folder)),
      uri: travels(board.uri),
      sizes: both ? [a, b] : [smaller],
      at: `/boards/${name}/image`,
      ...(board.format && { isForBoot: true }),
    };
    const further = (board.components ?? []).map(
      (one, i): ProductImage => ({
        name: one.name,
        component: one.name,
        files: [this.at(one.image, this.folder)],
        uri: travels(one.uri),
        sizes: [sizeOf(one.slot)],
        at: `/boards/${name}/components/${i}/image`,
      }),
    );
    const names = [main.component ?? "", ...further.map((one) => one.name)];
    const twice = names.findIndex((one, i) => names.indexOf(one) !== i);
    if (twice >= 0) throw this.fault(`/boards/${name}/components/${twice - 1}`, `two components have the name ${names[twice]}`);
    return [main, ...further];
  }

  /** What the boot loader of a board verifies. */
  private boot(name: string, { format, mcuboot, image }: WrittenBoard, classes: readonly string[], size?: number): BoardBoot | undefined {
    const at = (member: string) => `/boards/${name}/${member}`;
    if (mcuboot && format !== "mcuboot")
      throw this.fault(at("mcuboot"), "this is for images of MCUboot", 'add format = "mcuboot", or drop it');
    if (format === undefined) return undefined;
    if (typeof image === "object")
      throw this.fault(
        at("format"),
        "the slots have two images, and a boot loader gets one for each version",
        "sign them before: firmseal sign --format",
      );
    if (listOf(this.written.trust?.boot).length === 0)
      throw this.fault(
        at("format"),
        "nothing says which keys its boot loader trusts",
        'name them: [trust] boot = "boot.pub"; firmseal pubkey KEY writes one',
      );
    if (!mcuboot) return { format, image: undefined };
    const { counter, align, pad, identity = false } = mcuboot;
    if (size === undefined && (align !== undefined || pad !== undefined))
      throw this.fault(at("mcuboot"), "align and pad are for an image that fits a slot, and its size is missing", 'slots = { a = "512K" }');
    const [own, ...others] = classes.map((one) => identityOf(this.written.vendor, one));
    if (identity && others.length > 0)
      throw this.fault(
        at("mcuboot/identity"),
        "an image names one class, and the board has several",
        "drop it, or make a board of each revision",
      );
    return {
      format,
      image: {
        headerSize: sizeOf(mcuboot["header-size"]),
        hasRoom: mcuboot["pad-header"] !== true,
        ...(counter !== undefined && { counter }),
        ...(identity && own && { vendor: own.vendor, class: own.class }),
        ...(size !== undefined && { slot: { size, ...(align !== undefined && { align }), ...(pad !== undefined && { trailer: pad }) } }),
      },
    };
  }

  private board(name: string, board: WrittenBoard): Board {
    const { engine } = board;
    if (engine !== undefined && !Object.hasOwn(TARGETS, engine.toLowerCase())) {
      const known = Object.keys(TARGETS);
      throw this.fault(
        `/boards/${name}/engine`,
        `${JSON.stringify(visible(engine))} is not a known engine${suggestion(engine, known)}`,
        `one of ${known.join(", ")}`,
      );
    }
    const classes = this.classes(name, board);
    const images = this.images(name, board);
    return {
      name,
      classes,
      revisions: board.revisions ?? [],
      images,
      boot: this.boot(name, board, classes, images[0]?.sizes[0]),
      engine,
      for: board.for ?? this.written.for,
      coseAlg: listOf(board["cose-alg"] ?? this.written["cose-alg"]),
    };
  }

  /** Two boards with one name on a disk, or with one class, would take each other's releases. */
  private refuseTwins(boards: readonly Board[]): void {
    const names = new Map<string, string>();
    const classes = new Map<string, string>();
    for (const { name, classes: own } of boards) {
      const before = names.get(name.toLowerCase());
      if (before !== undefined)
        throw this.fault(
          `/boards/${name}`,
          `boards ${before} and ${name} would have the same name in a folder that ignores case`,
          "rename one of them",
        );
      names.set(name.toLowerCase(), name);
      for (const one of own) {
        const id = formatUuid(identityUuids(this.written.vendor, one).class);
        const other = classes.get(id);
        if (other !== undefined)
          throw this.fault(
            `/boards/${name}`,
            `boards ${other} and ${name} have the same class, ${one}: their devices would accept each other's images`,
            "give each board a class of its own",
          );
        classes.set(id, name);
      }
    }
  }

  private trust(): ProductTrust {
    const { trust = {} } = this.written;
    const file = trust.file === undefined ? undefined : this.at(trust.file);
    const root = listOf(trust.root).map((ref) => this.publicFile(ref, "/trust/root"));
    const keys = listOf(trust.keys).map((ref) => this.publicFile(ref, "/trust/keys"));
    if (file !== undefined && (keys.length > 0 || trust.threshold !== undefined))
      throw this.fault(
        `/trust/${keys.length > 0 ? "keys" : "threshold"}`,
        "the trust file gives the trusted keys",
        "drop it, or drop file",
      );
    const needsFile = (member: string, what: string) => this.fault(`/trust/${member}`, what, "name the trust file that devices have: file");
    if (file === undefined && root.length > 0) throw needsFile("root", "a root is for a trust file");
    if (file === undefined && trust.name !== undefined) throw needsFile("name", "the name is that of a trust file");
    if (file === undefined && trust.carry !== undefined) throw needsFile("carry", "devices without a trust file take none");
    const carry = trust.carry === undefined ? undefined : this.at(trust.carry);
    const earlier = listOf(trust.earlier).map((one) => this.at(one));
    if (file === undefined && earlier.length > 0) throw needsFile("earlier", "earlier trust files are those before a trust file");
    // anybody can make a list of an earlier number that file follows
    if (earlier.length > 0 && root.length === 0)
      throw this.fault(
        "/trust/earlier",
        "without a root, anybody may have made an earlier trust file",
        'name the roots: root = "root.pub"',
      );
    return { file, root, name: trust.name, carry, earlier, keys, threshold: trust.threshold ?? 1 };
  }

  /** The keys of boot loaders. They are apart from all others: what they sign starts without a manifest. */
  private bootKeys(boards: readonly Board[], others: readonly string[]): Product["boot"] {
    const keys = listOf(this.written.keys?.boot).map((ref) => this.reference(ref, "/keys/boot"));
    const trusted = listOf(this.written.trust?.boot).map((ref) => this.publicFile(ref, "/trust/boot"));
    for (const [member, refs] of Object.entries({ "/keys/boot": keys, "/trust/boot": trusted })) {
      if (refs.length > 0 && boards.every(({ boot }) => boot === undefined))
        throw this.fault(member, "no board has an image that a boot loader verifies", 'name the format of one: format = "mcuboot"');
      const shared = refs.find((ref) => others.includes(ref));
      if (shared !== undefined)
        throw this.fault(
          member,
          `${visible(shared)} signs releases too, and would start what nobody has released`,
          "make a key for each purpose",
        );
    }
    return { keys, trusted };
  }

  private approval(): ProductApproval {
    const { approval, trust } = this.written;
    if (!approval) return { keys: [], threshold: 1 };
    const keys = listOf(approval.keys).map((ref) => this.publicFile(ref, "/approval/keys", "can approve"));
    const { threshold = 1 } = approval;
    if (threshold > keys.length)
      throw this.fault("/approval/threshold", `${threshold} people must approve, and keys names ${keys.length}`, "name the others in keys");
    // who approves sees a release that nobody has signed, and others must know whose signatures it waits for
    if (trust?.file === undefined && listOf(trust?.keys).length === 0)
      throw this.fault(
        "/approval",
        "a release that waits for an approval is not signed, and trust names no key",
        '[trust] keys = "release.pub"; firmseal pubkey KEY writes it',
      );
    return { keys, threshold };
  }

  /** Refuses a trust file that no board takes, or whose component is that of an image. */
  private refuseCarried(boards: readonly Board[]): void {
    if (this.written.trust?.carry === undefined) return;
    const takers = boards.filter(takesTrust);
    if (takers.length === 0)
      throw this.fault("/trust/carry", "no board has a verifier that takes a trust file out of a release", "drop it");
    const taken = takers.find(({ images }) => images.some(({ component }) => component === TRUST_COMPONENT_NAME));
    if (taken)
      throw this.fault(
        `/boards/${taken.name}`,
        `its component ${TRUST_COMPONENT_NAME} is that of the trust file which releases carry`,
        "give the component another name",
      );
  }

  private policy(): ProductPolicy {
    const { suite, sbom, waivers = [] } = this.written.policy ?? {};
    return { suite, sbom: sbom === undefined ? undefined : this.at(sbom), waivers };
  }

  /** The place of the ledger. Its name has the vendor's: products of two vendors may have one name. */
  private ledger(): string | undefined {
    const { ledger } = this.written.sequence ?? {};
    if (ledger === undefined) return undefined;
    const at = "/sequence/ledger";
    if (!isLedgerPlace(ledger))
      throw this.fault(
        at,
        "this is not the place of a ledger",
        "postgres://HOST/DATABASE or s3://BUCKET; a log in a file needs no place here",
      );
    const name = [this.written.vendor, this.written.name].map(encodeURIComponent).join("/");
    try {
      const place = ledgerPlace(ledger.includes("#") ? ledger : `${ledger}#${name}`);
      if (place.url.host === "")
        throw usage("the place of the ledger names no host, and each machine could use another server", "postgres://HOST/DATABASE");
      return place.text;
    } catch (e) {
      if (!(e instanceof Failure)) throw e;
      throw this.fault(at, e.message, e.hint);
    }
  }

  product(): Product {
    const { written, path } = this;
    const boards = Object.entries(written.boards).map(([name, board]) => this.board(name, board));
    this.refuseTwins(boards);
    this.refuseCarried(boards);
    const keys = { release: [], recovery: [], debug: [] } as { [role in SigningRole]: string[] };
    for (const role of Object.keys(keys) as SigningRole[])
      keys[role] = listOf(written.keys?.[role]).map((ref) => this.reference(ref, `/keys/${role}`));
    const { source = "version", previous } = written.sequence ?? {};
    const ledger = this.ledger();
    return {
      path,
      name: written.name,
      vendor: written.vendor,
      boards,
      keys,
      boot: this.bootKeys(boards, Object.values(keys).flat()),
      trust: this.trust(),
      approval: this.approval(),
      sequence: { source, previous: previous === undefined ? undefined : this.at(previous), ledger },
      profileAlg: written.profile === undefined ? undefined : PROFILE_ALGS[written.profile.split("-")[2] as string],
      policy: this.policy(),
      out: this.at(written.out ?? "dist"),
      marked: markedMembers(written),
      images: this.folder,
      allowOutside: this.allowOutside,
      position: (pointer) => positionOf(this.text, pointer),
      fault: (pointer, what, hint) => this.fault(pointer, what, hint),
    };
  }
}

function productBytes(path: string): Uint8Array {
  try {
    return readAll(path, LIMITS.description);
  } catch (e) {
    const cause = (e as Error).cause as NodeJS.ErrnoException | undefined;
    if (cause?.code !== "ENOENT") throw e;
    throw environment((e as Error).message, "make one with firmseal init, or name another: `product` FILE", cause);
  }
}

/** Refuses what is not a folder. */
function requireFolder(path: string): void {
  try {
    if (statSync(path).isDirectory()) return;
  } catch (e) {
    throw systemFault(e, path) ?? e;
  }
  throw usage(`${path} is not a folder`, "name the folder to which the build writes its images");
}

/**
 * Reads a product file.
 *
 * @param path - The product file, usually firmseal.toml.
 * @param allowOutside - Folders outside its own to which its paths may lead, and which must exist. Default: none.
 * @param images - The folder that the paths of its images are relative to. Default: its own.
 * @returns The product, for planRelease() and verifyProduct().
 * @throws Failure: ENVIRONMENT if the file or `images` is missing, PRODUCT with the line and column of a fault.
 */
export function readProduct(path: string, allowOutside: readonly string[] = [], images?: string): Product {
  const text = decodeUtf8(productBytes(path));
  if (text === undefined) throw refusedInput("ERR_PRODUCT", `${path} is not UTF-8 text`, HINT);
  if (images !== undefined) requireFolder(images);
  return productIn(path, text, allowOutside, images);
}

/** The product in the text of a file. `path`: its name, for messages and for the paths in it. */
export function productIn(path: string, text: string, allowOutside: readonly string[] = [], images?: string): Product {
  return new Reader(path, text, writtenIn(path, text), allowOutside, images).product();
}
