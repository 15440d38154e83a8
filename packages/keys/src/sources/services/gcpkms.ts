// gcpkms:projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/V, a version of a P-256 or Ed25519 key in
// Google Cloud KMS.

import { inWords, signatureLength } from "@firmseal/signer";
import { CURVE_ALGS, type CurveAlg, curveAlgOf } from "../../algorithms.js";
import { sha256Of } from "../../files/digest.js";
import { rawFromDer } from "../../formats/der/ecdsa.js";
import type { Asking, OpenedKey } from "../../source.js";
import { LONGEST_ANSWER } from "./answer-limit.js";
import { crc32c } from "./crc32c.js";
import {
  ATTEMPT,
  ATTEMPTS,
  callService,
  commonTrouble,
  importPackage,
  keyOfSpki,
  notASignature,
  servedKey,
  serviceError,
  TOO_LONG,
  type Trouble,
  unknownTrouble,
  wrongReference,
} from "./service.js";

const SERVICE = "Google Cloud KMS";
const PACKAGE = "@google-cloud/kms";

const REFERENCE_FORM = "give the version as well: gcpkms:projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/1";
// the name includes the version number: the service has no "newest" version for signing
const VERSION_NAME =
  /^projects\/[a-z0-9.:-]+\/locations\/[a-z0-9-]+\/keyRings\/[\w-]{1,63}\/cryptoKeys\/[\w-]{1,63}\/cryptoKeyVersions\/[1-9][0-9]*$/;

/** The algorithm of a key version (CryptoKeyVersionAlgorithm): EC_SIGN_ED25519, EC_SIGN_P256_SHA256. */
const nameOf = ({ plain, ecdsa }: CurveAlg) => ["EC_SIGN", plain, ...(ecdsa ? [ecdsa.digest.toUpperCase()] : [])].join("_");

const CREDENTIALS: Trouble = [
  "no Google Cloud credentials found",
  "run gcloud auth application-default login, or set GOOGLE_APPLICATION_CREDENTIALS to a credentials file",
];
const REJECTED: Trouble = ["Google Cloud does not accept the credentials", "they are wrong or expired: renew them, and check the clock"];
const BUSY: Trouble = ["Google Cloud KMS accepts no more requests at the moment", "run it again later, or have the quota raised"];
const DOWN: Trouble = ["Google Cloud KMS cannot answer at the moment", "run it again later"];
const STATE: Trouble = [
  "the key version cannot be used to sign",
  `it must be enabled, and of a key with the purpose asymmetric signing (${inWords(CURVE_ALGS.map(nameOf))})`,
];
const CORRUPTED: Trouble = ["the request or the answer was damaged in transit", "run it again; if the fault stays, check the proxy"];

const UNAVAILABLE = 14;

/** By gRPC status code. */
const TROUBLES: { readonly [code: number]: Trouble } = {
  3: STATE,
  4: ["the service did not answer in time", "check the network and the proxy settings, then run it again"],
  5: ["the key version does not exist", "check the name: gcloud kms keys versions list"],
  7: [
    "the credentials have no permission for this key",
    "they need cloudkms.cryptoKeyVersions.viewPublicKey and useToSign: roles/cloudkms.signerVerifier",
  ],
  8: BUSY,
  9: STATE,
  13: DOWN,
  [UNAVAILABLE]: ["the service cannot be reached", "check the network and the proxy settings, then run it again"],
  16: REJECTED,
};

function troubleOf(e: unknown): Trouble {
  const { code, message = "" } = e as { code?: unknown; message?: string };
  // an unavailable token has no code of its own: the client library passes on the message of the credentials library
  if (/plugin failed|invalid_grant|default credentials/.test(message)) return REJECTED;
  // the message size limit has the code of a quota
  if (code === 8 && /larger than max/.test(message)) return TOO_LONG;
  if (typeof code === "number" && Object.hasOwn(TROUBLES, code)) return TROUBLES[code] as Trouble;
  return commonTrouble(e) ?? unknownTrouble(SERVICE, typeof code === "number" ? `gRPC_status_${code}` : code);
}

