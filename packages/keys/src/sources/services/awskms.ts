// awskms:KEY, a P-256 or Ed25519 key in AWS KMS. KEY is a key id, alias/NAME, or the ARN of either, which determines
// the region.

import type { SigningAlgorithmSpec } from "@aws-sdk/client-kms";
import { inWords, signatureLength } from "@firmseal/signer";
import { CURVE_ALGS, type CurveAlg, curveAlgOf } from "../../algorithms.js";
import { sha256Of } from "../../files/digest.js";
import { rawFromDer } from "../../formats/der/ecdsa.js";
import type { Asking, OpenedKey } from "../../source.js";
import { grouped } from "../../words.js";
import { AWS_TROUBLES, heldCredentials, NO_REGION } from "./aws.js";
import {
  ATTEMPT,
  ATTEMPTS,
  callService,
  commonTrouble,
  importPackage,
  keyOfSpki,
  notASignature,
  OTHER_KEY,
  servedKey,
  serviceError,
  type Trouble,
  unknownTrouble,
  wrongReference,
} from "./service.js";

const SERVICE = "AWS KMS";
const PACKAGE = "@aws-sdk/client-kms";

const REFERENCE_FORM = "awskms: takes a key id, alias/NAME or an ARN, for example awskms:alias/release";
const ARN = /^(arn:aws[a-z-]*:kms:([a-z0-9-]+):[0-9]{12}:)(key\/[A-Za-z0-9-]+|alias\/[A-Za-z0-9/_-]+)$/;
const PLAIN = /^([A-Za-z0-9-]{1,128}|alias\/[A-Za-z0-9/_-]{1,250})$/;

/** The specification of a key (KeySpec): ECC_NIST_EDWARDS25519, ECC_NIST_P256. */
const specOf = ({ plain }: CurveAlg) => `ECC_NIST_${plain.replace(/^ED/, "EDWARDS")}`;

/** The algorithm of a signature (SigningAlgorithmSpec): ED25519_SHA_512, ECDSA_SHA_256. */
const nameOf = ({ plain, ecdsa }: CurveAlg) =>
  (ecdsa ? `ECDSA_SHA_${ecdsa.digest.slice("sha".length)}` : `${plain}_SHA_512`) as SigningAlgorithmSpec;

const USAGE: Trouble = [
  "the key is not for signing, or of another type",
  `give a key with the usage SIGN_VERIFY and the spec ${inWords(CURVE_ALGS.map(specOf))}`,
];
/** Bytes of the longest message that the service hashes (AWS KMS API Reference, Sign). */
const RAW_MOST = 4096;
const TOO_LONG: Trouble = [
  `AWS KMS signs at most ${grouped(RAW_MOST)} bytes with an Ed25519 key`,
  "sign with a P-256 key, or in a format that signs a hash",
];
const BUSY: Trouble = ["AWS KMS accepts no more requests at the moment", "run it again later, or have the quota raised"];
const DOWN: Trouble = ["AWS KMS cannot answer at the moment", "run it again later"];
const MALFORMED: Trouble = ["AWS KMS does not accept this key name", REFERENCE_FORM];

/** By error name (AWS KMS API Reference: Common Errors, and those of GetPublicKey and Sign). */
const TROUBLES: { readonly [name: string]: Trouble } = {
  ...AWS_TROUBLES,
  AccessDeniedException: [
    "the credentials have no permission for this key",
    "the key policy or an IAM policy must allow kms:GetPublicKey and kms:Sign",
  ],
  NotFoundException: ["the key is not in this region", "check the key id and the region: AWS_REGION, or give the key's ARN"],
  InvalidArnException: MALFORMED,
  ValidationException: MALFORMED,
  DisabledException: ["the key is disabled", "enable it in AWS KMS, or give another key"],
  KMSInvalidStateException: [
    "the key is in a state in which it cannot sign",
    "check whether its deletion is pending or its key material is missing",
  ],
  InvalidKeyUsageException: USAGE,
  UnsupportedOperationException: USAGE,
  ThrottlingException: BUSY,
  LimitExceededException: BUSY,
  RequestLimitExceeded: BUSY,
  TooManyRequestsException: BUSY,
  KeyUnavailableException: DOWN,
  DependencyTimeoutException: DOWN,
  KMSInternalException: DOWN,
  InternalFailure: DOWN,
  ServiceUnavailable: DOWN,
};

