#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""abi_gate.py COMPILER INCLUDE FROZEN: do the headers of today keep what those of FROZEN promised (docs/ABI.md)?

FROZEN has a folder of headers for each version that drivers in the field may have been built with. Layouts are compared by
abidiff; names and types of fields, which it calls harmless when nothing moves, and constants are compared here. A field at
the end of a struct is no difference: receivers read as far as struct_size. Extensions do not even grow at their ends.
The gate itself is tested too: headers with one change each, of which it must pass one and refuse the others.
"""

import itertools
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

COMPILER, INCLUDE, FROZEN = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
HEADERS = "vcp/plugin"
MAY_GROW = """\
[suppress_type]
  type_kind = struct
  has_data_member_inserted_at = end
"""


def headers(include):
    """Of the boundary: everything but the C++ layer, the test helpers and drafts, which promise nothing."""
    found = sorted(include.joinpath(HEADERS).rglob("*.h"))
    return [path.relative_to(include) for path in found if not {"cpp", "testing", "draft"} & set(path.parts)]


def compiled(include, folder):
    """A shared object in whose debug information every struct of the boundary stands."""
    texts = [include.joinpath(path).read_text(encoding="utf-8") for path in headers(include)]
    structs = sorted(set(re.findall(r"^} (vcp_\w+_t);", "\n".join(texts), re.MULTILINE)))
    structs += sorted(set(re.findall(r"^typedef struct \w+ (vcp_\w+_t);", "\n".join(texts), re.MULTILINE)))
    source = folder / "all.c"
    source.write_text("".join(f'#include "{path}"\n' for path in headers(include)) +
                      "".join(f"void use_{name}(const {name}* it) {{ (void)it; }}\n" for name in dict.fromkeys(structs)),
                      encoding="utf-8")
    built = folder / "all.so"
    subprocess.run([COMPILER, "-g", "-O0", "-shared", "-fPIC", f"-I{include}", "-o", built, source], check=True)
    return built


def code(include, folder=None):
    """Of each header, or of those in one folder, without comments."""
    for path in headers(include):
        if folder and path.parent != pathlib.Path(HEADERS, folder):
            continue
        yield re.sub(r"/\*.*?\*/", "", include.joinpath(path).read_text(encoding="utf-8"), flags=re.DOTALL)


def fields(include, folder=None):
    """Struct to its declarations in order, each with single spaces."""
    found = {}
    for text in code(include, folder):
        for name, body in re.findall(r"\bstruct (vcp_\w+) \{(.*?)^\}", text, re.MULTILINE | re.DOTALL):
            found[name] = [" ".join(field.split()) for field in body.split(";") if field.strip()]
    return found


def constants(include):
    """Name to text of every enumerator and every #define with a value."""
    found = {}
    for text in code(include):
        found.update(re.findall(r"^\s*(VCP_\w+) = ([^,\n]+?),?\s*$", text, re.MULTILINE))
        found.update(re.findall(r"^#define (VCP_\w+) +(\S.*)$", text, re.MULTILINE))
    return found


MAY_CHANGE = {"VCP_ABI_MINOR"}


