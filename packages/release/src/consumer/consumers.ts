// The verifiers on devices that --for and the product file name: what each accepts, and what its users do without.
// Choices, recipes, checks and the table of docs/reference/consumers.md follow from these rows.

import {
  COND_ABORT,
  COND_CHECK_CONTENT,
  COND_CLASS_IDENTIFIER,
  COND_COMPONENT_SLOT,
  COND_DEVICE_IDENTIFIER,
  COND_IMAGE_MATCH,
  COND_VENDOR_IDENTIFIER,
  COSE,
  DIR_COPY,
  DIR_FETCH,
  DIR_INVOKE,
  DIR_OVERRIDE_PARAMETERS,
  DIR_RUN_SEQUENCE,
  DIR_SET_COMPONENT_INDEX,
  DIR_SWAP,
  DIR_TRY_EACH,
  DIR_WRITE,
  MAN_COMMON,
  MAN_INSTALL,
  MAN_INVOKE,
  MAN_LOAD,
  MAN_PAYLOAD_FETCH,
  MAN_REFERENCE_URI,
  MAN_SEQUENCE_NUMBER,
  MAN_TEXT,
  MAN_VALIDATE,
  MAN_VERSION,
  PARAM_CLASS_IDENTIFIER,
  PARAM_COMPONENT_SLOT,
  PARAM_CONTENT,
  PARAM_DEVICE_IDENTIFIER,
  PARAM_FETCH_ARGS,
  PARAM_IMAGE_DIGEST,
  PARAM_IMAGE_SIZE,
  PARAM_INVOKE_ARGS,
  PARAM_SOFT_FAILURE,
  PARAM_SOURCE_COMPONENT,
  PARAM_STRICT_ORDER,
  PARAM_URI,
  PARAM_VENDOR_IDENTIFIER,
} from "@firmseal/verifier/tools";

/** What an envelope may have. Numbers are those of COSE and of the SUIT registries. */
export interface Grammar {
  /** Hash algorithms of all digests. */
  readonly digests: readonly number[];
  /** Elements of the manifest. */
  readonly elements: readonly number[];
  /** Whether an element may be severed: only its digest is in the manifest. */
  readonly severed: boolean;
  /** Whether payloads may travel in the envelope. */
  readonly payloads: boolean;
  readonly commands: readonly number[];
  readonly parameters: readonly number[];
  /** Most components. */
  readonly components: number;
  /** Whether every sequence must begin with set-component-index if there are several components. */
  readonly indexFirst: boolean;
  /** Whether the manifest must have a shared sequence. */
  readonly shared: boolean;
  /** Whether a try-each may end with nil, and whether one may be in another. */
  readonly nil: boolean;
  readonly nested: boolean;
  /**
   * Whether the alternatives of a try-each must exclude each other: it runs the next one even after one that succeeded.
   */
  readonly exclusive: boolean;
  /** Most bytes of a URI. */
  readonly uri: number;
}

export interface Consumer {
  /** What it is, with the version that the row describes. */
  readonly title: string;
  /**
   * COSE algorithm numbers. Of each kind of key, the first is the one that `sign` names. Left out: those of every
   * device.
   */
  readonly algs?: readonly number[];
  /** Most signatures. */
  readonly signatures: number;
  /** Left out: the template of micro verifiers, byte for byte. */
  readonly grammar?: Grammar;
  /** What a release for it leaves out. */
  readonly givenUp: string;
  /** How it was tried. */
  readonly tried: string;
}

const BASE_COMMANDS = [
  COND_VENDOR_IDENTIFIER,
  COND_CLASS_IDENTIFIER,
  COND_IMAGE_MATCH,
  COND_COMPONENT_SLOT,
  COND_CHECK_CONTENT,
  COND_ABORT,
  COND_DEVICE_IDENTIFIER,
  DIR_SET_COMPONENT_INDEX,
  DIR_TRY_EACH,
  DIR_WRITE,
  DIR_OVERRIDE_PARAMETERS,
  DIR_FETCH,
];
/** Commands of the manifest draft that Dress-Up knows and does not run. */
const FURTHER_COMMANDS = [DIR_COPY, DIR_INVOKE, DIR_SWAP, DIR_RUN_SEQUENCE];

