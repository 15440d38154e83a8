# firmseal in PlatformIO: checks every build, and signs on request.
#
#   [env:gateway]
#   extra_scripts = post:firmseal.py
#   custom_firmseal_version = 1.4.2
#
# The environment has the name of the board in the product file. The check needs no key.
# pio run -t firmseal writes BOARD.suit to the build folder.

Import("env")


def option(name, default):
    return env.GetProjectOption(f"custom_firmseal_{name}", default)


program = option("program", "firmseal")
board = option("board", env["PIOENV"])
version = option("version", "0.0.0")
product = option("product", "$PROJECT_DIR/firmseal.toml")
image = "$BUILD_DIR/${PROGNAME}.bin"
of_board = f'--version {version} --product "{product}"'

env.AddPostAction(
    image,
    env.VerboseAction(f"{program} release {board} {of_board} --dry-run --quiet", f"Checking the release of {board}"),
)
env.AddCustomTarget(
    "firmseal",
    image,
    f'{program} sign --board {board} {of_board} --out "$BUILD_DIR/{board}.suit"',
    title="Sign",
    description=f"Sign the release of {board} with firmseal",
)
