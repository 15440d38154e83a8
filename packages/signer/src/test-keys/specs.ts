// Test keys of RFCs, drafts and their test vectors.

import { ecKey, edKey, hssKey, mlDsaKey, type TestKey } from "./key.js";

const ZERO_SECRET = "00".repeat(32);
const ASCENDING = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

export const specKeys: readonly TestKey[] = [
  // draft-ietf-suit-manifest-37 appendix B, and the drafts that build on it
  ecKey(
    "spec-p256",
    "8496811aae0baaabd26157189eecda26beaa8bf11b6f3fe6e2b5659c85dbc0ad",
    "3b1f2a4b6c098131c0a36dacd1d78bd381dcdfb09c052db33991db7338b4a896",
  ),
  // draft-ietf-suit-firmware-encryption, recipient kid-2
  ecKey(
    "suit-fe-kid-2",
    "5886cd61dd875862e5aaa820e7a15274c968a9bc96048ddcace32f50c3651ba3",
    "9eed8125e932cd60c0ead3650d0a485cf726d378d1b016ed4298b2961e258f1b",
  ),
  // COSE working group examples, KeySet.txt; RFC 9052 appendix C.7
  ecKey(
    "cose-wg-11",
    "bac5b11cad8f99f9c72b05cf4b9e26d244dc189f745228255a219a86d6a09eff",
    "20138bf82dc1b6d562be0fa54ab7804a3a64b6d72ccfed6b6fb6ed28bbfc117e",
  ),
  // from the same set, and RFC 9679 §6
  ecKey(
    "cose-wg-meriadoc",
    "65eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d",
    "1e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c",
  ),
  ecKey(
    "cose-wg-peregrin",
    "98f50a4ff6c05861c8860d13a638ea56c3f5ad7590bbfbf054e1c7b4d91d6280",
    "f01400b089867804b8e9fc96c3932161f1934f4223069170d924b7e03bf822bb",
  ),
  // RFC 6979 appendix A.2.5
  ecKey(
    "rfc6979-p256",
    "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6",
    "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
  ),
  // RFC 7515 appendix A.3
  ecKey(
    "rfc7515-a3",
    "7fcdce2770f6c45d4183cbee6fdb4b7b580733357be9ef13bacf6e3c7bd15445",
    "c7f144cd1bbd9b7e872cdfedb9eeb9f4b3695d6ea90b24ad8a4623288588e5ad",
  ),
  // RFC 7517 appendix A.2
  ecKey(
    "rfc7517-a2",
    "30a0424cd21c2944838a2d75c92b37e76ea20d9f00893a3b4eee8a3c0aafec3e",
    "e04b65e92456d9888b52b379bdfbd51ee869ef1f0fc65b6659695b6cce081723",
  ),
  // RFC 8032 §7.1. Test 1 is also the Ed25519 key of the COSE working group examples and of RFC 8037 appendix A
  edKey("rfc8032-test-1", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"),
  edKey("rfc8032-test-2", "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"),
  edKey("rfc8032-test-3", "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"),
  edKey("rfc8032-test-1024", "278117fc144c72340f67d0f2316e8386ceffbf2b2428c9c51fef7c597f1d426e"),
  edKey("rfc8032-test-sha-abc", "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf"),
  // RFC 8392 appendix A.2.3
  ecKey(
    "rfc8392-p256",
    "143329cce7868e416927599cf65a34f3ce2ffda55a7eca69ed8919a394d42f0f",
    "60f7f1a780d8a783bfb7a2dd6b2796e8128dbbcef9d3d168db9529971a36e7b9",
  ),
  // RFC 8410 §10.3
  edKey("rfc8410-ed25519", "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1"),
  // RFC 9421 appendix B.1.3, B.1.4
  ecKey(
    "rfc9421-p256",
    "a885586552c2acf6471878cfd7b0935b4ffe0fd2dfc341248ea17bc41e058af0",
    "31ce2737d2d30ce0617e851e83c61ef5679d151867657649035d90a74cd9e85d",
  ),
  edKey("rfc9421-ed25519", "26b40b8f93fff3d897112f7ebc582b232dbd72517d082fe83cfb30ddce43d1bb"),
  // RFC 8554 appendix F, test case 2: both levels, and each level alone. The upper one is also "ItsBig" of the COSE
  // working group examples and the key of RFC 8778.
  hssKey(
    "rfc8554-tc2",
    "000000020000000600000003d08fabd4a2091ff0a8cb4ed834e7453432a58885cd9ba0431235466bff9651c6c92124404d45fa53cf161c28f1ad5a8e",
  ),
  hssKey(
    "cose-wg-itsbig",
    "000000010000000600000003d08fabd4a2091ff0a8cb4ed834e7453432a58885cd9ba0431235466bff9651c6c92124404d45fa53cf161c28f1ad5a8e",
  ),
  hssKey(
    "rfc8554-tc2-lower",
    "000000010000000500000004215f83b7ccb9acbcd08db97b0d04dc2ba1cd035833e0e90059603f26e07ad2aad152338e7a5e5984bcd5f7bb4eba40b7",
  ),
  // RFC 9858 appendix A
  hssKey("rfc9858-n24", "000000010000000a00000008202122232425262728292a2b2c2d2e2f2c571450aed99cfb4f4ac285da14882796618314508b12d2"),
  // RFC 9964 appendix A: seed of zeros
  mlDsaKey("rfc9964-ml-dsa-44", "ml-dsa-44", ZERO_SECRET, "eb4e7302842153b0fa19e8620739ad258af4929c26dd89079a7ec7d4282208e1"),
  mlDsaKey("rfc9964-ml-dsa-65", "ml-dsa-65", ZERO_SECRET, "085ba380ff386dd52e42349c6eb88489d6058ea541a4e3fb0dce9a3fd1f7a911"),
  mlDsaKey("rfc9964-ml-dsa-87", "ml-dsa-87", ZERO_SECRET, "1d4a461707fc50a7ec93a9c02454778a8b82321ca460eea345e7bbfaff38a3aa"),
  // RFC 9881 appendix C: seed of the bytes 0 to 31
  mlDsaKey("rfc9881-ml-dsa-44", "ml-dsa-44", ASCENDING, "9f107644c1084526af3bc8098680b05499a2325a644e388fb4f970e058d19d46"),
  mlDsaKey("rfc9881-ml-dsa-65", "ml-dsa-65", ASCENDING, "d666806e11cee19a7c989f7445f90dd419cf4d2d51db8c0fdb4c0f0a542238c9"),
  mlDsaKey("rfc9881-ml-dsa-87", "ml-dsa-87", ASCENDING, "91dc389cfaa01470b7f66eee45a4ae9026d154817c754dfe22298b3fa241ffcd"),
  // web-platform-tests: WebCryptoAPI/sign_verify/mldsa_vectors.js
  mlDsaKey(
    "wpt-ml-dsa-44",
    "ml-dsa-44",
    "99155f633096da7cbe087a8948b84f767b10f901c823c240b1dd2bc87005c93e",
    "4d57af75764e4550564150f6e3033cd6fec18f43e566e7d45b1424876bb5070a",
  ),
  mlDsaKey(
    "wpt-ml-dsa-65",
    "ml-dsa-65",
    "84a4894b7b46a4b2039cce10c31a85bab0c36630fe231d42671143982607828b",
    "4b473850530cb7ad97ec77e8bd636e8766709c9e94b57934cd3a4ad7d7e5453c",
  ),
  mlDsaKey(
    "wpt-ml-dsa-87",
    "ml-dsa-87",
    "a1506d914c6d658c7527e43397dd6d4c25f6a47974335a4cd03bfe6983441251",
    "7a4f48e6e8afd10e2bd0f815f06ef4791573ebb42cfccef16c5e1617990f9f73",
  ),
];