/** int64 arrives as text, as a number, or as an object with two halves. */
const isSum = (value: unknown, bytes: Uint8Array) =>
  String((value as { value?: unknown } | null | undefined)?.value ?? "") === String(crc32c(bytes));

const toBytesOf = (value: Uint8Array | string | null | undefined): Uint8Array =>
  typeof value === "string" ? Buffer.from(value, "base64") : Uint8Array.from(value ?? []);

/** The retries of the library end by time, and then report everything as a timeout. */
const ONCE = { timeout: ATTEMPT, retry: { retryCodes: [] } };

/** Tries again if the service was not reached. */
async function repeated<T>(call: () => Promise<T>): Promise<T> {
  for (let i = 1; ; i++) {
    try {
      return await call();
    } catch (e) {
      if ((e as { code?: unknown }).code !== UNAVAILABLE || i === ATTEMPTS) throw e;
      await new Promise((resolve) => setTimeout(resolve, 200 * i));
    }
  }
}

/** Opens the key for a reference. Requests its public half from the service once. Throws KeyFileError. */
export async function openGoogleKey(ref: string, { signal }: Pick<Asking, "signal"> = {}): Promise<OpenedKey> {
  const name = ref.slice("gcpkms:".length);
  if (!VERSION_NAME.test(name)) throw wrongReference(ref, "is not the name of a key version in Google Cloud KMS", REFERENCE_FORM);
  // the transport logs its errors; the result is reported here
  process.env["GRPC_VERBOSITY"] ??= "NONE";
  const { KeyManagementServiceClient } = await importPackage(ref, PACKAGE, () => import("@google-cloud/kms"));
  // the library has no limit by default
  const client = new KeyManagementServiceClient({ "grpc.max_receive_message_length": LONGEST_ANSWER });
  const close = async () => {
    await client.close().catch(() => {});
  };
  try {
    // separately, because the calls initialize it without catching credential errors
    await callService(
      ref,
      () => client.initialize(),
      (e) => commonTrouble(e) ?? CREDENTIALS,
      signal,
    );
    const [got] = await callService(ref, () => repeated(() => client.getPublicKey({ name }, ONCE)), troubleOf, signal);
    // "Verifying end-to-end data integrity": the client must compare the name and the checksums
    if (got.name !== name || !isSum(got.pemCrc32c, Buffer.from(got.pem ?? ""))) throw serviceError(ref, CORRUPTED);
    const key = keyOfSpki(ref, got.pem ?? "");
    const served = curveAlgOf(key.alg);
    const length = signatureLength(key.alg);
    if (!served || length === undefined || got.algorithm !== nameOf(served)) throw serviceError(ref, STATE);
    const { ecdsa } = served;
    const sign = async (tbs: Uint8Array) => {
      const content = ecdsa ? sha256Of(tbs) : tbs;
      const sum = { value: crc32c(content) };
      const request = ecdsa ? { name, digest: { sha256: content }, digestCrc32c: sum } : { name, data: content, dataCrc32c: sum };
      const [answer] = await callService(ref, () => repeated(() => client.asymmetricSign(request, ONCE)), troubleOf, signal);
      const signature = toBytesOf(answer.signature);
      const isVerified = ecdsa ? answer.verifiedDigestCrc32c : answer.verifiedDataCrc32c;
      if (answer.name !== name || isVerified !== true || !isSum(answer.signatureCrc32c, signature)) throw serviceError(ref, CORRUPTED);
      const raw = ecdsa ? rawFromDer(signature, length) : signature;
      if (raw?.length !== length) throw notASignature(ref);
      return raw;
    };
    return servedKey(ref, key, sign, close);
  } catch (e) {
    await close();
    throw e;
  }
}
