// The interpreter, command by command: what a run hands to the device, in order, or with what it is refused. The
// manifests are signed; what an effect carries is what is set for its component at that moment.

import * as E from "../../../packages/verifier/src/spec/errors.generated.js";
import {
  COND_ABORT,
  COND_CHECK_CONTENT,
  COND_CLASS_IDENTIFIER,
  COND_COMPONENT_SLOT,
  COND_DEVICE_IDENTIFIER,
  COND_IMAGE_MATCH,
  COND_VENDOR_IDENTIFIER,
  DIR_COPY,
  DIR_FETCH,
  DIR_INVOKE,
  DIR_RUN_SEQUENCE,
  DIR_SET_COMPONENT_INDEX,
  DIR_SWAP,
  DIR_TRY_EACH,
  DIR_WRITE,
  MAN_INSTALL,
  MAN_INVOKE,
  MAN_LOAD,
  MAN_PAYLOAD_FETCH,
  MAN_VALIDATE,
  PARAM_COMPONENT_SLOT,
  PARAM_CONTENT,
  PARAM_DEVICE_IDENTIFIER,
  PARAM_FETCH_ARGS,
  PARAM_INVOKE_ARGS,
  PARAM_SOFT_FAILURE,
  PARAM_SOURCE_COMPONENT,
  PARAM_STRICT_ORDER,
} from "../../../packages/verifier/src/spec/suit.js";
import type { EffectSpec, Vector } from "../../index.mjs";
import {
  alternatives,
  array,
  ascii,
  bytes,
  C0,
  C1,
  C2,
  classParam,
  DEVICE,
  digest,
  digestParam,
  type EnvelopeSpec,
  envelope,
  FALSE,
  hash,
  hex,
  IMAGE,
  int,
  type ManifestSpec,
  manifest,
  OLD,
  OTHER,
  override,
  type Piece,
  seq,
  sizeParam,
  TRUE,
  uriParam,
  vendorParam,
} from "../pieces/assemble.js";

/** A fetch of `uri`: the usual way here to see which way a run has gone. */
const fetch = (uri: string, component = 0): EffectSpec => ({ op: DIR_FETCH, component, uri });
const go = (uri: string) => [override(uriParam(uri)), [DIR_FETCH, 2]] as const;
const soft = (on: boolean) => override([PARAM_SOFT_FAILURE, on ? TRUE : FALSE]);
const tryEach = (...all: (Piece | null)[]) => [DIR_TRY_EACH, alternatives(...all)] as const;
const run = (inner: Piece) => [DIR_RUN_SEQUENCE, bytes(inner)] as const;
const index = (i: number | Piece) => [DIR_SET_COMPONENT_INDEX, i] as const;
const abort = [COND_ABORT, 2] as const;
const imageMatch = [COND_IMAGE_MATCH, 15] as const;
const all = [C0, C1, C2];

export async function effects(): Promise<Vector[]> {
  const tools = toolsOf();
  for (const section of [
    ofConditions,
    ofDirectives,
    ofMissingParameters,
    ofTryEach,
    ofSoftFailure,
    ofRunSequence,
    ofIndex,
    ofSections,
    ofStrictOrder,
  ])
    await section(tools);
  return tools.out;
}

/** What the sections share. */
type Tools = ReturnType<typeof toolsOf>;

function toolsOf() {
  const out: Vector[] = [];
  /** `then`: the effects, or behind them the number of a refusal. */
  const of = async (
    name: string,
    about: string,
    m: ManifestSpec,
    then: (EffectSpec | number)[],
    outcomes?: boolean[],
    sections = [MAN_INSTALL],
    e: EnvelopeSpec = {},
  ) => {
    const code = then.find((x) => typeof x === "number");
    const list = then.filter((x) => typeof x !== "number");
    const expect = code === undefined ? ({ ok: true, effects: list } as const) : { code, effects: list };
    out.push({
      name,
      about,
      action: "run",
      envelope: hex(await envelope(manifest(m), e)),
      sections,
      ...(outcomes && { outcomes }),
      expect,
    });
  };
  const install = (commands: Piece, m: ManifestSpec = {}): ManifestSpec => ({ ...m, sections: { [MAN_INSTALL]: commands } });
  // Component indices
  const three = { components: all };
  return { of, install, three, out };
}

