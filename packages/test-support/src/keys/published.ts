// The published private halves of test keys: seeds of Ed25519, scalars of P-256. Everybody has them; the list of test
// keys says where from.

export const published: Record<string, string> = {
  "spec-p256": "0296588d909418b339d150420a3612b57fb4f631a69f224fae90cb4f3fe18973",
  "suit-fe-kid-2": "60fe6dd6d85d5740a5349b6f91267eeac5ba81b8cb53ee249e4b4eb102c476b3",
  "cose-wg-11": "57c92077664146e876760c9520d054aa93c3afb04e306705db6090308507b4d3",
  "cose-wg-meriadoc": "aff907c99f9ad3aae6c4cdf21122bce2bd68b5283e6907154ad911840fa208cf",
  "cose-wg-peregrin": "02d1f7e6f26c43d4868d87ceb2353161740aacf1f7163647984b522a848df1c3",
  "rfc6979-p256": "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
  "rfc7515-a3": "8e9b109e719098bf980487df1f5d77e9cb29606ebed2263b5f57c213df84f4b2",
  "rfc7517-a2": "f3bd0c07a81fb932781ed52752f60cc89a6be5e51934fe01938ddb55d8f77801",
  "rfc8032-test-1": "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
  "rfc8032-test-2": "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
  "rfc8032-test-3": "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
  "rfc8032-test-1024": "f5e5767cf153319517630f226876b86c8160cc583bc013744c6bf255f5cc0ee5",
  "rfc8032-test-sha-abc": "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
  "rfc8392-p256": "6c1382765aec5358f117733d281c1c7bdc39884d04a45a1e6c67c858bc206c19",
  "rfc8410-ed25519": "d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842",
  "rfc9421-p256": "529b85f3597e90ec5b8dfed3e26352bf4af9b4debb1a29bbae77fa105a5c603b",
  "rfc9421-ed25519": "9f8362f87a484a954e6e740c5b4c0e84229139a20aa8ab56ff66586f6a7d29c5",
  "mcuboot-root-ec-p256": "d798d52f8301243bd3542b7e55ed4c74611900b0f9505a824fe1e8ec063bcff1",
  "mcuboot-root-ed25519": "28c970c9a1a8a8bc77786862d2e76d0d430a2b57c87cfc37904bcbaac874cbd8",
  "mcuboot-root-ed25519-unknown": "61e2417380d44c8a74ece8bd6f4cd9de6d3ff7c30b48b507257cd1624632ba8d",
  "mcuboot-enc-ec256": "f61e519df8fadda1b7d9a964643b54d03dd01fe578d91798a528cacc6b679e06",
  "mcuboot-bad-ec-p256": "b9aa9a21facb710684b91372736d53b859d709dce753082f9de7a6c7915fbbc9",
  "mcuboot-mynewt-ec256": "db6aed473dda519c23da5c7f053b20459f8ed60a3291b78922f2f2f767de9d29",
  "mcuboot-mynewt-ec256-2": "20edf7e50cdcb9ec8676d8ce8ef70064d66aff59991603c9d2406abcf1e0e83c",
  "cypress-test-ec-p256": "b91fc9aba2e3320a7c0d5b44ee92a0badb4da3a2f6dfd6847228f318eaf90bbd",
  "nrf-desktop-b0": "85e581027713597549ec447de39fa31b37f0a5b57cbcfc0923b231395751ce17",
  "ruuvi-open-dfu": "39e122ebd1d0db6125650f4dc474f30efbfe52f3576b8bf071b4184fed9efeef",
  "libcsuit-tam": "841aebb7b9ea6f0260be7355a24588b977d23d2ac5bf2b6b2d8379432a1fea98",
  "esptool-ecdsa256": "e238d1e482edc87a3f10d221c9481850a37e10a85df1d5a9b6c39fc5dd634195",
  "esptool-ecdsa256-2": "ff6263b5d8f20dea49a5242b04dbaba1c4abf0307a7231aecb0ba971934b4cf7",
  "esptool-ecdsa256-3": "51dbd9931fb281d7750f360c7ed01ab4a1e3002e9b70086a0ec38f3e809d1229",
  "esptool-ecdsa256-4": "cc50cda4b0fad4ebcea2a9eb2e2e295699d473227c2ec9cdb3a06e2eefc8ba9a",
  "esptool-ecdsa256-v2": "b4548b2390066a66c39d087a8450c2381b0691ed05348d883b7d376475ec6bfc",
  "esptool-ecdsa-2": "835162329a5ccd1d4099f814bc281d88f7a2f9a945e7bb516bfc92c43d212dad",
  "openssl-testec-p256": "8944f1b6be6f2d58e3d0139751aff8afcd83277d10a2ea584bfc258a55b88167",
  "wolfssl-ca-ecc": "acb8fa167d18d6437b92b8d2a6606d440eaab90f1c3a5b57d05f6711cbab4887",
  "wolfssl-ed25519-root": "f7e8a12ed6419b7ddb881e975d9e77bcc479faf872eaab99bc56317ff9e1149c",
  "wolfssl-ed25519-ca": "0c37edc69a835774c34a58eb76fba1ef45ae0f12034acb0ed9d658397b31a7d9",
  "wolfssl-ed25519-client": "2927dbea56e0ac8186ebf522ea329862c4aa9f614c57002e172f2ab98782486c",
  "wolfssl-ed25519-server": "7c9dea14408b8be86379be5137a99d19e82a8e740e5205de2f63b3a1246d3106",
  "espruino-dfu": "ae6e1b7328bec7651ddc34c4acc7b22bfb84246514541bc05df4c16d8a4f8609",
  "ncs-desktop-52833dongle-b0": "38b0668cafa59adfeb1cb27a63d6846a77d4829631a0c353c51917a511f2216d",
  "ncs-desktop-pca20041-b0": "0d82389777c92ff2786b569770a7e10bdb6b5f82e34bec56ad861102c926c2ac",
  "ncs-desktop-52840dk-b0": "211ec14e9aa3283194d86dc06525d4dfd1b4ef4e6bbb7cbbfc9968afa650263c",
  "ncs-desktop-52840dk-b0-fast-pair": "0df34a13e5fbd702fed310257d0d90316a3375cc08b9f02c92cb3f3ee4a9fb06",
  "ncs-desktop-52840dongle-b0": "9633dc2c48f2030eca683d56752c47065196587d6542fc829875ca3ccda1cea0",
  "ncs-desktop-52840gmouse-b0-fast-pair": "4c30fe502174159de6a1b1f71fd6ea72b3bbb99b0fc9a93dd5820c4d291b0c26",
  "ncs-desktop-52kbd-b0": "f70915a88f9a2cc938066e3834db7a0cf67b3988bd651f2afc8c69bbf3280171",
  "ncs-desktop-52kbd-b0-fast-pair": "8bbedf98a87c80d0c12cc4b7cf702a7719a6f117ed4bf05a1286556b797709d9",
  "ncs-desktop-5340dk-b0": "24c7733cb9eeb1123ffd7add0bacc2ff2a4ac88fc0a1d108ac01220d3c5b51ce",
  "ncs-desktop-54l05-mcuboot": "5a8bcde7a09f249518fb0c13fe3b07e2f437a140acccc02da4553071a74c7319",
  "ncs-desktop-54l05-mcuboot-fast-pair": "1c0da40305c8d340a578249393e46c00461cf5fae5634688e992380bf0cafe3c",
  "ncs-desktop-54l10-mcuboot": "2c4ad3d54b837998d2e210eb67e068cbb3d6a8ce7f132df979d6c703c2c24157",
  "ncs-desktop-54l10-mcuboot-fast-pair": "89968029ec33cb13bf6a9662e8d98e1a1f762e8eb630fb4ae564b2b087ced44f",
  "ncs-desktop-54h20-mcuboot": "57b7a1d5e9120987a46b1198b6640bd152f8333128ee728ba06629372d5f4e7f",
  "ncs-desktop-54lm20a-mcuboot": "5851e6d8ac55fc5fa2a4b5ece79b4e425ee5e97076c423e2d4c07067f3d2bfeb",
  "ncs-locator-tag-p256": "7a873df617440e1ad8f48eff1c6ac291cf49dbc64635bbcad878ca283206adb3",
  "ncs-locator-tag-ed25519": "83824675357fd299cdf213722853cad65a2604cfd5753f3426d5a449419b99b9",
  "ncs-kmu-ed25519": "cb748ed5bcd7540f204926211394dad09809f9e8b0d67ea49ea37bd17239b26b",
};