const BASE_PARAMETERS = [
  PARAM_VENDOR_IDENTIFIER,
  PARAM_CLASS_IDENTIFIER,
  PARAM_IMAGE_DIGEST,
  PARAM_COMPONENT_SLOT,
  PARAM_IMAGE_SIZE,
  PARAM_CONTENT,
  PARAM_URI,
  PARAM_DEVICE_IDENTIFIER,
];
const FURTHER_PARAMETERS = [PARAM_STRICT_ORDER, PARAM_SOURCE_COMPONENT, PARAM_INVOKE_ARGS, PARAM_FETCH_ARGS];

const BASE_ELEMENTS = [
  MAN_VERSION,
  MAN_SEQUENCE_NUMBER,
  MAN_COMMON,
  MAN_REFERENCE_URI,
  MAN_VALIDATE,
  MAN_LOAD,
  MAN_PAYLOAD_FETCH,
  MAN_INSTALL,
  MAN_TEXT,
];

const NO_LIMIT = Number.POSITIVE_INFINITY;

export const CONSUMERS = {
  micro: {
    title: "the micro verifier of this project",
    signatures: 2,
    givenUp: "everything except one image for one kind of device; also any text, which could name the version",
    tried: "its [test vectors](test-vectors.md), in every engine",
  },
  "ariel-os": {
    title: "Ariel OS with its parser Dress-Up 0.1.1 (draft 34)",
    // the crate leaves COSE to its user; its examples verify ES256, and end at the first signature that does not verify
    algs: [COSE.ALG_ES256],
    signatures: 1,
    grammar: {
      digests: [COSE.HASH_SHA_256, COSE.HASH_SHA_384, COSE.HASH_SHA_512],
      elements: BASE_ELEMENTS,
      severed: false,
      payloads: false,
      commands: BASE_COMMANDS,
      parameters: BASE_PARAMETERS,
      components: NO_LIMIT,
      indexFirst: true,
      shared: true,
      nil: false,
      // when the inner one fails, the outer one does not try its next alternative
      nested: false,
      exclusive: false,
      uri: NO_LIMIT,
    },
    givenUp: "directive-invoke, and the checks of size and sequence number: they are left to the code around the parser",
    tried: "[the parser itself](#ariel-os) installs its releases",
  },
  libcsuit: {
    title: "libcsuit 1.0.2 with t_cose (draft 34)",
    algs: [COSE.ALG_ESP256, COSE.ALG_ES256],
    signatures: 6,
    grammar: {
      digests: [COSE.HASH_SHA_256],
      elements: [...BASE_ELEMENTS, MAN_INVOKE],
      severed: true,
      payloads: true,
      commands: [...BASE_COMMANDS, ...FURTHER_COMMANDS],
      // soft-failure only inside try-each and run-sequence: left out
      parameters: [...BASE_PARAMETERS, ...FURTHER_PARAMETERS],
      // SUIT_MAX_COMPONENT_NUM: it crashes at four
      components: 3,
      indexFirst: false,
      shared: false,
      nil: true,
      nested: true,
      exclusive: true,
      // SUIT_MAX_URI_LENGTH is 256
      uri: 255,
    },
    givenUp: "Ed25519, post-quantum signatures, SHA-384 and SHA-512",
    tried: "[libcsuit itself](#libcsuit) installs its releases",
  },
  generic: {
    title: "any verifier of draft-ietf-suit-manifest-37 with the algorithms of draft-ietf-suit-mti",
    algs: [COSE.ALG_ESP256, COSE.ALG_ED25519, COSE.ALG_HSS_LMS],
    signatures: NO_LIMIT,
    grammar: {
      digests: [COSE.HASH_SHA_256],
      elements: [...BASE_ELEMENTS, MAN_INVOKE],
      severed: true,
      payloads: true,
      commands: [...BASE_COMMANDS, ...FURTHER_COMMANDS],
      parameters: [...BASE_PARAMETERS, ...FURTHER_PARAMETERS, PARAM_SOFT_FAILURE],
      components: NO_LIMIT,
      indexFirst: false,
      shared: false,
      nil: true,
      nested: true,
      exclusive: false,
      uri: NO_LIMIT,
    },
    givenUp: "extensions of the draft, and algorithms that are not mandatory",
    tried: "the [test vectors](test-vectors.md), in every engine",
  },
} satisfies { readonly [name: string]: Consumer };

/** The name of a third-party verifier that releases can be made for. */
export type ConsumerName = keyof typeof CONSUMERS;

/** The names of all consumers. */
export const consumerNames = Object.keys(CONSUMERS) as readonly ConsumerName[];

/** Returns the row of a consumer: what its verifier accepts. */
export function consumerOf(name: ConsumerName): Consumer {
  return CONSUMERS[name];
}