def differences(old, new):
    """What `new` breaks of what `old` promised; an empty text: nothing."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for side in ("old", "new", "suppressions"):
            folder.joinpath(side).mkdir()
        suppressions = folder / "suppressions" / "may_grow"
        suppressions.write_text(MAY_GROW, encoding="utf-8")
        compared = subprocess.run(
            ["abidiff", "--no-default-suppression", "--suppressions", suppressions, "--no-added-syms",
             compiled(old, folder / "old"), compiled(new, folder / "new")], capture_output=True, text=True, check=False)
    said = compared.stdout + compared.stderr if compared.returncode != 0 else ""
    today = fields(new)
    fixed = fields(old, "ext")
    for name, declared in fields(old).items():
        # The others are embedded or lie in lists, or belong to a revision of an extension.
        grows = "uint32_t struct_size" in declared and name not in fixed
        present = today.get(name, [])[:len(declared) if grows else None]
        for field, now in itertools.zip_longest(declared, present):
            if field != now:
                said += f"struct {name}: '{field}' is now '{now}'\n"
                break
    now = constants(new)
    for key, value in constants(old).items():
        if key not in MAY_CHANGE and now.get(key) != value:
            said += f"{key} was {value}, and is {now.get(key, 'gone')}\n"
    return said


def edited(include, folder, file, old, new):
    """A copy of the headers with one change."""
    shutil.copytree(include, folder)
    path = folder / HEADERS / file
    text = path.read_text(encoding="utf-8")
    if text.count(old) != 1:
        raise AssertionError(f"{file} does not have {old!r} once")
    path.write_text(text.replace(old, new), encoding="utf-8")
    return folder


class Gate(unittest.TestCase):
    def changed(self, file, old, new):
        with tempfile.TemporaryDirectory() as name:
            return differences(INCLUDE, edited(INCLUDE, pathlib.Path(name, "include"), file, old, new))

    def test_every_frozen_version_is_kept(self):
        versions = sorted(path for path in FROZEN.iterdir() if path.is_dir())
        self.assertTrue(versions, "no version is frozen")
        for version in versions:
            self.assertEqual(differences(version, INCLUDE), "", version.name)

    def test_a_field_at_the_end_passes(self):
        self.assertEqual(self.changed("types.h", "} vcp_observation_t;", "  int64_t one_more;\n} vcp_observation_t;"), "")

    def test_a_function_at_the_end_of_a_table_passes(self):
        self.assertEqual(self.changed("driver.h", "} vcp_driver_ops_t;",
                                      "  int32_t (*one_more)(vcp_driver_instance_t* driver);\n} vcp_driver_ops_t;"), "")

    def test_a_field_in_the_middle_fails(self):
        said = self.changed("types.h", "int32_t state;", "int64_t one_more;\n  int32_t state;")
        self.assertIn("vcp_observation", said)

    def test_another_type_fails(self):
        said = self.changed("types.h", " int32_t state;", " uint32_t state;")
        self.assertEqual(said, "struct vcp_observation: 'int32_t state' is now 'uint32_t state'\n")

    def test_another_argument_fails(self):
        said = self.changed("host.h", "int32_t (*random_bytes)(const vcp_host_t* host, uint8_t* out, uint64_t size);",
                            "int32_t (*random_bytes)(const vcp_host_t* host, uint8_t* out, uint32_t size);")
        self.assertIn("random_bytes", said)

    def test_a_struct_without_a_size_may_not_grow(self):
        said = self.changed("types.h", "} vcp_string_t;", "  uint64_t one_more;\n} vcp_string_t;")
        self.assertEqual(said, "struct vcp_string: 'None' is now 'uint64_t one_more'\n")

    def test_an_extension_may_not_grow(self):
        said = self.changed("ext/disk.h", "} vcp_disk_ops_t;", "  int64_t one_more;\n} vcp_disk_ops_t;")
        self.assertEqual(said, "struct vcp_disk_ops: 'None' is now 'int64_t one_more'\n")

    def test_a_function_that_goes_fails(self):
        said = self.changed("host.h", "int64_t (*wall_ms)(", "int64_t (*wall_clock_ms)(")
        self.assertIn("wall", said)

    def test_another_number_fails(self):
        self.assertIn("VCP_STATE_STOPPED was 4, and is 14", self.changed("types.h", "VCP_STATE_STOPPED = 4", "VCP_STATE_STOPPED = 14"))

    def test_another_id_fails(self):
        self.assertIn("VCP_HTTP_ID", self.changed("ext/http.h", 'VCP_HTTP_ID "vcp.host.http/1"', 'VCP_HTTP_ID "vcp.host.http/2"'))


if __name__ == "__main__":
    if shutil.which("abidiff") is None:
        print("SKIP: abidiff is not installed (Debian: abigail-tools)")
        print("[python] test cases: 1 | 0 passed | 0 failed | 1 skipped")
        sys.exit(0)
    result = unittest.main(argv=sys.argv[:1], exit=False, verbosity=2).result
    failed = len(result.failures) + len(result.errors)
    print(f"[python] test cases: {result.testsRun} | {result.testsRun - failed} passed | {failed} failed | 0 skipped")
    sys.exit(failed != 0)
