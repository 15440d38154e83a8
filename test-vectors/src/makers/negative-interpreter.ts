// Refused while a sequence runs (70 to 89).

import * as E from "../../../packages/verifier/src/spec/errors.generated.js";
import * as suit from "../../../packages/verifier/src/spec/suit.js";
import type { Vector } from "../../index.mjs";
import * as as from "../pieces/assemble.js";
import {
  alternatives,
  array,
  bytes,
  C0,
  C1,
  digest,
  digestParam,
  FALSE,
  IMAGE,
  int,
  manifest,
  OTHER,
  override,
  type Piece,
  seq,
  sizeParam,
  TRUE,
  tag,
  uriParam,
} from "../pieces/assemble.js";
import { adder, install, type Rest, section, severed, signedEnvelope } from "./adder.js";

const {
  COND_ABORT,
  COND_CHECK_CONTENT,
  COND_CLASS_IDENTIFIER,
  COND_COMPONENT_SLOT,
  COND_DEVICE_IDENTIFIER,
  COND_IMAGE_MATCH,
  COND_VENDOR_IDENTIFIER,
  DIR_COPY,
  DIR_FETCH,
  DIR_RUN_SEQUENCE,
  DIR_SET_COMPONENT_INDEX,
  DIR_SWAP,
  DIR_TRY_EACH,
  DIR_WRITE,
  MAN_INSTALL,
  PARAM_COMPONENT_SLOT,
  PARAM_CONTENT,
  PARAM_SOFT_FAILURE,
  PARAM_SOURCE_COMPONENT,
  PARAM_STRICT_ORDER,
  PARAM_VENDOR_IDENTIFIER,
} = suit;

export async function ofRun(): Promise<Vector[]> {
  const tools = await toolsOf();
  for (const section of [ofIndices, ofParameters, ofIdentity, ofConditions, ofDirectives, ofStrictOrder, ofSeveredSections, ofOutcomes])
    await section(tools);
  return tools.all;
}

/** What the sections share. */
type Tools = Awaited<ReturnType<typeof toolsOf>>;

async function toolsOf() {
  const { all, add, inside } = adder();
  const signed = await signedEnvelope();
  const runs = async (
    code: number,
    name: string,
    about: string,
    commands: Piece,
    more: Rest & { components?: Piece[]; shared?: Piece } = {},
  ) => {
    const { components = [C0], shared, ...rest } = more;
    await inside(code, name, about, manifest({ components, ...(shared && { shared }), sections: { [MAN_INSTALL]: commands } }), {
      action: "run",
      sections: [MAN_INSTALL],
      ...rest,
    });
  };
  add(E.NOT_A_MANIFEST, "outline-started", "an envelope that was looked into without checking its signature is started", signed, {
    action: "start",
  });
  return { inside, runs, all };
}

async function ofIndices({ inside, runs }: Tools): Promise<void> {
  await runs(E.INDEX_UNSET, "index-unset", "two components, and none of them set", seq([COND_ABORT, 0]), { components: [C0, C1] });
  await runs(
    E.INDEX_UNSET,
    "index-not-inherited",
    "the shared sequence sets the component index, the section does not",
    seq([COND_ABORT, 0]),
    { components: [C0, C1], shared: seq([DIR_SET_COMPONENT_INDEX, 0]) },
  );
  await inside(E.INDEX_RANGE, "index-1-of-1", "component index 1 where there is one component", section(seq([DIR_SET_COMPONENT_INDEX, 1])));
  await inside(
    E.INDEX_RANGE,
    "index-in-list",
    "a component index in a list is too large",
    section(seq([DIR_SET_COMPONENT_INDEX, array(int(0), int(2))]), [C0, C1]),
  );
  await inside(E.INDEX_RANGE, "index-2-52", "component index 2^52", section(seq([DIR_SET_COMPONENT_INDEX, int(2 ** 52)])));
  await inside(
    E.INDEX_RANGE,
    "source-1-of-1",
    "source-component 1 where there is one component",
    section(seq(override([PARAM_SOURCE_COMPONENT, int(1)]))),
  );
}

