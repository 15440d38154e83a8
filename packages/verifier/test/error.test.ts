// The base class of errors: its members, and the codes of refusals.

import { describe, expect, it } from "vitest";
import * as refusals from "../src/spec/errors.generated.js";
import { codeOfRefusal, type ErrorCode, FirmsealError, OTHER_ERRORS } from "../src/tools/error.js";

describe("FirmsealError", () => {
  it("has the number of its code: that of a refusal, or of another error", () => {
    for (const [name, number] of Object.entries({ ...refusals, ...OTHER_ERRORS }))
      expect(new FirmsealError(`ERR_${name}` as ErrorCode, "words").number, name).toBe(number);
  });

  it("has its name, its code and its words, and a cause only if one is given", () => {
    const plain = new FirmsealError("ERR_KEY", "not a key");
    expect(plain).toBeInstanceOf(Error);
    expect({ ...plain, message: plain.message }).toEqual({ name: "FirmsealError", code: "ERR_KEY", number: 206, message: "not a key" });
    for (const options of [undefined, {}, { cause: undefined }])
      expect("cause" in new FirmsealError("ERR_KEY", "not a key", options)).toBe(false);
    const cause = new Error("why");
    const caused = new FirmsealError("ERR_LOG", "the log is cut", { cause });
    expect(caused.cause).toBe(cause);
    expect(Object.getOwnPropertyDescriptor(caused, "cause")).toMatchObject({ enumerable: false, configurable: true, writable: true });
  });

  it("has the number of its cause if only that knows it, and if both have one code", () => {
    class Elsewhere extends FirmsealError {
      override readonly number = 700;
    }
    const cause = new Elsewhere("ERR_FORMAT_TEST", "refused");
    expect(new FirmsealError("ERR_FORMAT_TEST", "words", { cause }).number).toBe(700);
    expect(new FirmsealError("ERR_FORMAT_OTHER", "words", { cause }).number).toBe(undefined);
    expect(new FirmsealError("ERR_KEY", "words", { cause }).number).toBe(206);
    expect(new FirmsealError("ERR_FORMAT_TEST", "words", { cause: { code: "ERR_FORMAT_TEST", number: 1 } }).number).toBe(undefined);
  });

  it("has numbers that no release changes", () => {
    expect(OTHER_ERRORS).toEqual({
      ...{ USAGE: 200, ENVIRONMENT: 201, TEST_KEY: 202, ALREADY_SIGNED: 203, DESCRIPTION: 204, IMAGE: 205, KEY: 206, POWER_CUT: 207 },
      ...{ SEQUENCE: 212, LOG: 213, KEY_ROLE: 214, APPROVAL: 215, PAYLOAD_UNCHECKED: 216, CONSUMER: 217, KEY_STATE: 220 },
      ...{ KEY_EXHAUSTED: 221, LIMIT: 230, FLEET: 240, STRANDED: 241, STATUS: 242, PRODUCT: 243, RELEASE: 244, LINT: 245, DOCTOR: 246 },
      ...{ WITHDRAWN: 247, BATCH: 248 },
      ...{ BUNDLE: 250, DEVICE: 251, RECORD: 252, TRUST_CONTENT: 253, CBOR: 254, INTERNAL: 299 },
    });
  });
});

describe("codeOfRefusal()", () => {
  it("gives the code of each refusal, and ERR_INTERNAL for a number that is unknown", () => {
    for (const [name, number] of Object.entries(refusals)) expect(codeOfRefusal(number)).toBe(`ERR_${name}`);
    expect(codeOfRefusal(9999)).toBe("ERR_INTERNAL");
  });
});
