#!/bin/sh
# A release from any CI system, in a clean checkout of the protected branch:
#   release.sh VERSION IMAGES           describes the candidate without a key, and writes its digest to stdout
#   release.sh VERSION IMAGES DIGEST    releases the candidate with this digest, which a person has looked at
# VERSION may be a tag such as v1.4.2. IMAGES is the folder with what the build job has made. The branch has the record
# of the last release, releases/release.json; FIRST=true says that nothing was released yet. A job that runs again
# succeeds and changes nothing. Exit codes: 1 refused, 2 usage error, 3 the environment.
set -eu
refuse() {
  echo "$1" >&2
  exit 1
}
version=${1?release.sh VERSION IMAGES [DIGEST]}
version=${version#v}
images=${2?release.sh VERSION IMAGES [DIGEST]}
given=$#
wanted=${3-}
branch=${PROTECTED_BRANCH:-main}

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

# what is pinned: the commit, the version, the earlier release, and every image
set -- --version "$version" --images "$images"
if [ "${FIRST-}" = true ]; then set -- "$@" --first; else set -- "$@" --previous-release releases/release.json; fi
sums=$(cd "$images" && find . ! -type d -exec sha256sum {} + | LC_ALL=C sort)
digest=$(printf '%s\n' "$(git rev-parse HEAD)" "$version" "${FIRST-}" "$sums" | sha256sum | cut -d ' ' -f 1)
if [ "$given" -eq 2 ]; then
  firmseal release "$@" --dry-run >&2
  echo "$digest"
  exit
fi
[ "$wanted" = "$digest" ] || refuse "this is not the candidate $wanted, but $digest: look at it again"

firmseal release "$@"
firmseal lint "dist/$version"
firmseal verify "dist/$version" --product firmseal.toml
