#!/usr/bin/env python3
"""Checks the accepted vectors of open() with Python's hashlib and the openssl program, and nothing of firmseal.

It checks what binds a manifest to its signer: the digest in the wrapper is that of the manifest, and enough different keys of the vector have
signed the digest, with Ed25519 or ES256. It needs OpenSSL 3. Vectors that need another algorithm are skipped. Arguments are the names of
vectors: the others are left out.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HASHES = {-16: "sha256", -43: "sha384", -44: "sha512"}
NAMES = {-8: "ed25519", -19: "ed25519", -7: "es256", -9: "es256"}
# in front of the key: SubjectPublicKeyInfo (RFC 8410 §4, RFC 5480 §2)
SPKI = {"ed25519": "302a300506032b6570032100", "es256": "3059301306072a8648ce3d020106082a8648ce3d030107034200"}


def head(data, at):
    """Major type, argument and the offset behind the head: RFC 8949 §3."""
    major, low = data[at] >> 5, data[at] & 31
    if low < 24:
        return major, low, at + 1
    size = 1 << (low - 24)
    return major, int.from_bytes(data[at + 1 : at + 1 + size], "big"), at + 1 + size


def item(data, at=0):
    """(value, end): integers, bytes, str, lists, lists of pairs for maps, (tag, value), None."""
    major, n, at = head(data, at)
    if major < 2:
        return (-1 - n if major else n), at
    if major < 4:
        raw = data[at : at + n]
        return (raw if major == 2 else raw.decode()), at + n
    if major == 4:
        out = []
        for _ in range(n):
            value, at = item(data, at)
            out.append(value)
        return out, at
    if major == 5:
        out = []
        for _ in range(n):
            key, at = item(data, at)
            value, at = item(data, at)
            out.append((key, value))
        return out, at
    if major == 6:
        value, at = item(data, at)
        return (n, value), at
    return {20: False, 21: True}.get(n), at


def get(pairs, wanted):
    return next((value for key, value in pairs if key == wanted), None)


def encode(major, n):
    size = 0 if n < 24 else 1 if n < 256 else 2 if n < 65536 else 4
    if size == 0:
        return bytes([major << 5 | n])
    return bytes([major << 5 | 24 + size.bit_length() - 1]) + n.to_bytes(size, "big")


def bstr(data):
    return encode(2, len(data)) + data


def structure(context, *parts):
    """Sig_structure (RFC 9052 §4.4)."""
    return encode(4, len(parts) + 1) + encode(3, len(context)) + context.encode() + b"".join(bstr(p) for p in parts)


def integer(raw):
    """An INTEGER of DER."""
    raw = raw.lstrip(b"\0") or b"\0"
    raw = b"\0" + raw if raw[0] & 128 else raw
    return bytes([2, len(raw)]) + raw


def verifies(alg, key, message, signature, folder):
    if len(signature) != 64:
        return False
    if alg == "es256":
        body = integer(signature[:32]) + integer(signature[32:])
        signature = bytes([48, len(body)]) + body
    files = {"key": bytes.fromhex(SPKI[alg]) + key, "message": message, "signature": signature}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-rawin", "-inkey", "key", "-in", "message", "-sigfile", "signature"]
    if alg == "es256":
        command += ["-digest", "sha256"]
    return subprocess.run(command, cwd=folder, capture_output=True).returncode == 0


def signatures(block, digest):
    """(alg, message, signature) of each signature in a block: COSE_Sign1 or COSE_Sign, with an empty external_aad."""
    tag, body = item(block)[0]
    if tag == 18:
        protected, _, _, signature = body
        yield get(item(protected)[0], 1), structure("Signature1", protected, b"", digest), signature
    elif tag == 98:
        # an encoded empty map is signed as an empty string
        outer = b"" if body[0] == b"\xa0" else body[0]
        for protected, _, signature in body[3]:
            yield get(item(protected)[0], 1), structure("Signature", outer, protected, b"", digest), signature


def check(vector, keys, folder):
    data = bytes.fromhex(vector["envelope"])
    envelope, end = item(data)
    assert end == len(data), "bytes behind the envelope"
    pairs = envelope[1] if isinstance(envelope, tuple) else envelope
    blocks = item(get(pairs, 2))[0]
    manifest = get(pairs, 3)
    alg, digest = item(blocks[0])[0]
    # the byte string is hashed with its head
    assert hashlib.new(HASHES[alg], bstr(manifest)).digest() == digest, "the digest is not that of the manifest"
    anchors = [{**a, **keys[a["ref"]]} if "ref" in a else a for a in vector["trust"]["anchors"]]
    signed = set()
    for block in blocks[1:]:
        for number, message, signature in signatures(block, blocks[0]):
            for i, anchor in enumerate(anchors):
                if NAMES.get(number) == anchor["alg"] and verifies(anchor["alg"], bytes.fromhex(anchor["key"]), message, signature, folder):
                    signed.add(i)
    assert len(signed) >= vector["trust"].get("threshold", 1), f"signed by {sorted(signed)}"
    assert set(vector["expect"]["signers"]) <= signed, f"signed by {sorted(signed)}"
    assert str(get(item(manifest)[0], 2)) == vector["expect"]["sequence"], "another sequence number"


def main():
    index = json.loads((ROOT / "index.json").read_text())
    keys = json.loads((ROOT / "keys.json").read_text())["keys"]
    assert index["format"] == 1, "a format that this program does not know"
    passed, failed, skipped = 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for entry in index["vectors"]:
            if entry["kind"] != "accepted" or entry["action"] != "open":
                continue
            if sys.argv[1:] and entry["name"] not in sys.argv[1:]:
                continue
            if {"hsslms", "hmac256", "trust-file"} & set(entry["features"]):
                skipped += 1
                continue
            vector = json.loads((ROOT / entry["file"]).read_text())
            try:
                check(vector, keys, Path(folder))
                passed += 1
            except Exception as error:
                failed += 1
                print(f"{entry['file']}: {error!r}")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(1 if failed or not passed else 0)


main()
