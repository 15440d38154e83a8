// What commands need only for a product file, a batch, or a consumer: on-demand.ts loads it. An object, although it
// names each part twice: with re-exports, the program of sign holds 17 kB of these parts.

import { readProduct, verifyProduct } from "@firmseal/release";
import {
  boardInput,
  boardsOf,
  checkDraftFor,
  checkFor,
  consumerOf,
  coseAlgFor,
  namesFault,
  productLog,
  productNames,
  recipeFor,
  refuseMissingKeys,
  refuseWithdrawnAround,
  signingKeys,
  trustOptions,
  verifyBatch,
  withdrawalAround,
  withReleaseLock,
} from "@firmseal/release/internal";

export const parts = {
  boardInput,
  boardsOf,
  checkDraftFor,
  checkFor,
  consumerOf,
  coseAlgFor,
  namesFault,
  productLog,
  productNames,
  readProduct,
  recipeFor,
  refuseMissingKeys,
  signingKeys,
  trustOptions,
  verifyBatch,
  verifyProduct,
  refuseWithdrawnAround,
  withdrawalAround,
  withReleaseLock,
};
