// azurekv:https://VAULT.vault.azure.net/keys/NAME[/VERSION], a P-256 key in Azure Key Vault or a Managed HSM, which
// have no Ed25519.

import type { CryptographyClientOptions } from "@azure/keyvault-keys";
import { inWords, signatureLength } from "@firmseal/signer";
import { CURVE_ALGS } from "../../algorithms.js";
import { sha256Of } from "../../files/digest.js";
import { withHeld } from "../../secrets/environment.js";
import type { Asking, OpenedKey } from "../../source.js";
import {
  ATTEMPT,
  ATTEMPTS,
  callService,
  commonTrouble,
  importPackage,
  keyOfJwk,
  notASignature,
  OTHER_KEY,
  servedKey,
  serviceError,
  type Trouble,
  unknownTrouble,
  wrongReference,
} from "./service.js";
import { AZURE_SECRETS } from "./variables.js";

const SERVICE = "Azure Key Vault";
const PACKAGES = "@azure/keyvault-keys @azure/identity";

const REFERENCE_FORM = "give the key's identifier: azurekv:https://VAULT.vault.azure.net/keys/NAME or …/keys/NAME/VERSION";
// Only the hosts of Azure's clouds: a reference in a build script must not send a token to another server.
const ID =
  /^(https:\/\/[a-z0-9][a-z0-9-]{1,22}[a-z0-9]\.(?:(?:vault|managedhsm)\.azure\.(?:net|cn)|(?:vault|managedhsm)\.usgovcloudapi\.net))\/keys\/([A-Za-z0-9-]{1,127})(?:\/([0-9a-f]{32}))?\/?$/;

const CREDENTIALS: Trouble = [
  "no Azure credentials found",
  "run az login, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and a secret or certificate",
];
/** Azure names curves and algorithms as JOSE does. */
const CURVES = CURVE_ALGS.filter(({ ecdsa }) => ecdsa);
const NAMES = inWords(CURVES.map(({ curve }) => curve));
const KIND: Trouble = [`the key is not on ${NAMES}`, `make one with az keyvault key create --kty EC --curve ${NAMES} --ops sign verify`];
const NOT_FOUND: Trouble = ["the key is not in the vault", "check the name and the version: az keyvault key list-versions"];
const DISABLED: Trouble = ["the key is disabled, expired, or not valid yet", "check its attributes: az keyvault key show"];
const DENIED: Trouble = [
  "the credentials have no permission for this key",
  "they need keys/get and keys/sign, for example through the role Key Vault Crypto User; and the vault's firewall must let you in",
];

/** By HTTP status. */
const TROUBLES: { readonly [status: number]: Trouble } = {
  400: [
    `the key cannot sign with ${inWords(CURVES.map(({ jose }) => jose))}`,
    `its operations must have sign, and its curve must be ${NAMES}`,
  ],
  401: ["Azure does not accept the credentials", "they are wrong, expired or of another tenant: renew them, and check the clock"],
  403: DENIED,
  404: NOT_FOUND,
  409: ["the key is being deleted or recovered", "wait, or give another key"],
  429: ["Azure Key Vault accepts no more requests at the moment", "run it again later"],
  500: ["Azure Key Vault cannot answer at the moment", "run it again later"],
  502: ["Azure Key Vault cannot answer at the moment", "run it again later"],
  503: ["Azure Key Vault cannot answer at the moment", "run it again later"],
  504: ["Azure Key Vault cannot answer at the moment", "run it again later"],
};

