# firmseal in Yocto: checks every image, and signs on request.
#
#   inherit firmseal
#   FIRMSEAL_BOARD = "gateway"
#
# The product file names the image in DEPLOY_DIR_IMAGE. The check needs no key. bitbake -c firmseal_sign IMAGE writes
# BOARD.suit beside the image. firmseal and node run on the host: local.conf has HOSTTOOLS += "firmseal node".

FIRMSEAL_PROGRAM ?= "firmseal"
FIRMSEAL_BOARD ?= "${MACHINE}"
FIRMSEAL_VERSION ?= "${DISTRO_VERSION}"
FIRMSEAL_PRODUCT ?= "${TOPDIR}/firmseal.toml"

do_firmseal_check() {
    ${FIRMSEAL_PROGRAM} release "${FIRMSEAL_BOARD}" --version "${FIRMSEAL_VERSION}" --product "${FIRMSEAL_PRODUCT}" --dry-run --quiet
}

do_firmseal_sign() {
    ${FIRMSEAL_PROGRAM} sign --board "${FIRMSEAL_BOARD}" --version "${FIRMSEAL_VERSION}" --product "${FIRMSEAL_PRODUCT}" \
        --out "${DEPLOY_DIR_IMAGE}/${FIRMSEAL_BOARD}.suit"
}

# the image is elsewhere, so bitbake cannot know whether it has changed
do_firmseal_check[nostamp] = "1"
do_firmseal_sign[nostamp] = "1"
# keys in services and tokens: the signature needs the network
do_firmseal_sign[network] = "1"

addtask firmseal_check after do_image_complete before do_build
addtask firmseal_sign after do_image_complete
