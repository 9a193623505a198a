#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tidy.py finds what it is there to find: a small tree with every mistake in it, and one with none."""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TIDY = Path(__file__).with_name("tidy.py")
SPDX = "// SPDX-License-Identifier: Apache-2.0\n"
GOOD = {
    "src/one/CMakeLists.txt": "cm_room(one\n  SOURCES a.c a_more.c)\n",
    "src/two/CMakeLists.txt": "cm_room(two SOURCES b.c NEEDS one LIBS m)\n",
    "src/one/a.c": SPDX + '#include "one/a.h"\n',
    "src/one/a_more.c": SPDX + "/* a_more.c — the rest of a.h. */\n",
    "src/one/behind.c": SPDX + '/* behind.c — stands behind c.h. */\n#include "callmill/c.h"\n',
    "src/one/a.h": SPDX + "#ifndef CM_ONE_A_H\n#define CM_ONE_A_H\n#endif\n",
    "src/two/b.c": SPDX + '#include "two/b.h"\n#include "one/a.h"\n'
                   "/* pairs with take() */\natomic_store_explicit(&x, 1, memory_order_release);\n",
    "src/two/b.h": SPDX + "#ifndef CM_TWO_B_H\n#define CM_TWO_B_H\n#endif\n",
    "include/callmill/c.h": SPDX + "#ifndef CALLMILL_C_H\n#define CALLMILL_C_H\n#endif\n",
    "docs/page.md": "# A Page, twice\n[here](#a-page-twice) [there](../src/one/a.h) [out](https://example.org)\n",
    "tests/tidy/exceptions.txt": "# none\n",
}
LONG_FUNCTION = "int f(void)\n{\n" + "    g();\n" * 80 + "}\n"


def run(files, *words):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            if name.startswith("scripts/good"):
                path.chmod(0o755)
        done = subprocess.run([sys.executable, TIDY, "--root", folder, *words], capture_output=True,
                              text=True, check=False)
        kept = Path(folder, "tests/tidy/exceptions.txt").read_text(encoding="utf-8")
        return done.returncode, done.stdout, kept


class Tidy(unittest.TestCase):
    def expect(self, rule, where, changes):
        status, out, _ = run({**GOOD, **changes})
        self.assertEqual(status, 1, f"{rule} found nothing")
        found = [line for line in out.splitlines() if f": {rule}: " in line]
        self.assertTrue(any(line.startswith(where) for line in found), out)

    def test_nothing_to_find(self):
        status, out, _ = run(GOOD)
        self.assertEqual(status, 0, out)

    def test_each_rule_finds_its_mistake(self):
        self.expect("header-beside", "src/one/z.c:1", {"src/one/z.c": SPDX})
        self.expect("header-beside", "src/one/a_more.c:2", {"src/one/a_more.c": SPDX + "int x;\n"})
        self.expect("unique-names", "src/two/a.h:1", {"src/two/a.h": GOOD["src/one/a.h"]})
        self.expect("licence-line", "src/one/a.c:1", {"src/one/a.c": '#include "one/a.h"\n'})
        self.expect("licence-line", "scripts/good:2", {"scripts/good": "#!/bin/sh\n"})
        self.expect("line-length", "src/one/a.c:2", {"src/one/a.c": SPDX + "x" * 101 + "\n"})
        self.expect("size", "src/one/a.c:1", {"src/one/a.c": SPDX + "\n" * 600})
        self.expect("size", "src/one/a.c:3", {"src/one/a.c": SPDX + "\n" + LONG_FUNCTION})
        self.expect("left-over", "docs/page.md:1", {"docs/page.md": "TO" + "DO: more\n"})
        self.expect("left-over", "docs/page.md:1", {"docs/page.md": "see /ho" + "me/me/x\n"})
        self.expect("fences", "src/one/a.c:2", {"src/one/a.c": SPDX + "atomic_thread_fence(x);\n"})
        self.expect("memory-orders", "src/one/a.c:2", {"src/one/a.c": SPDX + "f(memory_order_relaxed);\n"})
        self.expect("prefetches", "src/one/a.c:2", {"src/one/a.c": SPDX + "__builtin_prefetch(p);\n"})
        self.expect("includes", "src/one/a.c:2", {"src/one/a.c": SPDX + '#include "two/b.h"\n'})
        self.expect("includes", "src/one/a.c:2", {"src/one/a.c": SPDX + '#include "one/none.h"\n'})
        self.expect("includes", "src/one/a.c:2", {"src/one/a.c": SPDX + '#include "a.h"\n'})
        self.expect("guards", "src/one/a.h:2", {"src/one/a.h": SPDX + "#ifndef A_H\n#define A_H\n#endif\n"})
        self.expect("links", "docs/page.md:1", {"docs/page.md": "[x](none.md)\n"})
        self.expect("links", "docs/page.md:1", {"docs/page.md": "[x](#none)\n"})
        self.expect("settings-documented", "src/config/settings_table.h:2",
                    {"src/config/settings_table.h": SPDX + '    X("a.b", ab, BOOL)\n',
                     "docs/settings.md": "nothing\n"})
        self.expect("executable", "scripts/bad:1", {"scripts/bad": "#!/bin/sh\n"})

    def test_generated_pages(self):
        for made, code in (("fresh", 1), ("true", 1)):
            program = Path(tempfile.mkdtemp(), "program")
            program.write_text(f"#!/bin/sh\necho {made}\n", encoding="utf-8")
            program.chmod(0o755)
            files = {f"docs/{page}.md": "fresh\n" for page in
                     ("settings", "figures", "errors", "counters", "dead-letters")}
            status, out, _ = run({**GOOD, **files}, "--program", str(program))
            self.assertEqual(status, code)
            self.assertEqual(out.count("is stale"), 0 if made == "fresh" else 5, out)
            self.assertIn("configs/callmill.yaml:1: generated-pages: is missing", out)
            program.unlink()
            program.parent.rmdir()

    def test_exceptions_only_shrink(self):
        files = {**GOOD, "src/one/a.c": SPDX + "\n" + LONG_FUNCTION}
        fits = {**files, "tests/tidy/exceptions.txt": "src/one/a.c:f 83\n"}
        self.assertEqual(run(fits)[0], 0, run(fits)[1])
        tight = {**files, "tests/tidy/exceptions.txt": "src/one/a.c:f 82\n"}
        self.assertEqual(run(tight)[0], 1)
        self.assertIn("82", run(tight, "--shrink")[2])
        loose = {**files, "tests/tidy/exceptions.txt": "# kept\nsrc/one/a.c:f 99\nsrc/one/gone.c 700\n"}
        self.assertEqual(run(loose)[0], 1)
        status, out, kept = run(loose, "--shrink")
        self.assertEqual(status, 0, out)
        self.assertEqual(kept, "# kept\nsrc/one/a.c:f 83\n")


if __name__ == "__main__":
    unittest.main()
