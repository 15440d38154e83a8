// Common parts of the services of AWS: credentials that were removed from the environment, and errors of all services.

import { heldVariable } from "../../secrets/environment.js";
import type { Trouble } from "./service.js";

const CREDENTIALS: Trouble = [
  "no AWS credentials found",
  "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run aws sso login",
];
const REJECTED: Trouble = ["AWS does not accept the credentials", "they are wrong or expired: renew them, and check the clock"];

/** By error name (the Common Errors of the API references). */
export const AWS_TROUBLES: { readonly [name: string]: Trouble } = {
  CredentialsProviderError: CREDENTIALS,
  TokenProviderError: CREDENTIALS,
  UnrecognizedClientException: REJECTED,
  InvalidClientTokenId: REJECTED,
  InvalidSignatureException: REJECTED,
  IncompleteSignature: REJECTED,
  MissingAuthenticationToken: REJECTED,
  ExpiredTokenException: REJECTED,
  ExpiredToken: REJECTED,
  RequestExpired: REJECTED,
  OptInRequired: REJECTED,
  // of S3
  InvalidAccessKeyId: REJECTED,
  InvalidToken: REJECTED,
  SignatureDoesNotMatch: REJECTED,
  RequestTimeTooSkewed: REJECTED,
};

/** The message of the libraries if no region is set. */
export const NO_REGION = "Region is missing";

/** The credentials in variables that were removed from the environment, from which the library would read them. */
export function heldCredentials() {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: isThere, AWS_PROFILE: profile } = process.env;
  const secretAccessKey = heldVariable("AWS_SECRET_ACCESS_KEY");
  // with a profile, the library does not use the variables
  if (!accessKeyId || isThere !== undefined || !secretAccessKey || profile) return undefined;
  const sessionToken = heldVariable("AWS_SESSION_TOKEN");
  return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
}