async function ofConditions({ of, install }: Tools): Promise<void> {
  await of(
    "vendor-class-device",
    "identifiers are compared without asking the device",
    install(
      seq(
        override(vendorParam(), classParam(), [PARAM_DEVICE_IDENTIFIER, bytes(DEVICE)]),
        [COND_VENDOR_IDENTIFIER, 15],
        [COND_CLASS_IDENTIFIER, 15],
        [COND_DEVICE_IDENTIFIER, 15],
      ),
    ),
    [],
  );
  await of("image-match", "image-match with digest and size", install(seq(override(digestParam(IMAGE), sizeParam(12)), imageMatch)), [
    { op: COND_IMAGE_MATCH, component: 0, digest: [-16, hex(hash(IMAGE))], size: 12 },
  ]);
  await of("image-match-sha512", "image-match with a digest by SHA-512", install(seq(override(digestParam(IMAGE, -44)), imageMatch)), [
    { op: COND_IMAGE_MATCH, component: 0, digest: [-44, hex(hash(IMAGE, -44))] },
  ]);
  await of(
    "image-match-fails",
    "image-match that does not hold ends the run",
    install(seq(override(digestParam(IMAGE)), imageMatch, ...go("a"))),
    [{ op: COND_IMAGE_MATCH, component: 0, digest: [-16, hex(hash(IMAGE))] }, E.IMAGE_MISMATCH],
    [false],
  );
  await of("component-slot", "component-slot", install(seq(override([PARAM_COMPONENT_SLOT, int(1)]), [COND_COMPONENT_SLOT, 5])), [
    { op: COND_COMPONENT_SLOT, component: 0, slot: 1 },
  ]);
  await of("check-content", "check-content", install(seq(override([PARAM_CONTENT, bytes(OLD)]), [COND_CHECK_CONTENT, 15])), [
    { op: COND_CHECK_CONTENT, component: 0, content: hex(OLD) },
  ]);
  await of("abort", "abort", install(seq(...go("a"), abort, ...go("b"))), [fetch("a"), E.ABORTED]);
  await of("vendor-fails", "another vendor", install(seq(override(vendorParam(OTHER)), [COND_VENDOR_IDENTIFIER, 15], ...go("a"))), [
    E.VENDOR_MISMATCH,
  ]);
}

async function ofDirectives({ of, install }: Tools): Promise<void> {
  await of("write", "write", install(seq(override([PARAM_CONTENT, bytes(IMAGE)]), [DIR_WRITE, 2])), [
    { op: DIR_WRITE, component: 0, content: hex(IMAGE) },
  ]);
  await of(
    "fetch",
    "fetch with everything that can be set for it",
    install(seq(override(digestParam(IMAGE), sizeParam(12), uriParam("a:b"), [PARAM_FETCH_ARGS, bytes(OLD)]), [DIR_FETCH, 2])),
    [{ op: DIR_FETCH, component: 0, digest: [-16, hex(hash(IMAGE))], size: 12, uri: "a:b", args: hex(OLD) }],
  );
  await of(
    "fetch-size-2-32",
    "an image-size beyond 2^32 is exact",
    install(seq(override([14, int(2 ** 32 + 1)], uriParam("a")), [DIR_FETCH, 2])),
    [{ ...fetch("a"), size: 2 ** 32 + 1 }],
  );
  await of(
    "copy",
    "copy names its source",
    install(seq(index(1), override([PARAM_SOURCE_COMPONENT, int(0)]), [DIR_COPY, 2]), { components: [C0, C1] }),
    [{ op: DIR_COPY, component: 1, source: 0 }],
  );
  await of(
    "swap",
    "swap carries what is set for both",
    install(
      seq(index(1), override(digestParam(OLD), sizeParam(3)), index(0), override(digestParam(IMAGE), [PARAM_SOURCE_COMPONENT, int(1)]), [
        DIR_SWAP,
        2,
      ]),
      { components: [C0, C1] },
    ),
    [{ op: DIR_SWAP, component: 0, digest: [-16, hex(hash(IMAGE))], source: 1, sourceDigest: [-16, hex(hash(OLD))], sourceSize: 3 }],
  );
  await of(
    "invoke",
    "invoke with its arguments",
    { sections: { [MAN_INVOKE]: seq(override([PARAM_INVOKE_ARGS, bytes(ascii("-v"))]), [DIR_INVOKE, 2]) } },
    [{ op: DIR_INVOKE, component: 0, args: hex(ascii("-v")) }],
    undefined,
    [MAN_INVOKE],
  );
  await of(
    "invoke-bare",
    "invoke without arguments",
    { sections: { [MAN_INVOKE]: seq([DIR_INVOKE, 2]) } },
    [{ op: DIR_INVOKE, component: 0 }],
    undefined,
    [MAN_INVOKE],
  );
  await of(
    "fetch-fails",
    "a directive that fails ends the run",
    install(seq(...go("a"), ...go("b"))),
    [fetch("a"), E.DIRECTIVE_FAILED],
    [false],
  );
}

