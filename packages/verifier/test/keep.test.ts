// What a device must keep of a release, and how much of a payload it must write.

import { type Description, encode, privateKey, signEnvelopeWithoutLog, signer, singleImage } from "@firmseal/signer";
import { describe, expect, it } from "vitest";
import {
  bytes as bstr,
  C0,
  C1,
  CLASS,
  type Command,
  digest as digestOf,
  digestParam,
  envelope,
  identity as identityOf,
  int,
  manifest,
  map,
  override,
  type Pair,
  type Piece,
  payload,
  seq,
  signBlock,
  sizeParam,
  text as tstr,
  update,
  uriParam,
  VENDOR,
} from "../../../test-vectors/src/pieces/assemble.js";
import { hex, sha256Hex } from "../../test-support/src/bytes.js";
import { type MemoryDevice, memoryDevice } from "../src/device/memory.js";
import { anchor, type Bytes, boot, errors, type Host, install, open, type Source, sha256 } from "../src/index.js";
import {
  COND_IMAGE_MATCH,
  COND_VENDOR_IDENTIFIER,
  DIR_FETCH,
  DIR_SET_COMPONENT_INDEX,
  MAN_INSTALL,
  MAN_LOAD,
  MAN_TEXT,
  MAN_VALIDATE,
} from "../src/spec/suit.js";
import { decodeEnvelope } from "../src/tools/envelope.js";
import { code, ID, identity, image, release, signed, trust, uuid } from "./releases.js";

