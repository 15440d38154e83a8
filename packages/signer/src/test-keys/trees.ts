// Test keys in source trees of boot loaders, SDKs and libraries, and of this project.

import { ecKey, edKey, type TestKey } from "./key.js";

export const treeKeys: readonly TestKey[] = [
  // MCUboot: root-ec-p256.pem, which is also the default of Zephyr, nRF Connect SDK and Trusted Firmware-M
  ecKey(
    "mcuboot-root-ec-p256",
    "2acb403ce8feed5ba44995a1a91daee8dbbe1937cd14fb2f245737e5953988d9",
    "94b9d65aebd7cdd5308ad6fe48b24a6a810ee5f07d8b6834cc3a6afc538efac1",
  ),
  // MCUboot: root-ed25519.pem, root-ed25519-2.pem, root-ed25519-unknown.pem
  edKey("mcuboot-root-ed25519", "d4b31ba49a3add3f825d10ca7f31b50b0de87f37ccc49f1a403a5c1320ffb4e0"),
  edKey("mcuboot-root-ed25519-2", "c3bcdf30764e1f5db40d892e0d0eab049c30064e79a8edb6f7792e469a26da77"),
  edKey("mcuboot-root-ed25519-unknown", "d239ead53588b0f5b2433e4b2bf276190b8687915cb01330cd40d0c736671195"),
  // MCUboot: enc-ec256-priv.pem, for encryption there
  ecKey(
    "mcuboot-enc-ec256",
    "8a44730094c98027310d23366be9699fcbc57cc8441a93e6ee7d86a6ae5e9372",
    "74d9e15a1c9b651a2b61412802738412973a2da2a0677702da671a4bddd771cc",
  ),
  // MCUboot: samples/zephyr/bad-keys/bad-ec-p256.pem
  ecKey(
    "mcuboot-bad-ec-p256",
    "717f44c4d8d97ec724a7a01dbad8cf8d526cbcfe9966429f2ec1a7469291fbd3",
    "a93bdfea9891ec92cf995e8ef448400d8d69cd97128d015722f1a526f14b242f",
  ),
  // MCUboot: testplan/mynewt/key_ec256.pem, key_ec256_2.pem
  ecKey(
    "mcuboot-mynewt-ec256",
    "6e68617fd7e2c93db40a2c6db0d0cefe54b896adfc60878941e92d21c83e1d5e",
    "c377fd625fbbfbda10a75a23aafc01b5dc733d37c1458f903b66fd2b95669cc9",
  ),
  ecKey(
    "mcuboot-mynewt-ec256-2",
    "0efea324e530842a73107dd3ef25a500e6514cb2250b4abf24c1f2251d0f90f3",
    "12f9ecaaedf12984e9c05db08dc793cbc952d1d8d4a7394d40e9088b1d6d63d0",
  ),
  // MCUboot: boot/cypress/keys/cypress-test-ec-p256.pem; Trusted Firmware-M: TFM_NS_KEY_PRIV.pem of psoc64
  ecKey(
    "cypress-test-ec-p256",
    "ff36ba0d0127531a8e9b4bcaf4f82fb7d18706d162d57215acfbdf439ceaf749",
    "9a1a96febfa4234856bc05bf72a426c9ac6546cd366c5e30fafe2257c618f834",
  ),
  // Trusted Firmware-M: TFM_S_KEY_PRIV.pem of psoc64; bl2/ext/mcuboot/root-EC-P256_1.pem
  ecKey(
    "tfm-psoc64-s",
    "a910e8b2f2c52c6cd93bdaa9ccba155c8a8bf4f35c1da6ee8b1eda3299939c26",
    "f83bf4378c480995272912cd0eb8d58c2f71ad5c47f3e5553c0669cac9befeef",
  ),
  ecKey(
    "tfm-root-ec-p256-1",
    "e80908123a0fad40e0338aa654f88395418e4499a20fae85692bf926b5e99e16",
    "2c8776627f326c9b707806525252ca2bd2b7c75007663b3bdfe1996900262c33",
  ),
  // nRF Connect SDK: applications/nrf_desktop/configuration/nrf52833_pca10100/b0_private.pem
  ecKey(
    "nrf-desktop-b0",
    "f7b69f2f261456cdae86e16d1c0b43b612a93be718db3b4fcd95711dd5c1152c",
    "670f3070a1421f9b0a533526086dee01112a31ea4d4b78dc76dd3bd280bb6d1e",
  ),
  // Espruino: targets/nrf5x_dfu/dfu_private_key.pem
  ecKey(
    "espruino-dfu",
    "9503249be9b26abe92370ca00fcb1e2de71cb327556a4727de41efc552b90149",
    "d309c60414a3d807d45f4c813f9b0a47a1a5ecf1ee2cc0a5fd9cf05e0b699365",
  ),
  // Espruino: targets/nrf5x_dfu/ruuvi_open_private.pem
  ecKey(
    "ruuvi-open-dfu",
    "8efc8ddd84e0b403b05d70d16b88ee780b91c0108d75c0321a597e9650d78f3c",
    "cbc00c57d5af8213c66f076a81590794149b30e2a2c5a67ea79903e56c32996f",
  ),
  // libcsuit: examples/inc/tam_esp256_cose_key_private.h, delegated_authority_cose_key_private.h
  ecKey(
    "libcsuit-tam",
    "0e908aa8f066db1f084e0c3652c63952bd99f2a5bdb22f9e01367aad03aba68b",
    "77da1bd8ac4f0cb490ba210648bf79ab164d49ad3551d71d314b2749ee42d29a",
  ),
  // esptool: test/secure_images/ecdsa256_secure_boot_signing_key.pem, …key2.pem, key3, key4, key_v2;
  // test/ecdsa_secure_boot_signing_key2.pem
  ecKey(
    "esptool-ecdsa256",
    "34cefadb3feeb2193e7345ce218a62f302d25ae17908e9d4d150109eddeca534",
    "97ea5ddba707eea69b1e983770cbe68a6dd81ec8c603c456d138b38f4d16d827",
  ),
  ecKey(
    "esptool-ecdsa256-2",
    "1be021e0e01e8d305829036f26410e3fd0227e0ba504caf813d7fe3aa454d549",
    "e8f447e2d6431c7f3c19cb1d00e2689bd077cb520f49361f1d36b5312de55be1",
  ),
  ecKey(
    "esptool-ecdsa256-3",
    "44db2e74dae119f582a21adf6b91be9c030140ab0ecf119204112ab7ed77e1c2",
    "e3009d45a2b8198474bc43e718b0f725cd62e7117fa78505304744bcfe3e59ee",
  ),
  ecKey(
    "esptool-ecdsa256-4",
    "52a7186cedc083c69bf090cb0ac9955474de741f8a07efd0f10e1fad2ee9bc18",
    "ec947c169ae98309ad1e9c81a17d645a43555e3dee8d3f464a141fa7d032f28d",
  ),
  ecKey(
    "esptool-ecdsa256-v2",
    "0e2c4fad6acb60fba2a252a6c096110c3043307a7eb8e72d7083a48890884ee9",
    "1a57f641b32ce336d3a86f879ab76f9666d9c7ea272da39e7b5aa8c448770490",
  ),
  ecKey(
    "esptool-ecdsa-2",
    "6160a6a80c710266ebf1c664e008d3624409d290993ac1129366cf01eea5af31",
    "eb14a291dadd9681ef9c36f5d4d9d62cc047605abfdf767c806c71c4544052ac",
  ),
  // OpenSSL: test/testec-p256.pem
  ecKey(
    "openssl-testec-p256",
    "ccd27dead94683c9a43b3b1cc933707aa6b856ddebf5813c1105dbb3aaa97077",
    "9e00512808fa98edb56f33ad6362b4ef07d6c7f9f4c3d638448ac4db59d7e365",
  ),
  // wolfSSL: certs/ca-ecc-key.pem; certs/ed25519/root-ed25519-priv.pem, ca-, client-, server-
  ecKey(
    "wolfssl-ca-ecc",
    "e638df16e34beaaa9f91a3f33240f66c7ea155013805fe6b39371ceaf9f94d87",
    "4b2d2f4b54e59b4a1aba0d02a51cecc15130c93c94ac2e5b2f40f63ca77ad068",
  ),
  edKey("wolfssl-ed25519-root", "10481b1e568c3f9be950a42a298b1ca1474a425dc93807829173677d23408350"),
  edKey("wolfssl-ed25519-ca", "aa967d6771d7feada85f1418be02d0157e8064b9217bb23f7c746efff584e281"),
  edKey("wolfssl-ed25519-client", "4e9f8259634a97acfa6e956c5a3b52eba3d9e7f627bb89fb77b4e3acc2086ac0"),
  edKey("wolfssl-ed25519-server", "8bf38ff8ffe9f46539345ef5227cb75ffd7d2d2775bc31e59ad3eef2eb37af28"),
  // Secrets that are easy to type: one byte 32 times, ascending numbers, 1 and 2. Tests of this and many other projects
  // use them.
  edKey("ed25519-of-00", "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29"),
  edKey("ed25519-of-01", "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c"),
  ecKey(
    "p256-of-01",
    "6ff03b949241ce1dadd43519e6960e0a85b41a69a05c328103aa2bce1594ca16",
    "3c4f753a55bf01dc53f6c0b0c7eee78b40c6ff7d25a96e2282b989cef71c144a",
  ),
  edKey("ed25519-of-02", "8139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b394"),
  ecKey(
    "p256-of-02",
    "550f471003f3df97c3df506ac797f6721fb1a1fb7b8f6f83d224498a65c88e24",
    "136093d7012e509a73715cbd0b00a3cc0ff4b5c01b3ffa196ab1fb327036b8e6",
  ),
  edKey("ed25519-of-07", "ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c"),
  ecKey(
    "p256-of-07",
    "1e18532fd4754c02f3041d9c75ceb33b83ffd81ac7ce4fe882ccb1c98bc5896e",
    "a46c311c4e2ff40dd96a3653e6e45445d32dfe486eced75c7a90c6a18881c0a3",
  ),
  edKey("ed25519-of-0b", "66be7e332c7a453332bd9d0a7f7db055f5c5ef1a06ada66d98b39fb6810c473a"),
  ecKey(
    "p256-of-0b",
    "209c317b637935dd3da1c54f63495dfb31f97d293df085710320595c9aacb83f",
    "dde4c69fc17a0c74c20cc692662f049892ba37a4ba47d2c70cd8a99986391f9b",
  ),
  edKey("ed25519-of-2a", "197f6b23e16c8532c6abc838facd5ea789be0c76b2920334039bfa8b3d368d61"),
  ecKey(
    "p256-of-2a",
    "0c901d423c831ca85e27c73c263ba132721bb9d7a84c4f0380b2a6756fd60133",
    "1c8870234dec878504c174144fa4b14b66a651691606d8173e55bd37e381569e",
  ),
  edKey("ed25519-of-42", "2152f8d19b791d24453242e15f2eab6cb7cffa7b6a5ed30097960e069881db12"),
  ecKey(
    "p256-of-42",
    "3ad3861a95621392516bb593ef05583ed2e5866f5cb6260a3017237fd89b90af",
    "d0961c7e37075a6791a39c61f56295b02b6d26567b615e60aa41ee1c8e83388d",
  ),
  edKey("ed25519-of-61", "af06a3e3291714e4f356c19c9b15cd1951ec6e6662aa77be07547f289383341d"),
  ecKey(
    "p256-of-61",
    "9a2f9f7997a7fab2453c002b8bdc08fe4c8b6221ce689f771c0ee9067e0e0393",
    "26f5aa18be3e7365b8d5cc00314c68d89892ea5eca81e56fefe0c59aa2f1326e",
  ),
  edKey("ed25519-of-63", "a7f6dfaf8f38b89ba8ce649b594f91e4d01fdc57f9c9493df43b5e50a9987367"),
  ecKey(
    "p256-of-63",
    "2ed2192f0f9275200acd34fbd8c6ce5a91a459488411320b4c6de3e6a22d7fa0",
    "6f2374f60534a9009629714d063402a3c3ed60db057ef7999a7a31a78aebc0c7",
  ),
  edKey("ed25519-of-aa", "e734ea6c2b6257de72355e472aa05a4c487e6b463c029ed306df2f01b5636b58"),
  ecKey(
    "p256-of-aa",
    "38014c603c89da9712426320ee53a94c795dda3b90bb5b0791ae8f5db486b7db",
    "25e3aa368ede37b96566f66590f89ea2ac834bcd61541b90738cbc8294706c96",
  ),
  edKey("ed25519-of-ff", "76a1592044a6e4f511265bca73a604d90b0529d1df602be30a19a9257660d1f5"),
  edKey("ed25519-ascending", "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"),
  edKey("ed25519-ascending-from-1", "79b5562e8fe654f94078b112e8a98ba7901f853ae695bed7e0e3910bad049664"),
  ecKey(
    "p256-ascending",
    "7a593180860c4037c83c12749845c8ee1424dd297fadcb895e358255d2c7d2b2",
    "a8ca25580f2626fe579062ff1b99ff91c24a0da06fb32b5be20148c9249f5650",
  ),
  ecKey(
    "p256-ascending-from-1",
    "515c3d6eb9e396b904d3feca7f54fdcd0cc1e997bf375dca515ad0a6c3b4035f",
    "4536be3a50f318fbf9a5475902a221502bef0d57e08c53b2cc0a56f17d9f9354",
  ),
  ecKey(
    "p256-of-1",
    "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
  ),
  ecKey(
    "p256-of-2",
    "7cf27b188d034f7e8a52380304b51ac3c08969e277f21b35a60b48fc47669978",
    "07775510db8ed040293d9ac69f7430dbba7dade63ce982299e04b79d227873d1",
  ),
  // this project: packages/signer/test/encode-common.ts
  edKey("firmseal-encode-test", "6f3fb6d35f01dda091a8679c7d840a3d6fb6858aa8a6eb870c90a9e74f05cba6"),
];