async function ofMissingParameters({ of, install }: Tools): Promise<void> {
  await of(
    "condition-without-parameter",
    "a condition without its parameter fails, softly where failures are soft",
    install(seq(tryEach(seq([COND_COMPONENT_SLOT, 5]), seq(...go("b"))))),
    [fetch("b")],
  );
  await of(
    "image-match-without-digest",
    "image-match without a digest fails, softly where failures are soft",
    install(seq(tryEach(seq(imageMatch), seq(...go("b"))))),
    [fetch("b")],
  );
  await of(
    "vendor-without-parameter",
    "a vendor check without a vendor fails, softly where failures are soft",
    install(seq(tryEach(seq([COND_VENDOR_IDENTIFIER, 15]), seq(...go("b"))))),
    [fetch("b")],
  );
  await of(
    "directive-without-parameter",
    "a directive without its parameter ends the run, try-each or not",
    install(seq(tryEach(seq([DIR_FETCH, 2]), seq(...go("b"))))),
    [E.PARAMETER_MISSING],
  );
}

async function ofTryEach({ of, install }: Tools): Promise<void> {
  await of(
    "try-each-first",
    "the first alternative fits: the second is not run",
    install(seq(tryEach(seq(...go("a")), seq(...go("b"))), ...go("c"))),
    [fetch("a"), fetch("c")],
  );
  await of("try-each-second", "the first alternative fails", install(seq(tryEach(seq(abort, ...go("a")), seq(...go("b"))), ...go("c"))), [
    fetch("b"),
    fetch("c"),
  ]);
  await of(
    "try-each-third",
    "the first two alternatives fail, the second half-way",
    install(seq(tryEach(seq(abort), seq(...go("b"), abort), seq(...go("d"))))),
    [fetch("b"), fetch("d")],
  );
  await of(
    "try-each-device",
    "the device decides which alternative fits",
    install(seq(tryEach(...[0, 1, 2].map((i) => seq(override([PARAM_COMPONENT_SLOT, int(i)]), [COND_COMPONENT_SLOT, 5], ...go(`a${i}`)))))),
    [{ op: COND_COMPONENT_SLOT, component: 0, slot: 0 }, { op: COND_COMPONENT_SLOT, component: 0, slot: 1 }, fetch("a1")],
    [false, true],
  );
  await of("try-each-exhausted", "no alternative fits", install(seq(tryEach(seq(abort), seq(abort)), ...go("c"))), [E.TRY_EACH_EXHAUSTED]);
  await of("try-each-nil", "no alternative fits, and none has to", install(seq(tryEach(seq(abort), seq(abort), null), ...go("c"))), [
    fetch("c"),
  ]);
  await of(
    "try-each-nil-unused",
    "nil at the end, and an alternative fits",
    install(seq(tryEach(seq(...go("a")), seq(abort), null), ...go("c"))),
    [fetch("a"), fetch("c")],
  );
  await of(
    "try-each-nested",
    "a nested try-each finds its second alternative, and the outer one is content",
    install(seq(tryEach(seq(tryEach(seq(abort), seq(...go("a")))), seq(...go("b"))))),
    [fetch("a")],
  );
  await of(
    "try-each-nested-nil",
    "a nested try-each ends with nil, and then the outer alternative fails",
    install(seq(tryEach(seq(tryEach(seq(abort), seq(abort), null), abort), seq(...go("b"))))),
    [fetch("b")],
  );
  await of(
    "try-each-nested-exhausted",
    "a nested try-each finds nothing: an error, no failed condition, so the run ends",
    install(seq(tryEach(seq(tryEach(seq(abort), seq(abort))), seq(...go("b"))))),
    [E.TRY_EACH_EXHAUSTED],
  );
}

