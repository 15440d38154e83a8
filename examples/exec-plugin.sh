#!/bin/sh
# A plug-in for `--key exec:examples/exec-plugin.sh` (docs/guides/keys/exec.md): signs with the Ed25519 key in the PEM file that PLUGIN_KEY names.
set -eu
fail() {
  printf '{"error":"%s","hint":"%s"}\n' "$1" "$2" >&2
  exit 1
}
member() { printf '%s\n' "$request" | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }
answer() { printf '{"contractVersion":1,%s}\n' "$1"; }
base64line() { base64 | tr -d '\n'; }

IFS= read -r request
case $request in *'"contractVersion":1,'*) ;; *) fail "the request is not of version 1" "use a plug-in for this firmseal" ;; esac
[ -r "${PLUGIN_KEY:-}" ] || fail "PLUGIN_KEY names no file that can be read" "PLUGIN_KEY=release.pem firmseal sign"
openssl pkey -in "$PLUGIN_KEY" -noout -text 2>/dev/null </dev/null | grep -q '^ED25519 Private' || fail "not an Ed25519 key" "openssl genpkey -algorithm ed25519"

case $(member operation) in
describe-key)
  # the last 32 bytes of the DER are the key (RFC 8410)
  answer "\"alg\":\"ed25519\",\"publicKey\":\"$(openssl pkey -in "$PLUGIN_KEY" -pubout -outform DER | tail -c 32 | base64line)\""
  ;;
sign)
  message=$(mktemp) && trap 'rm -f "$message"' EXIT
  member message | base64 -d >"$message"
  answer "\"signature\":\"$(openssl pkeyutl -sign -rawin -inkey "$PLUGIN_KEY" -in "$message" | base64line)\""
  ;;
*) fail "an operation that is not known" "use a newer plug-in" ;;
esac
