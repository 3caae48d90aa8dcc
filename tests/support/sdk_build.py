# SPDX-License-Identifier: Apache-2.0
"""The installed SDK, as a stranger has it, and drivers built against it alone."""

import functools
import pathlib
import shutil
import subprocess
import tempfile

from controller import build_dir

COMPILERS = {"gcc": ("gcc", "g++"), "clang": ("clang-16", "clang++-16")}
STRICT = "-Wall -Wextra -pedantic -Werror"


def run(*command, **options):
    """Standard output; AssertionError with everything that was said when it fails."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        raise AssertionError(f"{command[0]} failed ({done.returncode}): {command}\n{done.stdout}\n{done.stderr}")
    return done.stdout


class InstalledSdk:
    """`cmake --install --component sdk` of the tested build in a folder of its own. remove() it."""

    def __init__(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="vcc-sdk."))
        self.prefix = self.home / "prefix"
        run("cmake", "--install", build_dir(), "--component", "sdk", "--prefix", self.prefix)
        self.share = self.prefix / "share" / "vcp-plugin"

    @functools.lru_cache(maxsize=None)
    def build(self, source, compiler):
        """Copies a folder of the SDK's share and builds the copy, once; its build folder."""
        copy = self.home / compiler / source
        shutil.copytree(self.share / source, copy)
        cc, cxx = COMPILERS[compiler]
        # A driver in C needs no library at all.
        without = [] if list(copy.glob("*.cpp")) else ["-DCMAKE_DISABLE_FIND_PACKAGE_nlohmann_json=ON"]
        run("cmake", "-S", copy, "-B", copy / "build", f"-DCMAKE_PREFIX_PATH={self.prefix}", f"-DCMAKE_C_COMPILER={cc}",
            f"-DCMAKE_CXX_COMPILER={cxx}", f"-DCMAKE_C_FLAGS={STRICT}", f"-DCMAKE_CXX_FLAGS={STRICT}",
            "--no-warn-unused-cli", *without)
        run("cmake", "--build", copy / "build")
        return copy / "build"

    def plugin(self, source, compiler):
        """Path of the one plugin of a folder, built."""
        plugins = list((self.build(source, compiler) / "plugins").iterdir())
        if len(plugins) != 1:
            raise AssertionError(f"{source} made {plugins}")
        return plugins[0]

    def remove(self):
        shutil.rmtree(self.home, ignore_errors=True)