async function ofSoftFailure({ of, install }: Tools): Promise<void> {
  await of(
    "try-each-hard",
    "soft-failure false inside an alternative: its failed condition ends the run",
    install(seq(tryEach(seq(soft(false), abort), seq(...go("b"))))),
    [E.ABORTED],
  );
  await of(
    "try-each-hard-then-soft",
    "soft-failure false and true again",
    install(seq(tryEach(seq(soft(false), soft(true), abort), seq(...go("b"))))),
    [fetch("b")],
  );
  await of(
    "try-each-fresh-soft",
    "soft-failure false in a first alternative does not reach into the second",
    install(seq(tryEach(seq(tryEach(seq(soft(false), ...go("a")), seq(...go("b"))), abort), seq(...go("c"))))),
    [fetch("a"), fetch("c")],
  );
  await of(
    "try-each-parameters",
    "parameters set in a failed alternative stay",
    install(seq(tryEach(seq(override(uriParam("a")), abort), seq(override(sizeParam(1)))), [DIR_FETCH, 2])),
    [{ ...fetch("a"), size: 1 }],
  );
  await of(
    "try-each-directive",
    "a directive that fails in an alternative ends the run",
    install(seq(tryEach(seq(...go("a")), seq(...go("b"))))),
    [fetch("a"), E.DIRECTIVE_FAILED],
    [false],
  );
}

async function ofRunSequence({ of, install }: Tools): Promise<void> {
  await of("run-sequence", "a sequence in a sequence", install(seq(run(seq(...go("a"))), ...go("b"))), [fetch("a"), fetch("b")]);
  await of(
    "run-sequence-hard",
    "a condition fails in it: the sequence around it fails",
    install(seq(run(seq(abort, ...go("a"))), ...go("b"))),
    [E.ABORTED],
  );
  await of(
    "run-sequence-soft",
    "a condition fails softly: it ends, and the sequence around it goes on",
    install(seq(run(seq(soft(true), ...go("a"), abort, ...go("b"))), ...go("c"))),
    [fetch("a"), fetch("c")],
  );
  await of(
    "run-sequence-soft-off",
    "soft-failure true and false again",
    install(seq(run(seq(soft(true), soft(false), abort)), ...go("c"))),
    [E.ABORTED],
  );
  await of(
    "run-sequence-not-inherited",
    "soft-failure is not inherited: the inner failure is handed to the outer sequence, which is soft and ends",
    install(seq(run(seq(soft(true), run(seq(abort, ...go("a"))), ...go("b"))), ...go("c"))),
    [fetch("c")],
  );
  await of(
    "run-sequence-restored",
    "soft-failure of an inner sequence is over when it ends",
    install(seq(run(seq(run(seq(soft(true), ...go("a"))), abort)), ...go("c"))),
    [fetch("a"), E.ABORTED],
  );
  await of(
    "run-sequence-in-try-each",
    "a failed condition is handed on to the try-each around it",
    install(seq(tryEach(seq(run(seq(run(seq(abort)))), ...go("a")), seq(...go("b"))))),
    [fetch("b")],
  );
  await of(
    "try-each-in-run-sequence",
    "a failed condition in a hard alternative ends the run, whatever the sequence around it says",
    install(seq(run(seq(soft(true), tryEach(seq(soft(false), abort), seq(...go("b"))))), ...go("c"))),
    [E.ABORTED],
  );
  await of(
    "run-sequence-directive",
    "a directive that fails is not swallowed by soft-failure",
    install(seq(run(seq(soft(true), ...go("a"))), ...go("b"))),
    [fetch("a"), E.DIRECTIVE_FAILED],
    [false],
  );
  await of("soft-failure-outside", "soft-failure belongs into try-each and run-sequence", install(seq(soft(true), abort)), [
    E.SOFT_FAILURE_SCOPE,
  ]);
  await of(
    "soft-failure-shared",
    "soft-failure in a run-sequence of the shared sequence",
    install(seq(...go("a")), { shared: seq(run(seq(soft(true), abort))) }),
    [fetch("a")],
  );
}

