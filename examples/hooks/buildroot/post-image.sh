#!/bin/sh
# firmseal in Buildroot: checks every image, and signs on request.
#
#   BR2_ROOTFS_POST_IMAGE_SCRIPT="board/acme/post-image.sh"
#   BR2_ROOTFS_POST_SCRIPT_ARGS="gateway 1.4.2"
#
# Buildroot passes the folder of the images first, then the arguments: the board of the product file, and the version.
# The check needs no key. FIRMSEAL_SIGN=1 make writes BOARD.suit to the folder of the images.
set -eu
usage='set BR2_ROOTFS_POST_SCRIPT_ARGS="BOARD VERSION"'
images=${1?$usage} board=${2?$usage} version=${3?$usage}
# beside this script; it names the images in output/images
product=${FIRMSEAL_PRODUCT:-$(dirname "$0")/firmseal.toml}

if [ "${FIRMSEAL_SIGN:-0}" = 1 ]; then
  ${FIRMSEAL_PROGRAM:-firmseal} sign --board "$board" --version "$version" --product "$product" --out "$images/$board.suit"
else
  ${FIRMSEAL_PROGRAM:-firmseal} release "$board" --version "$version" --product "$product" --dry-run --quiet
fi