const good = signer(privateKey("ed25519", hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")));
const stranger = signer(privateKey("ed25519", hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")));
const strangers = [
  stranger,
  ...[1, 2].map((n) =>
    signer(
      privateKey(
        "ed25519",
        Uint8Array.from({ length: 32 }, () => n),
      ),
    ),
  ),
];
const bytes = image(1, 100);
const facts = { sequence: 1, ...uuid, digest: sha256Hex(bytes), size: bytes.length, uri: "#firmware", payload: bytes };

/** A device that notes what it must keep and write. */
function watched(ids: Uint8Array[][] = [ID], capacity = 1000) {
  const device = memoryDevice(identity, ids, capacity);
  const { keep, write } = device;
  const kept: (Bytes | Source)[] = [];
  const sizes: number[] = [];
  device.keep = (envelope) => {
    kept.push(envelope);
    return keep(envelope);
  };
  device.write = (id, offset, some) => {
    sizes.push(some.length);
    write(id, offset, some);
  };
  return { device, kept, sizes };
}

describe("what is kept", () => {
  it("of a release whose start fetches is the envelope itself, or all of it but the signatures that do not count", async () => {
    const { install: fetch, ...rest } = singleImage({ ...facts, text: { en: { "update-description": "a text" } } });
    const d = { ...rest, validate: ["condition-vendor-identifier"], load: fetch, invoke: ["directive-invoke"] } as unknown as Description;
    for (const [signers, itself] of [
      [[good], true],
      [[stranger, good], false],
      [[good, stranger], true],
      [[good, ...strangers], false],
    ] as const) {
      const { device, kept } = watched();
      const envelope = await signEnvelopeWithoutLog(encode(d), [...signers]);
      install(envelope, trust, device).next();
      expect(kept[0] === envelope).toBe(itself);
      expect(open(kept[0] as Bytes, trust).signatures.map((s) => !!s.good)).toEqual([true, false, false].slice(0, signers.length));
      boot(kept[0] as Bytes, trust, device).next();
      expect(device.invoked).toHaveLength(1);
    }
  });

  it("of any other release has no payload, even if all its signatures count", async () => {
    const { device, kept } = watched();
    const envelope = await signed(singleImage(facts));
    install(envelope, trust, device).next();
    expect(kept[0]?.length).toBeLessThan(envelope.length - bytes.length);
    expect(open(kept[0] as Bytes, trust).digest).toEqual(open(envelope, trust).digest);
  });

  it("has more than two signatures of strangers only for the component that is just trust", async () => {
    for (const [component, count] of [
      [["trust"], 4],
      [["trust", "x"], 3],
      [["truss"], 3],
    ] as const) {
      const { device, kept } = watched([component.map((part) => new TextEncoder().encode(part))]);
      install(
        await signEnvelopeWithoutLog(encode({ ...singleImage({ ...facts, component: [...component] }) }), [good, ...strangers]),
        trust,
        device,
      ).next();
      expect(open(kept[0] as Bytes, trust).signatures).toHaveLength(count);
    }
  });

  it("is what was installed: a device that gives another release in its place is at fault", async () => {
    const other = await release(9, image(2, 50));
    const { device } = watched();
    device.keep = () => other;
    const envelope = await signed(singleImage(facts));
    expect(code(() => install(envelope, trust, device).next())).toBe(errors.DEVICE_FAULT);
    expect(device.floor()).toEqual([0, 0]);
  });

  it("is the same to the octet: a device that gives one bit, or one octet, more or less is at fault", async () => {
    const envelope = await signed(singleImage(facts));
    const { device: whole, kept } = watched();
    install(envelope, trust, whole).next();
    const n = (kept[0] as Bytes).length;
    for (let at = -1; at <= n; at++) {
      const { device } = watched();
      device.keep = (given) => {
        const octets = Array.from(given as Bytes);
        if (at < 0) octets.pop();
        else octets[at] = (octets[at] ?? 0) ^ 1;
        return octets;
      };
      expect(code(() => install(envelope, trust, device).next())).toBe(errors.DEVICE_FAULT);
      expect(device.floor()).toEqual([0, 0]);
    }
  });

  it("has the signature blocks that were verified, whatever the source gives the second time", async () => {
    const envelope = await signEnvelopeWithoutLog(encode(singleImage(facts)), [good, stranger]);
    const blocks = open(envelope, trust).signatures.flatMap((s) => [s.head, s.body]);
    expect(blocks).toHaveLength(4);
    for (const { at, n } of blocks)
      for (const changed of [at, at + n - 1]) {
        const { device } = watched();
        let opened = false;
        const source: Source = {
          length: envelope.length,
          read(from, count) {
            const octets = envelope.slice(from, from + count);
            if (opened && changed >= from && changed < from + count) octets[changed - from] = (octets[changed - from] as number) ^ 1;
            return octets;
          },
        };
        const progress = install(source, trust, device);
        opened = true;
        expect(code(() => progress.next())).toBe(errors.DEVICE_FAULT);
        expect(device.floor()).toEqual([0, 0]);
      }
  });

  it("may have a good signature behind any number of others only once the device has kept it", async () => {
    const others = Array.from({ length: 4 }, (_, i) => signer(privateKey("ed25519", new Uint8Array(32).fill(i + 1))));
    const envelope = await signEnvelopeWithoutLog(encode(singleImage(facts)), [...others, good]);
    expect(code(() => install(envelope, trust, watched().device))).toBe(errors.SIGNATURE_COUNT);
    expect(boot(envelope, trust, watched().device).manifest.signers).toEqual([0]);
  });

  it("costs one hash of each signature, which open() alone does not pay", async () => {
    const envelope = await signEnvelopeWithoutLog(encode(singleImage(facts)), [good, stranger]);
    let hashed = 0;
    const host: Host = {
      sha256: {
        create: sha256.create,
        joined(pieces) {
          hashed++;
          const state = sha256.create();
          for (const piece of pieces) state.update(typeof piece === "number" ? [piece] : piece);
          return state.digest();
        },
      },
    };
    open(envelope, trust, host);
    expect(hashed).toBe(0);
    install(envelope, trust, watched().device, host);
    expect(hashed).toBe(2);
  });
});

describe("a payload without a size", () => {
  const commands = (parameters: object, more: object[] = []): Description => ({
    $schema: "urn:firmseal:manifest:1",
    sequence: 1,
    components: [[{ hex: "00" }]],
    "shared-sequence": [
      { "directive-override-parameters": { "vendor-identifier": uuid.vendor, "class-identifier": uuid.class } },
      "condition-vendor-identifier",
      "condition-class-identifier",
    ] as never,
    install: [
      { "directive-override-parameters": { "image-digest": { hex: sha256Hex(bytes) }, uri: "a:1", ...parameters } },
      "directive-fetch",
      ...more,
    ] as never,
    // what a start runs
    validate: ["condition-vendor-identifier"] as never,
  });
  const fetching = async (capacity: number, parameters: object, ...pieces: Uint8Array[]): Promise<[number, number[], MemoryDevice]> => {
    const { device, sizes } = watched([ID], capacity);
    const envelope = await signed(commands(parameters, ["condition-image-match"] as never));
    const found = code(() => {
      const progress = install(envelope, trust, device);
      progress.next();
      for (const piece of pieces) progress.next(piece);
      progress.next(true);
    });
    return [found, sizes, device];
  };
  it("may have as many bytes as its component, and none that is too many is written", async () => {
    expect((await fetching(100, {}, bytes)).slice(0, 2)).toEqual([0, [100]]);
    expect((await fetching(1000, {}, bytes.slice(0, 60), bytes.slice(60))).slice(0, 2)).toEqual([0, [60, 40]]);
    expect((await fetching(99, {}, bytes)).slice(0, 2)).toEqual([errors.PAYLOAD_SIZE, []]);
    expect((await fetching(99, {}, bytes.slice(0, 60), bytes.slice(60))).slice(0, 2)).toEqual([errors.PAYLOAD_SIZE, [60]]);
  });
  it("in the envelope is also cut off before an excess byte is written", async () => {
    const { device, sizes } = watched();
    const big = image(3, 3000);
    const envelope = await signed(singleImage({ ...facts, digest: sha256Hex(big), size: 1000, payload: big }));
    expect(code(() => install(envelope, trust, device).next())).toBe(errors.PAYLOAD_SIZE);
    expect(sizes.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(1000);
  });
});

describe("an image", () => {
  it("that a start has loaded is not invoked before its digest has matched there", async () => {
    const { install: fetch, ...rest } = singleImage(facts);
    const commands = fetch as unknown[];
    for (const [load, found] of [
      [[...commands, "condition-image-match"], 0],
      [commands.filter((c) => c !== "condition-image-match"), errors.INVOKE_UNVERIFIED],
    ] as const) {
      const d = { ...rest, validate: ["condition-vendor-identifier"], load, invoke: ["directive-invoke"] } as unknown as Description;
      const { device } = watched();
      const envelope = await signed(d);
      // what never starts is not installed
      expect(code(() => install(envelope, trust, device).next())).toBe(found);
      expect(device.floor()).toEqual([0, found ? 0 : 1]);
      device.dangerouslySkipDigest = true;
      install(envelope, trust, device).next();
      device.dangerouslySkipDigest = false;
      expect(code(() => boot(envelope, trust, device).next())).toBe(found);
      expect(device.invoked).toHaveLength(found ? 0 : 1);
    }
  });

  it("of no bytes exists only if a size of 0 is requested", async () => {
    for (const [size, found] of [
      [{}, errors.IMAGE_MISMATCH],
      [{ "image-size": 0 }, 0],
      [{ "image-size": 1 }, errors.IMAGE_MISMATCH],
    ] as const) {
      const d: Description = {
        $schema: "urn:firmseal:manifest:1",
        sequence: 1,
        components: [[{ hex: "00" }]],
        "shared-sequence": [
          { "directive-override-parameters": { "vendor-identifier": uuid.vendor, "class-identifier": uuid.class } },
          "condition-vendor-identifier",
          "condition-class-identifier",
        ] as never,
        validate: ["condition-vendor-identifier"] as never,
        install: [
          { "directive-override-parameters": { "image-digest": { hex: sha256Hex(new Uint8Array()) }, ...size } },
          "condition-image-match",
        ] as never,
      };
      const envelope = await signed(d);
      expect(code(() => install(envelope, trust, watched().device).next())).toBe(found);
    }
  });
});

describe("an envelope that is assembled again", () => {
  it("has what was severed and its payloads, and one signature of each kept COSE_Sign", async () => {
    const text = bstr(map([tstr("en"), map()]));
    const load = seq(override(uriParam("#fw")), [DIR_FETCH, 2], [COND_IMAGE_MATCH, 15]);
    for (const loads of [true, false]) {
      const content = update({ sections: { [loads ? MAN_LOAD : MAN_INSTALL]: load }, more: [[MAN_TEXT, digestOf(text)]] });
      const many = (message: Piece) => signBlock(message, [{ key: "b" }, { key: "a" }, { key: "b" }, { key: "b" }]);
      const rest: Pair[] = [[int(MAN_TEXT), text], payload()];
      const b = Uint8Array.from(await envelope(content, { blocks: [many], rest }));
      const device = memoryDevice({ vendor: [VENDOR], class: [CLASS] }, [ID], 100);
      install(b, trust, device).next();
      const kept = device.envelope as Bytes;
      expect(open(kept, trust).signatures.map((s) => !!s.good)).toEqual([true, false, false]);
      const { severed, payloads } = decodeEnvelope(kept).envelope;
      expect([severed.map((e) => e.number), payloads.map((p) => p.uri)]).toEqual(loads ? [[MAN_TEXT], ["#fw"]] : [[], []]);
      boot(kept, trust, device).next();
      expect(device.invoked).toHaveLength(1);
    }
  });
});

describe("what a start will load", () => {
  const more = [Uint8Array.of(1)];
  const board = () => memoryDevice({ vendor: [VENDOR], class: [CLASS] }, [ID, more], 100);
  /** Loads two components from where the URIs say. */
  const loading = (...uris: string[]) => {
    const pick = (i: number): Command => [DIR_SET_COMPONENT_INDEX, int(i)];
    const each = (f: (i: number) => Command[]) => [0, 1].flatMap((i) => [pick(i), ...f(i)]);
    return manifest({
      components: [C0, C1],
      shared: seq(pick(0), ...identityOf, ...each((i) => [override(digestParam([i]), sizeParam(1))])),
      sections: {
        [MAN_VALIDATE]: seq(pick(0), [COND_VENDOR_IDENTIFIER, 15]),
        [MAN_LOAD]: seq(...each((i) => [override(uriParam(uris[i] as string)), [DIR_FETCH, 2], [COND_IMAGE_MATCH, 15]])),
      },
    });
  };

  it("is checked before it is current: each payload against the digest of its own component", async () => {
    for (const [first, second, wanted] of [
      [0, 1, 0],
      [0, 2, errors.IMAGE_UNVERIFIED],
      [2, 1, errors.IMAGE_UNVERIFIED],
    ] as const) {
      const device = board();
      const rest = [payload([first], "#a"), payload([second], "#b")];
      const b = Uint8Array.from(await envelope(loading("#a", "#b"), { rest }));
      expect(code(() => install(b, trust, device).next())).toBe(wanted);
      expect(device.sequence).toEqual(wanted ? [0, 0] : [0, 7]);
      if (!wanted) expect(boot(device.envelope as Bytes, trust, device).next()).toBeUndefined();
    }
  });

  it("may come from outside, and then need not exist yet; a fragment is nowhere else", async () => {
    const outside = Uint8Array.from(await envelope(loading("a:1", "a:2")));
    const device = board();
    expect(install(outside, trust, device).next()).toBeUndefined();
    expect(boot(device.envelope as Bytes, trust, device).next()).toMatchObject({ uri: "a:1" });
    const nowhere = Uint8Array.from(await envelope(loading("#a", "#b"), { rest: [payload([0], "#a")] }));
    expect(code(() => install(nowhere, trust, board()).next())).toBe(errors.PAYLOAD_ABSENT);
    const given = board();
    given.payloads = { "#b": [1] };
    expect(install(nowhere, trust, given).next()).toBeUndefined();
  });
});

describe("what a device has kept instead of an envelope", () => {
  const load = seq(override(uriParam("#fw")), [DIR_FETCH, 2], [COND_IMAGE_MATCH, 15]);
  it.each([
    ["of a release that is installed", update()],
    ["of one that a start loads", update({ sections: { [MAN_LOAD]: load } })],
  ])(
    "does not become current, whichever octet of it has changed, with two signatures and their key identifiers: %s",
    async (_, content) => {
      const keys = [0x61, 0x62].map((octet) => new Uint8Array(32).fill(octet));
      const both = { anchors: keys.map((key, i) => anchor("hmac256", key, [i + 1])), threshold: 2 };
      const blocks = keys.map((mac, i) => ({ key: "m" as const, mac: Array.from(mac), unprotected: map([int(4), bstr([i + 1])]) }));
      const b = Uint8Array.from(await envelope(content, { blocks, rest: [payload()] }));
      /** Installs on a device that keeps the envelope with one bit changed; what is current then, and how long the kept one is. */
      const installed = (changed: number) => {
        const device = memoryDevice({ vendor: [VENDOR], class: [CLASS] }, [ID], 100);
        const { keep } = device;
        let length = 0;
        device.keep = (e) => {
          const kept = Uint8Array.from(keep(e) as ArrayLike<number>);
          length = kept.length;
          if (changed < length) kept[changed] = (kept[changed] as number) ^ 1;
          return kept;
        };
        const refused = code(() => install(b, both, device).next());
        return { refused: refused !== 0, floor: device.sequence, length };
      };
      const { length, ...whole } = installed(Number.POSITIVE_INFINITY);
      expect(whole).toEqual({ refused: false, floor: [0, 7] });
      for (let i = 0; i < length; i++) expect(installed(i), `${i}`).toEqual({ refused: true, floor: [0, 0], length });
    },
  );
});