async function ofParameters({ runs }: Tools): Promise<void> {
  for (const [name, code] of [
    ["fetch", DIR_FETCH],
    ["write", DIR_WRITE],
    ["copy", DIR_COPY],
    ["swap", DIR_SWAP],
  ] as const)
    await runs(E.PARAMETER_MISSING, `${name}-without-parameter`, `${name} without its parameter`, seq([code, 2]));
  await runs(
    E.PARAMETER_MISSING,
    "fetch-without-parameter-softly",
    "a directive without its parameter is not swallowed by a try-each",
    seq([DIR_TRY_EACH, alternatives(seq([DIR_FETCH, 2]), seq(override(sizeParam(1))))]),
  );
  for (const [name, code] of [
    ["image-match", COND_IMAGE_MATCH],
    ["component-slot", COND_COMPONENT_SLOT],
    ["check-content", COND_CHECK_CONTENT],
  ] as const)
    await runs(E.PARAMETER_MISSING, `${name}-without-parameter`, `${name} without its parameter`, seq([code, 15]));
  await runs(
    E.SOFT_FAILURE_SCOPE,
    "soft-failure-section",
    "soft-failure outside try-each and run-sequence",
    seq(override([PARAM_SOFT_FAILURE, TRUE])),
  );
  await runs(
    E.SOFT_FAILURE_SCOPE,
    "soft-failure-section-false",
    "soft-failure false outside try-each and run-sequence",
    seq(override([PARAM_SOFT_FAILURE, FALSE])),
  );
  await runs(E.SOFT_FAILURE_SCOPE, "soft-failure-shared", "soft-failure in the shared sequence itself", seq([COND_ABORT, 0]), {
    shared: seq(override([PARAM_SOFT_FAILURE, TRUE])),
  });
}

async function ofIdentity({ runs }: Tools): Promise<void> {
  await runs(
    E.VENDOR_MISMATCH,
    "vendor-other",
    "the right signature, for another vendor",
    seq(override(as.vendorParam(OTHER)), [COND_VENDOR_IDENTIFIER, 15]),
  );
  await runs(E.VENDOR_MISMATCH, "vendor-unset", "the vendor is checked, and none is named", seq([COND_VENDOR_IDENTIFIER, 15]));
  await runs(
    E.VENDOR_MISMATCH,
    "vendor-pen",
    "a private enterprise number where the device knows a UUID",
    seq(override([PARAM_VENDOR_IDENTIFIER, tag(112, bytes(as.VENDOR))]), [COND_VENDOR_IDENTIFIER, 15]),
  );
  await runs(
    E.CLASS_MISMATCH,
    "class-other",
    "the right signature, for another class of device",
    seq(override(as.classParam(OTHER)), [COND_CLASS_IDENTIFIER, 15]),
  );
  await runs(
    E.CLASS_MISMATCH,
    "class-is-vendor",
    "the vendor's identifier in place of the class's",
    seq(override(as.classParam(as.VENDOR)), [COND_CLASS_IDENTIFIER, 15]),
  );
  await runs(
    E.DEVICE_MISMATCH,
    "device-other",
    "the right signature, for another device",
    seq(override([suit.PARAM_DEVICE_IDENTIFIER, bytes(OTHER)]), [COND_DEVICE_IDENTIFIER, 15]),
  );
  await runs(
    E.DEVICE_MISMATCH,
    "device-nameless",
    "for one device, on one that has no name",
    seq(override([suit.PARAM_DEVICE_IDENTIFIER, bytes(as.DEVICE)]), [COND_DEVICE_IDENTIFIER, 15]),
    { device: { device: [] } },
  );
}

async function ofConditions({ runs }: Tools): Promise<void> {
  await runs(E.IMAGE_MISMATCH, "image-mismatch", "image-match does not hold", seq(override(digestParam(IMAGE)), [COND_IMAGE_MATCH, 15]), {
    outcomes: [false],
  });
  await runs(
    E.SLOT_MISMATCH,
    "slot-mismatch",
    "component-slot does not hold",
    seq(override([PARAM_COMPONENT_SLOT, int(1)]), [COND_COMPONENT_SLOT, 5]),
    { outcomes: [false] },
  );
  await runs(
    E.CONTENT_MISMATCH,
    "content-mismatch",
    "check-content does not hold",
    seq(override([PARAM_CONTENT, bytes(IMAGE)]), [COND_CHECK_CONTENT, 15]),
    { outcomes: [false] },
  );
  await runs(E.ABORTED, "abort", "the manifest aborts", seq([COND_ABORT, 2]));
  await runs(
    E.ABORTED,
    "abort-hard",
    "abort in a try-each whose sequence has turned soft-failure off",
    seq([DIR_TRY_EACH, alternatives(seq(override([PARAM_SOFT_FAILURE, FALSE]), [COND_ABORT, 2]), seq(override(sizeParam(1))))]),
  );
  await runs(
    E.ABORTED,
    "abort-not-inherited",
    "abort in a run-sequence around which another one is soft: the failure is handed on, and ends the section behind it",
    seq([DIR_RUN_SEQUENCE, bytes(seq([DIR_RUN_SEQUENCE, bytes(seq([COND_ABORT, 2]))]))]),
  );
  await runs(
    E.TRY_EACH_EXHAUSTED,
    "try-each-exhausted",
    "no alternative fits",
    seq([DIR_TRY_EACH, alternatives(seq([COND_ABORT, 2]), seq([COND_ABORT, 2]))]),
  );
  await runs(
    E.TRY_EACH_EXHAUSTED,
    "try-each-exhausted-nested",
    "no alternative of a nested try-each fits: this is not a condition, and the outer one does not try the next",
    seq([
      DIR_TRY_EACH,
      alternatives(seq([DIR_TRY_EACH, alternatives(seq([COND_ABORT, 2]), seq([COND_ABORT, 2]))]), seq(override(sizeParam(1)))),
    ]),
  );
}