function troubleOf(e: unknown): Trouble {
  const { name, statusCode, details } = e as {
    name?: string;
    statusCode?: unknown;
    details?: { error?: { innerError?: { code?: unknown } } };
  };
  if (name === "CredentialUnavailableError" || name === "AggregateAuthenticationError" || name === "AuthenticationRequiredError")
    return CREDENTIALS;
  if (name === "AuthenticationError") return TROUBLES[401] as Trouble;
  if (typeof statusCode === "number") {
    const inner = details?.error?.innerError?.code;
    if (statusCode === 403 && (inner === "KeyDisabled" || inner === "KeyExpired" || inner === "KeyNotYetValid")) return DISABLED;
    if (Object.hasOwn(TROUBLES, statusCode)) return TROUBLES[statusCode] as Trouble;
  }
  return commonTrouble(e) ?? unknownTrouble(SERVICE, typeof statusCode === "number" ? `HTTP_${statusCode}` : name);
}

type Policy = NonNullable<CryptographyClientOptions["additionalPolicies"]>[number]["policy"];

function kidIn(body: string): unknown {
  try {
    return JSON.parse(body).kid;
  } catch {
    return undefined;
  }
}

/**
 * Opens the key for a reference. Requests its public half from the service once, with the version that signs. Throws
 * KeyFileError.
 */
export async function openAzureKey(ref: string, { signal }: Pick<Asking, "signal"> = {}): Promise<OpenedKey> {
  const [, vault, name, version] = ID.exec(ref.slice("azurekv:".length)) ?? [];
  if (vault === undefined || name === undefined)
    throw wrongReference(ref, "is not the identifier of a key in Azure Key Vault", REFERENCE_FORM);
  const { keys, identity } = await importPackage(ref, PACKAGES, async () => ({
    keys: await import("@azure/keyvault-keys"),
    identity: await import("@azure/identity"),
  }));
  // it reads the variables while it is made
  const credential = withHeld(AZURE_SECRETS, () => new identity.DefaultAzureCredential());
  const options = { retryOptions: { maxRetries: ATTEMPTS - 1, maxRetryDelayInMs: ATTEMPT } };
  const client = new keys.KeyClient(vault, credential, options);
  const got = await callService(
    ref,
    (abortSignal) => client.getKey(name, { ...(version !== undefined && { version }), abortSignal, requestOptions: { timeout: ATTEMPT } }),
    troubleOf,
    signal,
  );
  const { kty, crv, x, y } = got.key ?? {};
  if ((kty !== "EC" && kty !== "EC-HSM") || !x || !y) throw serviceError(ref, KIND);
  const served = CURVES.find(({ curve }) => curve === crv);
  if (!served) throw serviceError(ref, KIND);
  if (got.properties.enabled === false) throw serviceError(ref, DISABLED);
  // an identifier without a version means the newest: pin the version of this public half
  const [, atVault, atName, pinned] = ID.exec(got.id ?? "") ?? [];
  if (atVault !== vault || atName !== name || pinned === undefined || (version !== undefined && pinned !== version))
    throw serviceError(ref, OTHER_KEY);
  const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");
  const key = keyOfJwk(ref, { kty: "EC", crv, x: base64url(x), y: base64url(y) });
  // the library returns the identifier that it has sent, not the one in the answer
  let signedBy: unknown;
  const policy: Policy = {
    name: "kid",
    async sendRequest(request, next) {
      const response = await next(request);
      signedBy = kidIn(response.bodyAsText ?? "");
      return response;
    },
  };
  const additionalPolicies = [{ policy, position: "perCall" as const }];
  const signer = new keys.CryptographyClient(got, credential, { ...options, additionalPolicies });
  const sign = async (tbs: Uint8Array) => {
    // r ‖ s already (RFC 7518 §3.4)
    const { result } = await callService(
      ref,
      (abortSignal) => signer.sign(served.jose, sha256Of(tbs), { abortSignal, requestOptions: { timeout: ATTEMPT } }),
      troubleOf,
      signal,
    );
    if (signedBy !== got.id) throw serviceError(ref, OTHER_KEY);
    if (result?.length !== signatureLength(key.alg)) throw notASignature(ref);
    return Uint8Array.from(result);
  };
  return servedKey(ref, key, sign, () => {});
}
