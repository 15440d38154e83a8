# west firmseal: checks or signs the image of a build.
#
#   west firmseal check -d build --board gateway --version 1.4.2    needs no key
#   west firmseal sign  -d build --board gateway --version 1.4.2    writes build/gateway.suit

import os
import shlex
import subprocess

from west.commands import WestCommand


class Firmseal(WestCommand):
    def __init__(self):
        super().__init__("firmseal", "check or sign the image of a build with firmseal", __doc__ or "")

    def do_add_parser(self, parser_adder):
        parser = parser_adder.add_parser(self.name, help=self.help, description=self.description)
        parser.add_argument("mode", choices=["check", "sign"])
        parser.add_argument("-d", "--build-dir", default="build", help="build folder (default: build)")
        parser.add_argument("--board", required=True, help="board of the product file")
        parser.add_argument("--version", required=True, help="version of the release")
        parser.add_argument("--product", default="firmseal.toml", help="product file (default: firmseal.toml)")
        return parser

    def do_run(self, args, unknown):
        # a list, so that no shell interprets the options
        program = shlex.split(os.environ.get("FIRMSEAL_PROGRAM", "firmseal"))
        of_board = ["--version", args.version, "--product", args.product]
        if args.mode == "check":
            command = ["release", args.board, *of_board, "--dry-run", "--quiet"]
        else:
            out = os.path.join(args.build_dir, f"{args.board}.suit")
            command = ["sign", "--board", args.board, *of_board, "--out", out]
        try:
            code = subprocess.run([*program, *command]).returncode
        except FileNotFoundError:
            self.die(f"{program[0]}: not found; put firmseal into PATH, or set FIRMSEAL_PROGRAM")
        if code != 0:
            self.die(f"firmseal {command[0]} ended with exit code {code}", exit_code=code)
