#!/bin/sh
# A release from any CI system: release.sh VERSION IMAGES, in a checkout of the protected branch. VERSION may be a tag
# such as v1.4.2. IMAGES is the folder with what the build job has made. A job that runs again succeeds and changes
# nothing. Exit codes: 1 refused, 2 usage error, 3 the environment.
set -eu
version=${1?name the version: release.sh VERSION IMAGES}
version=${version#v}
images=${2?name the folder of images: release.sh VERSION IMAGES}
branch=${PROTECTED_BRANCH:-main}

# who signs, what is trusted and what was released: as the protected branch has it
if [ "$(git rev-parse HEAD)" != "$(git rev-parse "refs/remotes/origin/$branch")" ] || ! git diff --quiet HEAD; then
  echo "this is not the checkout of $branch, or files of it have changed" >&2
  exit 1
fi

firmseal release --version "$version" --images "$images"
firmseal lint "dist/$version"
firmseal verify "dist/$version" --product firmseal.toml
