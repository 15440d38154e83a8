// Test keys in the source tree of the nRF Connect SDK. Its applications and samples sign with them by default.

import { ecKey, edKey, type TestKey } from "./key.js";

export const ncsKeys: readonly TestKey[] = [
  // applications/nrf_desktop/configuration/
  // nrf52833dongle_nrf52833/b0_private.pem
  ecKey(
    "ncs-desktop-52833dongle-b0",
    "a12586b2644ffe4c3d2cfbdda70469008091558dc098e9ff08b131584c27c016",
    "7fd52c217045cf179f451a0109d845fcfa18d42564a9cbb81f432a97e0379e13",
  ),
  // nrf52840_pca20041/b0_private.pem
  ecKey(
    "ncs-desktop-pca20041-b0",
    "fd25ce7e4b3599fb8fd9a6a388b776c05ee42d5e2607d6bfb26e5892f6cc461a",
    "f3c32e1658077009cda84a6196183072bcc630feadad625246916d5c8d0f1bab",
  ),
  // nrf52840dk_nrf52840/b0_private.pem
  ecKey(
    "ncs-desktop-52840dk-b0",
    "bf941ff7477694c80818a35bc3563e18ae094900810d02d46bd34c9ebbd77cd1",
    "28a6ed88675c8e9211690898eb9b6649741c6111a488dd4fc836c2c34b96c72a",
  ),
  // nrf52840dk_nrf52840/b0_private_fast_pair.pem
  ecKey(
    "ncs-desktop-52840dk-b0-fast-pair",
    "8e3d498ec4002b3b79fab5482f5839748c2fc1b56392d1f659ad32f8c0d8496c",
    "bd7797a4f84d255d355fdf5a6f97310df02285a49fc7695bf8641160c4abf7c9",
  ),
  // nrf52840dongle_nrf52840/b0_private.pem
  ecKey(
    "ncs-desktop-52840dongle-b0",
    "4b21f52462a1e35be4c08087a5db3ee94f9d32c9d6f6b3b2012091131285f321",
    "a17fa473bf00a80fc75d20fc2b9cae1a67dea25b9e81d9bbc7caaf3b29b29a87",
  ),
  // nrf52840gmouse_nrf52840/b0_private_fast_pair.pem
  ecKey(
    "ncs-desktop-52840gmouse-b0-fast-pair",
    "07a85b0daedcb230f441ea10496d336231607566d1a57e9c11303af58dcfe345",
    "efdd1b454bb72ed7fbb0595c9d9c7d9cc141c2c6484721070716e3eb5a9e7c68",
  ),
  // nrf52kbd_nrf52832/b0_private.pem
  ecKey(
    "ncs-desktop-52kbd-b0",
    "4bd23790b04430c7f40c1f6d6668cd78842336166d271da40ad266001e798dd5",
    "a8e641ee7da0399cd242ed3859cc89a6c866913043514528680c74a26f616a6c",
  ),
  // nrf52kbd_nrf52832/b0_private_fast_pair.pem
  ecKey(
    "ncs-desktop-52kbd-b0-fast-pair",
    "cca838d67a2023d3e6e15b127476a9408135a7d395708729c41716546f388609",
    "900f0e2d2981d0af1f33d037c486617b32f732ec06b5f27274b390ee8eee8122",
  ),
  // nrf5340dk_nrf5340_cpuapp/b0_private.pem
  ecKey(
    "ncs-desktop-5340dk-b0",
    "9a8b50ff1bde513069fbba560317103220e3322a9661ad57ff4a3026533a9bd0",
    "a918fd70a9dccf2ab93db93e43ea9b61fe65e5ac45a4d7af4113da9feaf97397",
  ),
  // nrf54l15dk_nrf54l05_cpuapp/images/mcuboot/mcuboot_private.pem
  edKey("ncs-desktop-54l05-mcuboot", "673a48bc8780b9358188617067168d4e96c0d44210754eb2096ef74d05650a38"),
  // nrf54l15dk_nrf54l05_cpuapp/images/mcuboot/mcuboot_private_fast_pair.pem
  edKey("ncs-desktop-54l05-mcuboot-fast-pair", "6237961913888c2ae421408347e01a2c28c6b24d8bf1c29aec7b593014f94088"),
  // nrf54l15dk_nrf54l10_cpuapp/images/mcuboot/mcuboot_private.pem
  edKey("ncs-desktop-54l10-mcuboot", "dc4aabab9a88592b6a4d9a10da0b0836ee0b04b438197e54e8b76549f8e594ef"),
  // nrf54l15dk_nrf54l10_cpuapp/images/mcuboot/mcuboot_private_fast_pair.pem
  edKey("ncs-desktop-54l10-mcuboot-fast-pair", "02e992db67755fa6fa227efcf6707e33e820ca8979aa4674196e977e6b5dd201"),
  // nrf54h20dk_nrf54h20_cpuapp/images/mcuboot/mcuboot_private.pem
  edKey("ncs-desktop-54h20-mcuboot", "b443da79d54d2650482252306cf87cfcbd601670722b32d8f4713a9e4f0a151c"),
  // nrf54lm20dk_nrf54lm20a_cpuapp/images/mcuboot/mcuboot_private.pem
  edKey("ncs-desktop-54lm20a-mcuboot", "a29a6b5a2b7f7457bb6b654c64e638256d2a3b26aa1a6e40d010e21685b53fd1"),
  // samples/bluetooth/fast_pair/locator_tag/sysbuild/configuration/
  // nrf52840dk_nrf52840/boot_signature_key_file_ecdsa_p256.pem
  ecKey(
    "ncs-locator-tag-p256",
    "28a43faae7dacc0b28456f2c9882509fcef60b9dde47a43b3c96aa674a9df9e0",
    "44cb76118475a68631ff9abb3082943c25c69d0da6a77f4f372d0a9caa8eed47",
  ),
  // nrf54l15dk_nrf54l10_cpuapp/boot_signature_key_file_ed25519.pem
  edKey("ncs-locator-tag-ed25519", "b2c8287f6ece4992bc3cfc9e24babf11c8aedd6c6d0afef73d7e2e8aaaa5eefd"),
  // samples/crypto/kmu_usage_nrf54l/keys/sources/my_ed25519_priv_key.pem
  edKey("ncs-kmu-ed25519", "f6abfa713fa892bc4e8f4f457745b0a8751eb3c7119db32c13e72a02ed8433ff"),
];
