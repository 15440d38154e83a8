# firmseal in CMake projects, ESP-IDF included: checks every build, and signs on request.
#
#   include(firmseal.cmake)
#   firmseal(BOARD gateway VERSION ${PROJECT_VERSION} DEPENDS app)
#
# BOARD     board of the product file
# VERSION   version of the release
# DEPENDS   targets that make the image. ESP-IDF: gen_project_binary, after project()
# PRODUCT   product file (default: firmseal.toml of the project)
#
# firmseal-BOARD-check runs with every build, and needs no key. firmseal-BOARD-sign writes BOARD.suit to the build folder.

set(FIRMSEAL_PROGRAM "firmseal" CACHE STRING "firmseal, as a list if it needs arguments")

function(firmseal)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "BOARD;VERSION;PRODUCT" "DEPENDS")
  foreach(name BOARD VERSION DEPENDS)
    if(NOT arg_${name})
      message(FATAL_ERROR "firmseal: ${name} is missing")
    endif()
  endforeach()
  if(NOT arg_PRODUCT)
    set(arg_PRODUCT "${CMAKE_SOURCE_DIR}/firmseal.toml")
  endif()

  add_custom_target(firmseal-${arg_BOARD}-check ALL
    COMMAND ${FIRMSEAL_PROGRAM} release ${arg_BOARD} --version ${arg_VERSION} --product ${arg_PRODUCT} --dry-run --quiet
    WORKING_DIRECTORY ${CMAKE_BINARY_DIR}
    COMMENT "Checking the release of ${arg_BOARD}"
    VERBATIM)
  add_custom_target(firmseal-${arg_BOARD}-sign
    COMMAND ${FIRMSEAL_PROGRAM} sign --board ${arg_BOARD} --version ${arg_VERSION} --product ${arg_PRODUCT}
            --out ${CMAKE_BINARY_DIR}/${arg_BOARD}.suit
    WORKING_DIRECTORY ${CMAKE_BINARY_DIR}
    COMMENT "Signing the release of ${arg_BOARD}"
    USES_TERMINAL
    VERBATIM)
  add_dependencies(firmseal-${arg_BOARD}-check ${arg_DEPENDS})
  add_dependencies(firmseal-${arg_BOARD}-sign ${arg_DEPENDS})
endfunction()