async function ofIndex({ of, install, three }: Tools): Promise<void> {
  const perComponent = seq(index(0), override(uriParam("a")), index(1), override(uriParam("b")), index(2), override(uriParam("c")));
  const withShared = { ...three, shared: perComponent };
  await of("index-default", "the only component needs no index", install(seq(...go("a"))), [fetch("a")]);
  await of("index-only", "the index of the only component may be set", install(seq(index(0), ...go("a"))), [fetch("a")]);
  await of("index-unset", "with several components there is no default", install(seq([DIR_FETCH, 2]), withShared), [E.INDEX_UNSET]);
  await of(
    "index-single",
    "each component has parameters of its own",
    install(seq(index(2), [DIR_FETCH, 2], index(0), [DIR_FETCH, 2]), withShared),
    [fetch("c", 2), fetch("a", 0)],
  );
  await of("index-true", "true: all components, in order", install(seq(index(TRUE), [DIR_FETCH, 2]), withShared), [
    fetch("a", 0),
    fetch("b", 1),
    fetch("c", 2),
  ]);
  await of("index-true-one", "true with a single component", install(seq(index(TRUE), ...go("a"))), [fetch("a")]);
  await of("index-list", "a list, in its order", install(seq(index(array(int(2), int(0))), [DIR_FETCH, 2]), withShared), [
    fetch("c", 2),
    fetch("a", 0),
  ]);
  await of(
    "index-list-commands",
    "each command is carried out for all of the list before the next one",
    install(
      seq(index(array(int(0), int(1))), [DIR_FETCH, 2], override([PARAM_COMPONENT_SLOT, int(1)]), [COND_COMPONENT_SLOT, 5]),
      withShared,
    ),
    [fetch("a", 0), fetch("b", 1), { op: COND_COMPONENT_SLOT, component: 0, slot: 1 }, { op: COND_COMPONENT_SLOT, component: 1, slot: 1 }],
  );
  await of(
    "index-list-fails",
    "a condition that fails for the second of a list ends it there",
    install(seq(index(TRUE), override([PARAM_COMPONENT_SLOT, int(1)]), [COND_COMPONENT_SLOT, 5]), three),
    [{ op: COND_COMPONENT_SLOT, component: 0, slot: 1 }, { op: COND_COMPONENT_SLOT, component: 1, slot: 1 }, E.SLOT_MISMATCH],
    [true, false],
  );
  await of(
    "index-try-each",
    "try-each is carried out once for each component, with that one inside",
    install(
      seq(index(TRUE), tryEach(seq(override([PARAM_COMPONENT_SLOT, int(0)]), [COND_COMPONENT_SLOT, 5]), seq([DIR_FETCH, 2]))),
      withShared,
    ),
    [
      { op: COND_COMPONENT_SLOT, component: 0, slot: 0 },
      { op: COND_COMPONENT_SLOT, component: 1, slot: 0 },
      fetch("b", 1),
      { op: COND_COMPONENT_SLOT, component: 2, slot: 0 },
    ],
    [true, false, true, true],
  );
  await of(
    "index-failed-alternative",
    "an index that a failed alternative has set does not reach into the next one",
    install(
      seq(index(0), tryEach(seq(index(1), abort), seq([DIR_FETCH, 2])), tryEach(seq(index(TRUE), abort), seq([DIR_FETCH, 2]))),
      withShared,
    ),
    [fetch("a", 0), fetch("a", 0)],
  );
  await of(
    "index-run-sequence",
    "run-sequence is carried out once for each component, and ends softly for one of them",
    install(
      seq(
        index(array(int(1), int(2))),
        run(seq(soft(true), override([PARAM_COMPONENT_SLOT, int(0)]), [COND_COMPONENT_SLOT, 5], [DIR_FETCH, 2])),
      ),
      withShared,
    ),
    [{ op: COND_COMPONENT_SLOT, component: 1, slot: 0 }, { op: COND_COMPONENT_SLOT, component: 2, slot: 0 }, fetch("c", 2)],
    [false, true, true],
  );
  await of(
    "index-inside",
    "an index that is set inside a sequence is over when it ends",
    install(seq(index(0), run(seq(index(2), [DIR_FETCH, 2])), [DIR_FETCH, 2]), withShared),
    [fetch("c", 2), fetch("a", 0)],
  );
}

