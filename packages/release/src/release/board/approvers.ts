// Whose approval a product requires for its releases.

import { publicKeys, refuseTestKeys } from "@firmseal/keys";
import type { Product } from "../../product/file/product.js";
import { type ApprovalOptions, type Approvals, readApprovals, refuseSamePerson } from "../../signing/approval.js";
import { refuseMissingFile } from "./devices.js";

/**
 * Reads whose approval the product file requires, and the approvals that are given. Throws Failures: PRODUCT, APPROVAL
 * if two of the keys are one person, and the errors of files and keys.
 */
export async function productApprovals(product: Product, o: ApprovalOptions & { allowTestKey?: readonly string[] }): Promise<Approvals> {
  const { keys: paths, threshold } = product.approval;
  if (paths.length === 0) return await readApprovals(o);
  for (const path of paths) refuseMissingFile(product, "[approval] keys", path, "get the public key of the person, or correct the name");
  const keys = await publicKeys(paths, []);
  refuseTestKeys(keys, o.allowTestKey ?? []);
  refuseSamePerson(keys, `${product.path}: name each person once: [approval] keys`);
  return await readApprovals(o, { keys, threshold });
}
