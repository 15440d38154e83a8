// firmseal.toml: the product, as all commands see it. docs/reference/product.md lists the members.

import type { AlgName } from "@firmseal/bundler";
import type { ImageOptions } from "@firmseal/formats";
import type { Failure } from "@firmseal/keys";
import { refusedInput, visible } from "@firmseal/keys/internal";
import { suggestion } from "@firmseal/signer";
import type { ConsumerName } from "../../consumer/consumers.js";
import type { MarkedMember } from "./marked.js";
import type { ProductPolicy } from "./policy.js";
import type { SequenceSource, SigningRole } from "./written.js";

/** An image of a board, and the component that gets it. */
export interface ProductImage {
  /** Identifier of the component in messages and URIs. */
  readonly name: string;
  /** Its identifier in the manifest. undefined: the byte 00. */
  readonly component: string | undefined;
  /** The file, or its pattern: one for both slots, or one for slot a and one for slot b. */
  readonly files: readonly string[];
  /** The URI, with its placeholders. undefined: the image travels in the envelope. */
  readonly uri: string | undefined;
  /** The sizes of the slots in bytes, for each of `files`: the smaller one if both slots get one image. */
  readonly sizes: readonly (number | undefined)[];
  /** JSON Pointer of the member in the product file. */
  readonly at: string;
  /** The command line names the file, and not the product file. */
  readonly isGiven?: true;
  /** A boot loader verifies it, and the signed image is beside the binary. */
  readonly isForBoot?: true;
}

/** What the boot loader of a board verifies in its image. */
export interface BoardBoot {
  /** The format of the image: a word of `--format`. */
  readonly format: "mcuboot" | "esp32";
  /** What an image says that is made from the binary of a build, but for its version. undefined: builds make images. */
  readonly image: Omit<ImageOptions, "signer" | "version"> | undefined;
}

/** A board of a product: a kind of device, with its images. */
export interface Board {
  readonly name: string;
  /** Names or UUIDs of the classes: one for each hardware revision. */
  readonly classes: readonly string[];
  /** Names of hardware revisions. Empty if the board has none. */
  readonly revisions: readonly string[];
  /** The image first, then further components. */
  readonly images: readonly ProductImage[];
  /** Undefined if the boot loader verifies no signature in the image. */
  readonly boot: BoardBoot | undefined;
  /** The JavaScript engine or board, as TARGETS of `@firmseal/bundler` names it. */
  readonly engine: string | undefined;
  /** The verifier of its devices, if it is not that of this project. */
  readonly for: ConsumerName | undefined;
  /** Names of COSE algorithm numbers, at most one for each kind of key. */
  readonly coseAlg: readonly string[];
}

/** The trust that devices have: paths. */
export interface ProductTrust {
  readonly file: string | undefined;
  readonly root: readonly string[];
  /** The name that the trust file must have. undefined: any. */
  readonly name: string | undefined;
  /** The trust file, or the chain of them, that each release brings. */
  readonly carry: string | undefined;
  /** Trust files that devices had before: old releases are compared with them. */
  readonly earlier: readonly string[];
  readonly keys: readonly string[];
  readonly threshold: number;
}

/** Who must have approved a release before it is signed. */
export interface ProductApproval {
  /** Public keys: paths. Empty if nobody must. */
  readonly keys: readonly string[];
  /** How many of them must. */
  readonly threshold: number;
}

/** A product, as its file describes it. Paths are relative to the current folder. */
export interface Product {
  /** The path of the file, as given. */
  readonly path: string;
  readonly name: string;
  /** Domain or UUID of the vendor. */
  readonly vendor: string;
  readonly boards: readonly Board[];
  /** References of the keys that sign, by role. */
  readonly keys: { readonly [role in SigningRole]: readonly string[] };
  /** References of the keys that sign images for boot loaders, and paths of the public keys that these trust. */
  readonly boot: { readonly keys: readonly string[]; readonly trusted: readonly string[] };
  readonly trust: ProductTrust;
  readonly approval: ProductApproval;
  /**
   * Where sequence numbers come from, the path of the last published release, and the place of the ledger that several
   * machines share.
   */
  readonly sequence: { readonly source: SequenceSource; readonly previous: string | undefined; readonly ledger: string | undefined };
  /** The signature algorithm of the profile. */
  readonly profileAlg: AlgName | undefined;
  readonly policy: ProductPolicy;
  /** The folder of releases. */
  readonly out: string;
  /** What its members name, as it is written. */
  readonly marked: readonly MarkedMember[];
  /** The folder that the paths of images are relative to, and must be in. */
  readonly images: string;
  /** Folders outside that of the product file to which its paths may lead. */
  readonly allowOutside: readonly string[];
  /** The line and column of a member, from 1. */
  position(pointer: string): { line: number; column: number };
  /** A Failure that names the line of a member. */
  fault(pointer: string, what: string, hint?: string): Failure;
}

/** Whether the devices of a board take a trust file out of a release. */
export const takesTrust = (board: Pick<Board, "for">): boolean => board.for === undefined;

/** Whether these keys have the algorithm that the profile of a product requires. */
export const hasProfileAlg = ({ profileAlg }: Product, keys: readonly { readonly alg: string | null }[]): boolean =>
  profileAlg === undefined || keys.some(({ alg }) => alg === profileAlg);

/**
 * Returns the boards with these names: all if none is given. Throws a Failure for a name that the product does not
 * have.
 */
export function boardsOf({ path, boards }: Product, names: readonly string[]): readonly Board[] {
  const known = boards.map(({ name }) => name);
  for (const [i, name] of names.entries()) {
    if (!known.includes(name))
      throw refusedInput(
        "ERR_PRODUCT",
        `${path} has no board ${JSON.stringify(visible(name))}${suggestion(name, known)}`,
        `its boards: ${known.join(", ")}`,
      );
    if (names.indexOf(name) !== i) throw refusedInput("ERR_PRODUCT", `board ${name} is given twice`, "name each board once");
  }
  return names.length === 0 ? boards : boards.filter(({ name }) => names.includes(name));
}
