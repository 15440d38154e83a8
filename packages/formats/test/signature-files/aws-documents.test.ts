// The documents of AWS.

import { describe, expect, it } from "vitest";
import { formatKey, type OtaFile, type OtaJob, readOtaJob, writeOtaJob, writeOtaUpdate } from "../../src/index.js";
import { AWS_SIGNATURE } from "../../src/signature-files/plain.js";
import { reasonOf } from "../common.js";
import { KEYS, signed } from "./common.js";

const content = Buffer.from("firmware");
const signature = Buffer.from(signed(AWS_SIGNATURE.draft(content), KEYS.p256).bytes).toString();
const file: OtaFile = { path: "/app", size: 8, id: 1, certificate: "Code Verify Key", signature };
const job: OtaJob = { protocols: ["MQTT"], stream: "AFR_OTA-1", files: [file] };

describe("a job document", () => {
  it("is written as devices read it, and read again", () => {
    const text = writeOtaJob(job);
    expect(JSON.parse(text)).toEqual({
      afr_ota: {
        protocols: ["MQTT"],
        streamname: "AFR_OTA-1",
        files: [{ filepath: "/app", filesize: 8, fileid: 1, certfile: "Code Verify Key", "sig-sha256-ecdsa": signature }],
      },
    });
    expect(readOtaJob(text)).toEqual(job);
    const [read] = readOtaJob(text).files;
    const verified = AWS_SIGNATURE.read(Buffer.from(read?.signature ?? ""), content).verify([formatKey(KEYS.p256)]);
    expect(verified).toHaveLength(1);
  });

  it("has an address for HTTP", () => {
    const http: OtaJob = { protocols: ["HTTP"], files: [{ ...file, type: 2, url: "https://example.com/app", scheme: "aws.s3.presigned" }] };
    expect(readOtaJob(writeOtaJob(http))).toEqual(http);
  });

  it.each([
    ["without protocols", { ...job, protocols: [] }],
    ["without a stream", { protocols: ["MQTT"], files: [file] }],
    ["without an address", { protocols: ["HTTP"], files: [file] }],
    ["without files", { ...job, files: [] }],
    ["with 11 files", { ...job, files: Array.from({ length: 11 }, () => file) }],
    ["without a path", { ...job, files: [{ ...file, path: "" }] }],
    ["with a size of 33 bits", { ...job, files: [{ ...file, size: 2 ** 32 }] }],
    ["with half a byte", { ...job, files: [{ ...file, size: 0.5 }] }],
  ] as const)("%s is refused", (_, wrong) => {
    expect(reasonOf(() => writeOtaJob(wrong as OtaJob))).toBe("SIGNATURE_FILE_JOB");
  });

  it.each(["", "[]", "null", "{}", '{"afr_ota":[]}', '{"afr_ota":{"protocols":["MQTT"],"streamname":"s","files":[1]}}'])(
    "that is %j is refused",
    (text) => {
      expect(reasonOf(() => readOtaJob(text))).toBe("SIGNATURE_FILE_JOB");
    },
  );

  const text = writeOtaJob(job);
  it.each([
    ["the signature twice, of which devices read the first", text.replace('"certfile"', `"sig-sha256-ecdsa": "AAAA", "certfile"`)],
    ["two lists of files", text.replace('"files"', '"files": [], "files"')],
    ["an escape, which devices do not resolve", text.replace("/app", "\\/app")],
    ["a number with an exponent", text.replace('"filesize": 8', '"filesize": 8e0')],
    ["a number with a point", text.replace('"filesize": 8', '"filesize": 8.0')],
    ["deeply nested members", text.replace("{", `{"other": ${"[".repeat(100_000)}${"]".repeat(100_000)},`)],
  ])("with %s is refused", (_, wrong) => {
    expect(wrong).not.toBe(text);
    expect(reasonOf(() => readOtaJob(wrong))).toBe("SIGNATURE_FILE_JOB");
  });

  it("may have other members", () => {
    expect(readOtaJob(text.replace("{", '{"other": {"a": [1, true, null, "1.5e3: {"]},'))).toEqual(job);
  });

  it("with what is not a signature is refused", () => {
    expect(reasonOf(() => writeOtaJob({ ...job, files: [{ ...file, signature: `${signature}\n` }] }))).toBe("SIGNATURE_FILE_BASE64");
  });
});

describe("the input of CreateOTAUpdate", () => {
  it("has the signature in base64 once", () => {
    const text = writeOtaUpdate({
      id: "update-1",
      targets: ["arn:aws:iot:eu-central-1:123456789012:thing/one"],
      role: "arn:aws:iam::123456789012:role/ota",
      protocols: ["MQTT"],
      file: { name: "app.bin", bucket: "firmware", key: "app.bin", version: "3" },
      certificate: { name: "Code Verify Key", pem: "-----BEGIN CERTIFICATE-----\n" },
      signature,
    });
    expect(JSON.parse(text)).toMatchObject({
      otaUpdateId: "update-1",
      files: [
        {
          codeSigning: {
            customCodeSigning: { signature: { inlineDocument: signature }, hashAlgorithm: "SHA256", signatureAlgorithm: "ECDSA" },
          },
        },
      ],
    });
  });
});