const repeat = (byte: string) => byte.repeat(32);
const count = (from: number) => Buffer.from(Array.from({ length: 32 }, (_, i) => i + from)).toString("hex");

for (const byte of ["00", "01", "02", "07", "0b", "2a", "42", "61", "63", "aa", "ff"]) {
  published[`ed25519-of-${byte}`] = repeat(byte);
  // 0 and numbers from n on are not scalars
  if (byte !== "00" && byte !== "ff") published[`p256-of-${byte}`] = repeat(byte);
}
for (const alg of ["ed25519", "p256"]) {
  published[`${alg}-ascending`] = count(0);
  published[`${alg}-ascending-from-1`] = count(1);
}
for (const n of [1, 2]) published[`p256-of-${n}`] = n.toString(16).padStart(64, "0");
published["firmseal-encode-test"] = Buffer.from("firmseal encode test, 32 bytes..").toString("hex");

/** Of HSS/LMS: parameters, I and SEED of the top tree. */
export const publishedHss: Record<string, readonly [params: string, id: string, seed: string]> = {
  "rfc8554-tc2": ["10/4,5/8", "d08fabd4a2091ff0a8cb4ed834e74534", "558b8966c48ae9cb898b423c83443aae014a72f1b1ab5cc85cf1d892903b5439"],
  "cose-wg-itsbig": ["10/4", "d08fabd4a2091ff0a8cb4ed834e74534", "558b8966c48ae9cb898b423c83443aae014a72f1b1ab5cc85cf1d892903b5439"],
  "rfc8554-tc2-lower": ["5/8", "215f83b7ccb9acbcd08db97b0d04dc2b", "a1c4696e2608035a886100d05cd99945eb3370731884a8235e2fb3d4d71f2547"],
  "rfc9858-n24": ["n24:5/8", "202122232425262728292a2b2c2d2e2f", "000102030405060708090a0b0c0d0e0f1011121314151617"],
};
