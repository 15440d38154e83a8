#!/bin/sh
# A release from any CI system, in a clean checkout of the protected branch:
#   release.sh VERSION IMAGES              describes the candidate without a key, and writes its parts to stdout
#   release.sh VERSION IMAGES CANDIDATE    releases what has the parts in this file, which a person has looked at
# VERSION may be a tag such as v1.4.2. IMAGES is the folder with what the build job has made. The branch has the record
# of the last release, releases/release.json. A job that runs again succeeds and changes nothing. Exit codes: 1 refused,
# 2 usage error, 3 the environment.
set -eu

# The settings are here, where the branch and its reviews protect them: who starts a job may set its environment.
branch=main
# true: nothing was released yet, and the branch has no record
first=false
# the variables with the passphrases of encrypted keys, or the PINs of tokens, in the order of the keys, with spaces. No
# other variable is read
passphrases=RELEASE_PASSPHRASE

refuse() {
  printf '%s\n' "$1" | LC_ALL=C tr -c '[:print:]\t\n' '?' >&2
  exit 1
}
version=${1:?release.sh VERSION IMAGES [CANDIDATE]}
version=${version#v}
images=${2:?release.sh VERSION IMAGES [CANDIDATE]}
given=$#
wanted=${3-}

# who signs, what is trusted and what was released: as the protected branch has it, and nothing beside it
[ "$(git rev-parse HEAD)" = "$(git rev-parse "refs/remotes/origin/$branch")" ] || refuse "this is not the checkout of $branch"
set -- ":(exclude,literal)dist/$version"
case $images in
  /* | ..*) ;;
  *)
    [ -z "$(git ls-files -- "$images")" ] || refuse "$images: $branch has files there; images need a folder of their own"
    set -- "$@" ":(exclude,literal)$images"
    ;;
esac
others=$(git status --porcelain --untracked-files=all --ignored=matching -- :/ "$@")
[ -z "$others" ] || refuse "not as $branch has it:
$others"

# what is pinned: the version, the commit with its record of the earlier release, and every image. The files of the
# commit are there to tell which one differs. A link has no bytes to pin, and may lead elsewhere when the key is there. A
# name with control characters would show something else in the log. A pipe would hide that find or sha256sum has failed.
strange=$(LC_ALL=C find "$images" ! -type f ! -type d -o -name '*[![:print:]]*')
[ -z "$strange" ] || refuse "neither a file nor a folder with a name in ASCII, so not pinned:
$strange"
sums=$(CDPATH='' cd -- "$images" && find . -type f -exec sha256sum {} +)
sums=$(printf '%s\n' "$sums" | LC_ALL=C sort)
files=$(git ls-tree HEAD)
parts="version $version
commit $(git rev-parse HEAD)
$files
$sums"

set -- --version "$version" --images "$images"
if [ "$first" = true ]; then
  [ ! -e releases/release.json ] || refuse "first=true in this script, but $branch has releases/release.json"
  set -- "$@" --first
else
  set -- "$@" --previous-release releases/release.json
fi
if [ "$given" -eq 2 ]; then
  firmseal release "$@" --dry-run >&2
  printf '%s\n' "$parts"
  exit
fi
# diff would read stdin for a -
[ "$wanted" != - ] && [ -f "$wanted" ] || refuse "'$wanted' is not a file: give the candidate that the job before has written"
differs=$(printf '%s\n' "$parts" | diff -- "$wanted" -) || refuse "not the candidate (<), but this (>): run its job again, and look at it
$differs"

opening=
for name in $passphrases; do opening="$opening --passphrase-env $name"; done
# shellcheck disable=SC2086 # words without spaces
firmseal release "$@" $opening
firmseal lint "dist/$version"
# shellcheck disable=SC2086 # without trusted keys in the product file, it opens those that sign
firmseal verify "dist/$version" --product firmseal.toml $opening
