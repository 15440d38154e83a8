// Keys whose private halves are published: in specifications, in test suites, in the trees of boot loaders. Whoever signs a release
// with one signs it with everybody's key. Only the public halves are here; each was computed from the published private one.

import { toHex } from "./bytes.js";
import type { KeyAlg, PublicKey } from "./key.js";

export interface TestKey {
  readonly name: string;
  readonly alg: KeyAlg;
  /** In hex: 32 bytes, or 65 bytes 04 ‖ x ‖ y. */
  readonly key: string;
}

export const testKeys: readonly TestKey[] = [
  // draft-ietf-suit-manifest-37 appendix B, and the drafts that build on it
  ec(
    "spec-p256",
    "8496811aae0baaabd26157189eecda26beaa8bf11b6f3fe6e2b5659c85dbc0ad",
    "3b1f2a4b6c098131c0a36dacd1d78bd381dcdfb09c052db33991db7338b4a896",
  ),
  // draft-ietf-suit-firmware-encryption, recipient kid-2
  ec(
    "suit-fe-kid-2",
    "5886cd61dd875862e5aaa820e7a15274c968a9bc96048ddcace32f50c3651ba3",
    "9eed8125e932cd60c0ead3650d0a485cf726d378d1b016ed4298b2961e258f1b",
  ),
  // COSE working group examples, KeySet.txt; RFC 9052 appendix C.7
  ec(
    "cose-wg-11",
    "bac5b11cad8f99f9c72b05cf4b9e26d244dc189f745228255a219a86d6a09eff",
    "20138bf82dc1b6d562be0fa54ab7804a3a64b6d72ccfed6b6fb6ed28bbfc117e",
  ),
  // the same, and RFC 9679 §6
  ec(
    "cose-wg-meriadoc",
    "65eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d",
    "1e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c",
  ),
  ec(
    "cose-wg-peregrin",
    "98f50a4ff6c05861c8860d13a638ea56c3f5ad7590bbfbf054e1c7b4d91d6280",
    "f01400b089867804b8e9fc96c3932161f1934f4223069170d924b7e03bf822bb",
  ),
  // RFC 6979 appendix A.2.5
  ec(
    "rfc6979-p256",
    "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6",
    "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
  ),
  // RFC 7515 appendix A.3
  ec(
    "rfc7515-a3",
    "7fcdce2770f6c45d4183cbee6fdb4b7b580733357be9ef13bacf6e3c7bd15445",
    "c7f144cd1bbd9b7e872cdfedb9eeb9f4b3695d6ea90b24ad8a4623288588e5ad",
  ),
  // RFC 7517 appendix A.2
  ec(
    "rfc7517-a2",
    "30a0424cd21c2944838a2d75c92b37e76ea20d9f00893a3b4eee8a3c0aafec3e",
    "e04b65e92456d9888b52b379bdfbd51ee869ef1f0fc65b6659695b6cce081723",
  ),
  // RFC 8032 §7.1. Test 1 is also the Ed25519 key of the COSE working group examples and of RFC 8037 appendix A
  ed("rfc8032-test-1", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"),
  ed("rfc8032-test-2", "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"),
  ed("rfc8032-test-3", "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"),
  ed("rfc8032-test-1024", "278117fc144c72340f67d0f2316e8386ceffbf2b2428c9c51fef7c597f1d426e"),
  ed("rfc8032-test-sha-abc", "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf"),
  // MCUboot: root-ec-p256.pem, which is also the default of Zephyr, nRF Connect SDK and Trusted Firmware-M
  ec(
    "mcuboot-root-ec-p256",
    "2acb403ce8feed5ba44995a1a91daee8dbbe1937cd14fb2f245737e5953988d9",
    "94b9d65aebd7cdd5308ad6fe48b24a6a810ee5f07d8b6834cc3a6afc538efac1",
  ),
  // MCUboot: root-ed25519.pem, root-ed25519-2.pem, root-ed25519-unknown.pem
  ed("mcuboot-root-ed25519", "d4b31ba49a3add3f825d10ca7f31b50b0de87f37ccc49f1a403a5c1320ffb4e0"),
  ed("mcuboot-root-ed25519-2", "c3bcdf30764e1f5db40d892e0d0eab049c30064e79a8edb6f7792e469a26da77"),
  ed("mcuboot-root-ed25519-unknown", "d239ead53588b0f5b2433e4b2bf276190b8687915cb01330cd40d0c736671195"),
  // MCUboot: enc-ec256-priv.pem, for encryption there
  ec(
    "mcuboot-enc-ec256",
    "8a44730094c98027310d23366be9699fcbc57cc8441a93e6ee7d86a6ae5e9372",
    "74d9e15a1c9b651a2b61412802738412973a2da2a0677702da671a4bddd771cc",
  ),
  // MCUboot: samples/zephyr/bad-keys/bad-ec-p256.pem
  ec(
    "mcuboot-bad-ec-p256",
    "717f44c4d8d97ec724a7a01dbad8cf8d526cbcfe9966429f2ec1a7469291fbd3",
    "a93bdfea9891ec92cf995e8ef448400d8d69cd97128d015722f1a526f14b242f",
  ),
  // MCUboot: testplan/mynewt/key_ec256.pem, key_ec256_2.pem
  ec(
    "mcuboot-mynewt-ec256",
    "6e68617fd7e2c93db40a2c6db0d0cefe54b896adfc60878941e92d21c83e1d5e",
    "c377fd625fbbfbda10a75a23aafc01b5dc733d37c1458f903b66fd2b95669cc9",
  ),
  ec(
    "mcuboot-mynewt-ec256-2",
    "0efea324e530842a73107dd3ef25a500e6514cb2250b4abf24c1f2251d0f90f3",
    "12f9ecaaedf12984e9c05db08dc793cbc952d1d8d4a7394d40e9088b1d6d63d0",
  ),
  // MCUboot: boot/cypress/keys/cypress-test-ec-p256.pem; Trusted Firmware-M: TFM_NS_KEY_PRIV.pem of psoc64
  ec(
    "cypress-test-ec-p256",
    "ff36ba0d0127531a8e9b4bcaf4f82fb7d18706d162d57215acfbdf439ceaf749",
    "9a1a96febfa4234856bc05bf72a426c9ac6546cd366c5e30fafe2257c618f834",
  ),
  // Trusted Firmware-M: TFM_S_KEY_PRIV.pem of psoc64; bl2/ext/mcuboot/root-EC-P256_1.pem
  ec(
    "tfm-psoc64-s",
    "a910e8b2f2c52c6cd93bdaa9ccba155c8a8bf4f35c1da6ee8b1eda3299939c26",
    "f83bf4378c480995272912cd0eb8d58c2f71ad5c47f3e5553c0669cac9befeef",
  ),
  ec(
    "tfm-root-ec-p256-1",
    "e80908123a0fad40e0338aa654f88395418e4499a20fae85692bf926b5e99e16",
    "2c8776627f326c9b707806525252ca2bd2b7c75007663b3bdfe1996900262c33",
  ),
  // nRF Connect SDK: applications/nrf_desktop/configuration/nrf52833_pca10100/b0_private.pem
  ec(
    "nrf-desktop-b0",
    "f7b69f2f261456cdae86e16d1c0b43b612a93be718db3b4fcd95711dd5c1152c",
    "670f3070a1421f9b0a533526086dee01112a31ea4d4b78dc76dd3bd280bb6d1e",
  ),
  // Espruino: targets/nrf5x_dfu/dfu_private_key.pem
  ec(
    "espruino-dfu",
    "9503249be9b26abe92370ca00fcb1e2de71cb327556a4727de41efc552b90149",
    "d309c60414a3d807d45f4c813f9b0a47a1a5ecf1ee2cc0a5fd9cf05e0b699365",
  ),
  // Espruino: targets/nrf5x_dfu/ruuvi_open_private.pem
  ec(
    "ruuvi-open-dfu",
    "8efc8ddd84e0b403b05d70d16b88ee780b91c0108d75c0321a597e9650d78f3c",
    "cbc00c57d5af8213c66f076a81590794149b30e2a2c5a67ea79903e56c32996f",
  ),
];

/** The name of a published test key, whatever its kid; undefined for any other. */
export function testKeyName(key: PublicKey): string | undefined {
  // of a P-256 key the x alone: its negative, which anybody can work out, has the same
  const own = (hex: string) => (key.alg === "es256" ? hex.slice(0, 66) : hex);
  const hex = own(toHex(key.key));
  return testKeys.find((t) => t.alg === key.alg && own(t.key) === hex)?.name;
}

function ec(name: string, x: string, y: string): TestKey {
  return { name, alg: "es256", key: `04${x}${y}` };
}

function ed(name: string, key: string): TestKey {
  return { name, alg: "ed25519", key };
}
