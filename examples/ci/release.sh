#!/bin/sh
# A release from any CI system: release.sh VERSION, in the folder of firmseal.toml. VERSION may be a tag such as v1.4.2.
# A job that runs again succeeds and changes nothing. Exit codes: 1 refused, 2 usage error, 3 the environment.
set -eu
version=${1?name the version: release.sh VERSION}
version=${version#v}

firmseal release --version "$version"
firmseal lint "dist/$version"
firmseal verify "dist/$version" --product firmseal.toml