function troubleOf(e: unknown): Trouble {
  const { name, message } = e as Error;
  if (Object.hasOwn(TROUBLES, name)) return TROUBLES[name] as Trouble;
  if (message === NO_REGION) return ["no region is set", "set AWS_REGION, or give the key's ARN"];
  return commonTrouble(e) ?? unknownTrouble(SERVICE, name);
}

/** The region and account in a name, if any, and its key or alias. */
function splitArn(name: string): { place?: string; key: string } {
  const [, place, , key] = ARN.exec(name) ?? [];
  if (place !== undefined && key !== undefined) return { place, key };
  return { key: name.startsWith("alias/") ? name : `key/${name}` };
}

/** Whether an answer is about the requested key, as far as both name it. The service resolves aliases to keys. */
function isOf(asked: string, answered: string | undefined): answered is string {
  if (answered === undefined || !(ARN.test(answered) || PLAIN.test(answered))) return false;
  const [want, got] = [splitArn(asked), splitArn(answered)];
  if (!got.key.startsWith("key/") || (want.place ?? got.place) !== (got.place ?? want.place)) return false;
  return want.key.startsWith("alias/") || want.key === got.key;
}

/** Opens the key for a reference. Requests its public half from the service once. Throws KeyFileError. */
export async function openAwsKey(ref: string, { signal }: Pick<Asking, "signal"> = {}): Promise<OpenedKey> {
  const id = ref.slice("awskms:".length);
  const arn = ARN.exec(id);
  if (!arn && !PLAIN.test(id)) throw wrongReference(ref, "is not the name of a key in AWS KMS", REFERENCE_FORM);
  const { KMSClient, GetPublicKeyCommand, SignCommand } = await importPackage(ref, PACKAGE, () => import("@aws-sdk/client-kms"));
  const credentials = heldCredentials();
  const client = new KMSClient({
    ...(credentials && { credentials }),
    ...(arn && { region: arn[2] as string }),
    maxAttempts: ATTEMPTS,
    requestHandler: { connectionTimeout: ATTEMPT, requestTimeout: ATTEMPT, throwOnRequestTimeout: true },
  });
  const close = () => client.destroy();
  try {
    const got = await callService(
      ref,
      (abortSignal) => client.send(new GetPublicKeyCommand({ KeyId: id }), { abortSignal }),
      troubleOf,
      signal,
    );
    const { KeyId } = got;
    if (!isOf(id, KeyId)) throw serviceError(ref, OTHER_KEY);
    if (got.KeyUsage !== "SIGN_VERIFY") throw serviceError(ref, USAGE);
    const key = keyOfSpki(ref, got.PublicKey ?? new Uint8Array());
    const served = curveAlgOf(key.alg);
    const length = signatureLength(key.alg);
    if (!served || length === undefined) throw serviceError(ref, USAGE);
    const sign = async (tbs: Uint8Array) => {
      const isLong = tbs.length > RAW_MOST;
      if (isLong && !served.ecdsa) throw serviceError(ref, TOO_LONG);
      const request = {
        // the key itself: an alias may be moved to another key between the two calls
        KeyId,
        Message: isLong ? sha256Of(tbs) : tbs,
        // The service hashes what is short, as every Sig_structure is, so a policy can forbid signing digests.
        MessageType: isLong ? "DIGEST" : "RAW",
        SigningAlgorithm: nameOf(served),
      } as const;
      const { Signature, KeyId: signedBy } = await callService(
        ref,
        (abortSignal) => client.send(new SignCommand(request), { abortSignal }),
        troubleOf,
        signal,
      );
      if (!isOf(KeyId, signedBy)) throw serviceError(ref, OTHER_KEY);
      const raw = Signature && served.ecdsa ? rawFromDer(Signature, length) : Signature;
      if (raw?.length !== length) throw notASignature(ref);
      return raw;
    };
    return servedKey(ref, key, sign, close);
  } catch (e) {
    close();
    throw e;
  }
}