async function ofSections({ of, install }: Tools): Promise<void> {
  await of("override", "override replaces", install(seq(override(uriParam("a")), override(uriParam("b")), [DIR_FETCH, 2])), [fetch("b")]);
  await of(
    "override-adds",
    "override leaves alone what it does not name",
    install(seq(override(uriParam("a")), override(sizeParam(5)), [DIR_FETCH, 2])),
    [{ ...fetch("a"), size: 5 }],
  );
  await of(
    "sections-keep",
    "parameters live from one section to the next",
    { sections: { [MAN_PAYLOAD_FETCH]: seq(override(uriParam("a"))), [MAN_INSTALL]: seq([DIR_FETCH, 2]) } },
    [fetch("a")],
    undefined,
    [MAN_PAYLOAD_FETCH, MAN_INSTALL],
  );
  await of(
    "sections-order",
    "sections run in the order of the procedure, not in that of their numbers",
    { sections: { [MAN_VALIDATE]: seq(...go("v")), [MAN_PAYLOAD_FETCH]: seq(...go("p")), [MAN_INSTALL]: seq(...go("i")) } },
    [fetch("p"), fetch("i"), fetch("v")],
    undefined,
    [MAN_PAYLOAD_FETCH, MAN_INSTALL, MAN_VALIDATE],
  );
  await of(
    "shared-each",
    "the shared sequence runs before each section, and sets its parameters again",
    {
      shared: seq(override(uriParam("s"))),
      sections: { [MAN_PAYLOAD_FETCH]: seq([DIR_FETCH, 2], ...go("p")), [MAN_INSTALL]: seq([DIR_FETCH, 2]) },
    },
    [fetch("s"), fetch("p"), fetch("s")],
    undefined,
    [MAN_PAYLOAD_FETCH, MAN_INSTALL],
  );
  await of(
    "shared-condition",
    "a condition of the shared sequence is asked before each section",
    {
      shared: seq(override([PARAM_COMPONENT_SLOT, int(1)]), [COND_COMPONENT_SLOT, 5]),
      sections: { [MAN_PAYLOAD_FETCH]: seq(...go("p")), [MAN_INSTALL]: seq(...go("i")) },
    },
    [
      { op: COND_COMPONENT_SLOT, component: 0, slot: 1 },
      { ...fetch("p") },
      { op: COND_COMPONENT_SLOT, component: 0, slot: 1 },
      E.SLOT_MISMATCH,
    ],
    [true, true, false],
    [MAN_PAYLOAD_FETCH, MAN_INSTALL],
  );
  await of(
    "shared-alone",
    "the shared sequence does not run for a section that is not there",
    { shared: seq(abort), sections: { [MAN_VALIDATE]: seq(...go("v")) } },
    [],
    undefined,
    [MAN_LOAD],
  );
  await of(
    "section-missing",
    "a section that is not there is a success",
    { sections: { [MAN_INSTALL]: seq(...go("a")) } },
    [fetch("a")],
    undefined,
    [MAN_PAYLOAD_FETCH, MAN_INSTALL, MAN_VALIDATE],
  );
  const severed = seq(...go("a"));
  await of(
    "section-severed",
    "a severed section that is present runs like any other",
    { more: [[MAN_INSTALL, digest(bytes(severed))]] },
    [fetch("a")],
    undefined,
    [MAN_INSTALL],
    { rest: [[int(MAN_INSTALL), bytes(severed)]] },
  );
  await of(
    "section-severed-absent",
    "a severed section that is absent does not count as missing",
    { sections: { [MAN_VALIDATE]: seq(...go("v")) }, more: [[MAN_INSTALL, digest(bytes(severed))]] },
    [fetch("v"), E.SEVERED_ABSENT],
    undefined,
    [MAN_VALIDATE, MAN_INSTALL],
  );
}

