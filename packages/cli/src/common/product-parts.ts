// What commands need only for a product file, or for a consumer: on-demand.ts loads it.

import {
  boardInput,
  boardsOf,
  checkDraftFor,
  checkFor,
  consumerOf,
  coseAlgFor,
  namesFault,
  productNames,
  readProduct,
  recipeFor,
  signingKeys,
  trustOptions,
  verifyProduct,
  withCoseAlgs,
} from "@firmseal/release";

export const parts = {
  boardInput,
  boardsOf,
  checkDraftFor,
  checkFor,
  consumerOf,
  coseAlgFor,
  namesFault,
  productNames,
  readProduct,
  recipeFor,
  signingKeys,
  trustOptions,
  verifyProduct,
  withCoseAlgs,
};