async function ofDirectives({ runs }: Tools): Promise<void> {
  await runs(E.DIRECTIVE_FAILED, "directive-failed", "a fetch fails", seq(override(uriParam("#fw")), [DIR_FETCH, 2]), {
    outcomes: [false],
  });
  await runs(
    E.DIRECTIVE_FAILED,
    "directive-failed-try-each",
    "a fetch fails in a try-each: not swallowed",
    seq([DIR_TRY_EACH, alternatives(seq(override(uriParam("#fw")), [DIR_FETCH, 2]), seq(override(sizeParam(1))))]),
    { outcomes: [false] },
  );
  await runs(
    E.DIRECTIVE_FAILED,
    "directive-failed-soft",
    "a fetch fails under soft-failure: not swallowed",
    seq([DIR_RUN_SEQUENCE, bytes(seq(override([PARAM_SOFT_FAILURE, TRUE], uriParam("#fw")), [DIR_FETCH, 2]))]),
    { outcomes: [false] },
  );
}

async function ofStrictOrder({ runs }: Tools): Promise<void> {
  const copyFrom = (source: number, strict: boolean) =>
    override([PARAM_STRICT_ORDER, strict ? TRUE : FALSE], [PARAM_SOURCE_COMPONENT, int(source)]);
  await runs(
    E.STRICT_ORDER,
    "strict-order-chain",
    "without strict order, a component is target and then source",
    seq(
      [DIR_SET_COMPONENT_INDEX, 0],
      override([PARAM_SOURCE_COMPONENT, int(1)]),
      [DIR_SET_COMPONENT_INDEX, 1],
      override([PARAM_SOURCE_COMPONENT, int(0)]),
      [DIR_SET_COMPONENT_INDEX, array(int(0), int(1))],
      override([PARAM_STRICT_ORDER, FALSE]),
      [DIR_COPY, 2],
    ),
    { components: [C0, C1] },
  );
  await runs(
    E.STRICT_ORDER,
    "strict-order-self",
    "without strict order, a component is copied onto itself",
    seq(copyFrom(0, false), [DIR_COPY, 2]),
  );
  await runs(
    E.STRICT_ORDER,
    "strict-order-swap",
    "without strict order, two components are swapped: both are source and target",
    seq([DIR_SET_COMPONENT_INDEX, 0], copyFrom(1, false), [DIR_SWAP, 2]),
    { components: [C0, C1] },
  );
}

async function ofSeveredSections({ inside }: Tools): Promise<void> {
  await inside(E.SEVERED_ABSENT, "severed-absent", "a section is run that was severed and is absent", severed(digest(bytes(install))), {
    action: "run",
    sections: [MAN_INSTALL],
  });
  await inside(
    E.SEVERED_ABSENT,
    "severed-absent-install",
    "an installation whose install was severed and is absent",
    severed(digest(bytes(install))),
    { action: "install" },
  );
}

async function ofOutcomes({ inside, runs }: Tools): Promise<void> {
  await inside(E.RUN_OUTCOME, "outcome-first", "an outcome is given before there is an effect", section(seq([COND_ABORT, 0])), {
    action: "step",
    sections: [MAN_INSTALL],
    outcomes: [true],
  });
  await inside(
    E.RUN_OUTCOME,
    "outcome-missing",
    "no outcome is given for an effect",
    section(seq(override(uriParam("#fw")), [DIR_FETCH, 2])),
    { action: "step", sections: [MAN_INSTALL], outcomes: [null, null] },
  );
  const overAll = (inner: Piece): Piece => seq([DIR_SET_COMPONENT_INDEX, TRUE], [DIR_RUN_SEQUENCE, bytes(inner)]);
  await runs(
    E.RUN_LIMIT,
    "run-limit",
    "sequences over sixteen components, nested: 17^3 commands",
    overAll(overAll(overAll(seq(override(sizeParam(1)))))),
    { components: Array.from({ length: 16 }, (_, i) => array(bytes([i]))) },
  );
}