async function ofStrictOrder({ of, install, three }: Tools): Promise<void> {
  const strict = (on: boolean) => override([PARAM_STRICT_ORDER, on ? TRUE : FALSE]);
  const sources = seq(
    index(0),
    override([PARAM_SOURCE_COMPONENT, int(1)]),
    index(1),
    override([PARAM_SOURCE_COMPONENT, int(2)]),
    index(2),
    override([PARAM_SOURCE_COMPONENT, int(0)]),
  );
  const chain = { ...three, shared: sources };
  const copy = (component: number, source: number): EffectSpec => ({ op: DIR_COPY, component, source });
  await of(
    "strict-order-on",
    "with strict order, a source may be written afterwards",
    install(seq(index(array(int(0), int(1))), [DIR_COPY, 2]), chain),
    [copy(0, 1), copy(1, 2)],
  );
  await of(
    "strict-order-source-then-target",
    "without it, a source must not become a target",
    install(seq(index(array(int(0), int(1))), strict(false), [DIR_COPY, 2]), chain),
    [copy(0, 1), E.STRICT_ORDER],
  );
  await of(
    "strict-order-target-then-source",
    "without it, a target must not become a source",
    install(seq(index(array(int(1), int(0))), strict(false), [DIR_COPY, 2]), chain),
    [copy(1, 2), E.STRICT_ORDER],
  );
  await of(
    "strict-order-barrier-index",
    "set-component-index is a barrier",
    install(seq(index(0), strict(false), [DIR_COPY, 2], index(1), [DIR_COPY, 2]), chain),
    [copy(0, 1), copy(1, 2)],
  );
  await of(
    "strict-order-barrier-override",
    "override-parameters is a barrier",
    install(seq(index(0), strict(false), [DIR_COPY, 2], override(sizeParam(1)), index(1), [DIR_COPY, 2]), chain),
    [copy(0, 1), copy(1, 2)],
  );
  await of(
    "strict-order-back-on",
    "strict order on again",
    install(seq(index(array(int(0), int(1))), strict(false), strict(true), [DIR_COPY, 2]), chain),
    [copy(0, 1), copy(1, 2)],
  );
  await of(
    "strict-order-independent",
    "without it, what does not touch goes on",
    install(seq(index(array(int(0), int(2))), strict(false), override(uriParam("a")), [DIR_FETCH, 2]), three),
    [fetch("a", 0), fetch("a", 2)],
  );
  await of(
    "strict-order-next-section",
    "strict order is on again in the next section",
    {
      ...chain,
      sections: {
        [MAN_PAYLOAD_FETCH]: seq(index(2), strict(false), [DIR_COPY, 2]),
        [MAN_INSTALL]: seq(index(array(int(0), int(1))), [DIR_COPY, 2]),
      },
    },
    [copy(2, 0), copy(0, 1), copy(1, 2)],
    undefined,
    [MAN_PAYLOAD_FETCH, MAN_INSTALL],
  );
}
