// The messages for errors of an object store.

import { AWS_TROUBLES, NO_REGION } from "../sources/services/aws.js";
import { commonTrouble, type Trouble, unknownTrouble } from "../sources/services/service.js";

const DENIED: Trouble = [
  "the credentials have no permission for the ledger",
  "a policy must allow s3:ListBucket and s3:GetObject; to sign, s3:PutObject, and s3:DeleteObject for its object turn",
];
const REGION: Trouble = ["the bucket is in another region", "set AWS_REGION to the region of the bucket"];
const BUSY: Trouble = ["the object store accepts no more requests at the moment", "run the command again later"];
const DOWN: Trouble = ["the object store cannot answer at the moment", "run the command again later"];
export const NO_CONDITIONS: Trouble = [
  "the store does not honour conditional writes, and two machines could get one number",
  "use a store that refuses a second PUT with If-None-Match: *",
];

/** By error name (Amazon S3 API Reference: Error responses). */
const TROUBLES: { readonly [name: string]: Trouble } = {
  ...AWS_TROUBLES,
  AccessDenied: DENIED,
  AllAccessDisabled: DENIED,
  NoSuchBucket: ["the bucket does not exist", "check the name in the place, and AWS_REGION and AWS_ENDPOINT_URL_S3"],
  PermanentRedirect: REGION,
  AuthorizationHeaderMalformed: REGION,
  IllegalLocationConstraintException: REGION,
  NotImplemented: NO_CONDITIONS,
  SlowDown: BUSY,
  TooManyRequestsException: BUSY,
  ServiceUnavailable: DOWN,
  InternalError: DOWN,
};

/** An error of the store or of its library, in words. */
export function troubleOf(e: unknown): Trouble {
  const { name, message } = e as Error;
  if (Object.hasOwn(TROUBLES, name)) return TROUBLES[name] as Trouble;
  if (message === NO_REGION) return ["no region is set", "set AWS_REGION"];
  return commonTrouble(e) ?? unknownTrouble("the object store", name);
}
