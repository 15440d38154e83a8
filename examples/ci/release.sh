#!/bin/sh
# A release from any CI system, in a clean checkout of the protected branch:
#   release.sh VERSION IMAGES           describes the candidate without a key, and writes its digest to stdout
#   release.sh VERSION IMAGES DIGEST    releases the candidate with this digest, which a person has looked at
# VERSION may be a tag such as v1.4.2. IMAGES is the folder with what the build job has made. The branch has the record
# of the last release, releases/release.json. A job that runs again succeeds and changes nothing. Exit codes: 1 refused,
# 2 usage error, 3 the environment.
set -eu

# The settings are here, where the branch and its reviews protect them: who starts a job may set its environment.
branch=main
# true: nothing was released yet, and the branch has no record
first=false

refuse() {
  echo "$1" >&2
  exit 1
}
version=${1:?release.sh VERSION IMAGES [DIGEST]}
version=${version#v}
images=${2:?release.sh VERSION IMAGES [DIGEST]}
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

# what is pinned: the commit with its record of the earlier release, the version, and every image. A link has no bytes
# to pin, and may lead elsewhere when the key is there. A pipe would hide that find or sha256sum has failed.
strange=$(find "$images" ! -type f ! -type d)
[ -z "$strange" ] || refuse "neither a file nor a folder, so not pinned:
$strange"
sums=$(CDPATH='' cd -- "$images" && find . -type f -exec sha256sum {} +)
sums=$(printf '%s\n' "$sums" | LC_ALL=C sort)
digest=$(printf '%s\n' "$(git rev-parse HEAD)" "$version" "$sums" | sha256sum | cut -d ' ' -f 1)

set -- --version "$version" --images "$images"
if [ "$first" = true ]; then
  [ ! -e releases/release.json ] || refuse "first=true in this script, but $branch has releases/release.json"
  set -- "$@" --first
else
  set -- "$@" --previous-release releases/release.json
fi
if [ "$given" -eq 2 ]; then
  firmseal release "$@" --dry-run >&2
  echo "$digest"
  exit
fi
[ "$wanted" = "$digest" ] || refuse "this is not the candidate $wanted, but $digest: look at it again"

firmseal release "$@"
firmseal lint "dist/$version"
firmseal verify "dist/$version" --product firmseal.toml
