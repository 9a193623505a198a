#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The house rules, as tests. Standard library only.

    tidy.py [--root FOLDER] [--program CALLMILL] [--only RULE,..] [--shrink]

Each rule is a function below, its docstring is the rule. All findings are printed, a line each:
file:line: rule: what. --program checks the generated pages, too. --shrink lowers or removes the
entries of exceptions.txt that are larger than need be; it never adds one.
Exit status: 0 no finding, 1 findings, 2 wrong use.
"""
import argparse
import collections
import re
import subprocess
import sys
from pathlib import Path

LINE_MAX, FILE_MAX, FUNCTION_MAX = 100, 600, 70
EXCEPTIONS = "tests/tidy/exceptions.txt"

# What `callmill reference PAGE` prints is what the file holds, byte by byte.
PAGES = {
    "settings": "docs/settings.md",
    "figures": "docs/figures.md",
    "errors": "docs/errors.md",
    "counters": "docs/counters.md",
    "dead-letters": "docs/dead-letters.md",
    "example": "configs/callmill.yaml",
}

RULES = {}


def rule(check):
    RULES[check.__name__.replace("_", "-")] = check
    return check


class Tree:
    """The files that belong to the project, read once."""

    def __init__(self, root, program):
        self.root, self.program = root, program
        self.findings = []
        self.rule = ""
        self.paths = sorted(self.list())
        self.texts = {}
        for path in self.paths:
            try:
                self.texts[path] = (root / path).read_text(encoding="utf-8")
            except UnicodeDecodeError:
                pass  # a fuzz corpus, a picture

    def list(self):
        if (self.root / ".git").exists():
            listed = subprocess.run(["git", "-C", self.root, "ls-files", "-z", "-co", "--exclude-standard"],
                                    capture_output=True, check=False)
            if listed.returncode == 0:
                names = listed.stdout.decode().split("\0")
                return [n for n in names if n and (self.root / n).is_file()]
        skipped = {"build", ".git", ".cache", "__pycache__"}
        return [str(p.relative_to(self.root)) for p in self.root.rglob("*")
                if p.is_file() and not skipped & set(p.relative_to(self.root).parts)]

    def find(self, path, line, text):
        self.findings.append((path, line, self.rule, text))

    def lines(self, *endings, under=("",)):
        for path, text in self.texts.items():
            if path.endswith(endings) and path.startswith(tuple(under)):
                for number, line in enumerate(text.splitlines(), 1):
                    yield path, number, line

    def files(self, *endings, under=("",)):
        return [p for p in self.texts if p.endswith(endings) and p.startswith(tuple(under))]


def is_sample(path):
    """Inputs of tests: nobody's prose or code."""
    return path.startswith("tests/fuzz/corpus/") or path.startswith("tests/data/")


@rule
def header_beside(tree):
    """Every x.c of src has x.h beside it; or it is a part, x_part.c, of an x.h beside it; or main.c, or a
    command_x.c, which commands.h declares; or what stands behind a public header, which it includes
    first. One without a header says what it is: its essay begins with its name."""
    known = set(tree.paths)
    for path in tree.files(".c", under=("src/",)):
        room, name = path.rsplit("/", 1)
        if path[:-1] + "h" in known:
            continue
        words = name[:-2].split("_")
        part_of = any(f"{room}/{'_'.join(words[:n])}.h" in known for n in range(1, len(words)))
        first = re.search(r'^#include ["<]([^">]+)', tree.texts[path], re.M)
        public = first and first.group(1).startswith("callmill/")
        if name != "main.c" and words[0] != "command" and not part_of and not public:
            tree.find(path, 1, "no header beside it, and it is no part of one")
        elif f"/* {name} — " not in "\n".join(tree.texts[path].splitlines()[:3]):
            tree.find(path, 2, f"without a header of its own it begins with the essay /* {name} — ...")


@rule
def unique_names(tree):
    """A file's name is unique in the tree, but for CMakeLists.txt, README.md and dot files."""
    places = collections.defaultdict(list)
    for path in tree.paths:
        name = path.rsplit("/", 1)[-1]
        if name not in ("CMakeLists.txt", "README.md") and not name.startswith(".") and not is_sample(path):
            places[name].append(path)
    for paths in places.values():
        for path in paths[1:]:
            tree.find(path, 1, f"the same name as {paths[0]}")


@rule
def licence_line(tree):
    """Code says its licence in the first line, scripts in the second."""
    for path, text in tree.texts.items():
        lines = text.splitlines() + ["", ""]
        script = lines[0].startswith("#!")
        if (path.endswith((".c", ".h", ".py")) or script) and not is_sample(path):
            if "SPDX-License-Identifier: Apache-2.0" not in lines[1 if script else 0]:
                tree.find(path, 2 if script else 1, "SPDX-License-Identifier is missing")


@rule
def line_length(tree):
    """No line of C is longer than 100 columns, but for rows of tables kept out of the formatter."""
    formatted = True
    for path, number, line in tree.lines(".c", ".h"):
        if "clang-format off" in line or "clang-format on" in line or number == 1:
            formatted = "clang-format off" not in line
        if formatted and len(line) > LINE_MAX:
            tree.find(path, number, f"{len(line)} columns")


def functions(text):
    """(name, first line, lines) of each function: the formatter puts its braces at column 0."""
    lines = text.splitlines()
    start = None
    for i, line in enumerate(lines):
        if line == "{":
            start = i
        elif line == "}" and start is not None:
            head = start
            while head > 0 and not re.search(r"^$|[;}]$|\*/$|^#|^//", lines[head - 1]):
                head -= 1
            signature = " ".join(lines[head:start])
            name = re.search(r"(\w+)\s*\(", signature)
            yield name.group(1) if name else "?", head + 1, i - head + 1
            start = None


def exceptions(tree):
    out = {}
    for number, line in enumerate(tree.texts.get(EXCEPTIONS, "").splitlines(), 1):
        words = line.split("#")[0].split()
        if len(words) == 2 and words[1].isdigit():
            out[words[0]] = (int(words[1]), number)
        elif words:
            tree.find(EXCEPTIONS, number, "a line is PATH LINES or PATH:FUNCTION LINES")
    return out


def sizes(tree):
    for path in tree.files(".c", ".h", under=("src/", "include/", "bench/")):
        text = tree.texts[path]
        yield path, path, 1, text.count("\n"), FILE_MAX
        for name, line, length in functions(text):
            yield f"{path}:{name}", path, line, length, FUNCTION_MAX


@rule
def size(tree):
    """In src, include and bench: a file within 600 lines, a function within 70. What is larger stands
    in exceptions.txt with its size, which may only shrink."""
    allowed = exceptions(tree)
    for key, path, line, length, limit in sizes(tree):
        most, number = allowed.pop(key, (limit, 0))
        if length > most:
            tree.find(path, line, f"{key.split(':')[-1]} has {length} lines, {most} at most")
        elif number and length <= limit:
            tree.find(EXCEPTIONS, number, f"{key} has {length} lines: take the exception out (--shrink does)")
        elif number and length < most:
            tree.find(EXCEPTIONS, number, f"{key} has shrunk to {length}: lower it (--shrink does)")
    for key, (_, number) in allowed.items():
        tree.find(EXCEPTIONS, number, f"{key} is not there any more: take it out (--shrink does)")


def shrink(tree):
    now = {key: (length, limit) for key, _, _, length, limit in sizes(tree)}
    kept = []
    for line in tree.texts.get(EXCEPTIONS, "").splitlines():
        words = line.split("#")[0].split()
        if len(words) == 2:
            length, limit = now.get(words[0], (0, 1))
            if length <= limit:
                continue
            line = f"{words[0]} {min(length, int(words[1]))}"
        kept.append(line)
    (tree.root / EXCEPTIONS).write_text("\n".join(kept) + "\n", encoding="utf-8")


@rule
def left_over(tree):
    """No notes to oneself, no paths of one machine."""
    words = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX)\b")
    places = re.compile(r"(?<![\w.$}])/(wo" + r"rk|ro" + r"ot|ho" + r"me)/")
    for path, number, line in tree.lines(""):
        if is_sample(path) or path == "LICENSE":
            continue
        for pattern in (words, places):
            found = pattern.search(line)
            if found:
                tree.find(path, number, f"`{found.group(0)}`")


@rule
def fences(tree):
    """No stand-alone fence: order belongs to the atomic object, where ThreadSanitizer sees it."""
    for path, number, line in tree.lines(".c", ".h"):
        if re.search(r"\b(atomic_thread_fence|atomic_signal_fence|__sync_synchronize|__atomic_thread_fence)\b", line):
            tree.find(path, number, "stand-alone fence")


@rule
def memory_orders(tree):
    """Every memory order has a comment near it (8 lines above up to 1 below): an acquire or release
    `pairs with` its partner, a relaxed access says why that is enough after `relaxed:`. A comment may
    speak for the accesses of its function."""
    for path in tree.files(".c", ".h", under=("src/", "include/")):
        lines = tree.texts[path].splitlines()
        for i, line in enumerate(lines):
            if "memory_order_" not in line:
                continue
            near = " ".join(lines[max(0, i - 8):i + 2])
            if not re.search(r"\bpairs with\b|\brelaxed:", near):
                kind = re.search(r"memory_order_(\w+)", line).group(1)
                tree.find(path, i + 1, f"{kind} without `pairs with X` or `relaxed: why` beside it")


@rule
def prefetches(tree):
    """__builtin_prefetch only in base/compiler.h: a compiler takes a function that does nothing else
    for one without effect, and leaves out its calls. cm_prefetch() stays."""
    for path, number, line in tree.lines(".c", ".h", under=("src/", "include/", "bench/")):
        if "__builtin_prefetch(" in line and path != "src/base/compiler.h":
            tree.find(path, number, "cm_prefetch() of base/compiler.h in place of __builtin_prefetch()")


def rooms(tree):
    needs = {}
    for path in tree.files("CMakeLists.txt", under=("src/",)):
        text = re.sub(r"#.*", "", tree.texts[path])
        for body in re.findall(r"cm_room\(([^)]*)\)", text):
            words = body.split()
            wanted, keyword = [], ""
            for word in words[1:]:
                if word in ("SOURCES", "NEEDS", "LIBS"):
                    keyword = word
                elif keyword == "NEEDS":
                    wanted.append(word)
            needs[words[0]] = wanted
    return needs


@rule
def includes(tree):
    """A room includes itself and the rooms that it NEEDS, by room/file.h; the file is there."""
    known, needs = set(tree.paths), rooms(tree)
    for path, number, line in tree.lines(".c", ".h", under=("src/", "include/", "tests/", "bench/")):
        found = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if not found:
            continue
        name = found.group(1)
        if not any(f"{base}{name}" in known for base in ("", "src/", "include/", "tests/", path.rsplit("/", 1)[0] + "/")):
            tree.find(path, number, f"{name} is not in the tree")
            continue
        room = path.split("/")[1]
        if path.startswith("src/") and "/" not in name:
            tree.find(path, number, f"{name} without its room")
        elif path.startswith("src/"):
            other = name.split("/")[0]
            if room not in needs:
                tree.find(path, number, f"src/{room}/CMakeLists.txt declares no room {room}")
            elif other not in [room, "callmill", *needs[room]]:
                tree.find(path, number, f"room {room} does not need {other}")


@rule
def guards(tree):
    """An include guard is CM_ and the path: src/base/text.h has CM_BASE_TEXT_H. Public headers are
    named as they are included: CALLMILL_CALLMILL_H."""
    for path in tree.files(".h"):
        words = path.removeprefix("src/").removeprefix("include/")
        wanted = re.sub(r"\W", "_", words).upper()
        wanted = wanted if path.startswith("include/") else f"CM_{wanted}"
        text = tree.texts[path]
        found = re.search(r"^#ifndef (\w+)\n#define (\w+)\n", text, re.M)
        if not found and "X(" in text and "#ifndef" not in text:
            continue  # a table, included on purpose more than once
        if not found or found.group(1) != wanted or found.group(2) != wanted:
            tree.find(path, text[:found.start()].count("\n") + 1 if found else 1, f"the guard is {wanted}")


@rule
def generated_pages(tree):
    """Generated pages are fresh. Only with --program."""
    if tree.program is None:
        return
    for page, path in PAGES.items():
        made = subprocess.run([tree.program, "reference", page], capture_output=True, check=False)
        remedy = f"callmill reference {page} > {path}"
        if made.returncode != 0:
            tree.find(path, 1, f"`callmill reference {page}` fails: {made.stderr.decode().strip()}")
        elif path not in tree.texts:
            tree.find(path, 1, f"is missing: {remedy}")
        elif made.stdout.decode() != tree.texts[path]:
            pairs = zip(made.stdout.decode().splitlines(), tree.texts[path].splitlines())
            line = next((n for n, (a, b) in enumerate(pairs, 1) if a != b), 1)
            tree.find(path, line, f"is stale: {remedy}")


def anchors(text):
    out = collections.Counter()
    names = set()
    for line in re.sub(r"^```.*?^```", "", text, flags=re.M | re.S).splitlines():
        heading = re.match(r"#{1,6}\s+(.*?)\s*#*$", line)
        if heading:
            name = re.sub(r"[^\w\- ]", "", heading.group(1).lower()).replace(" ", "-")
            names.add(name if out[name] == 0 else f"{name}-{out[name]}")
            out[name] += 1
        names.update(re.findall(r'<a (?:id|name)="([^"]+)"', line))
    return names


@rule
def links(tree):
    """Links of Markdown pages lead to files and headings that are there."""
    for path, number, line in tree.lines(".md"):
        for target in re.findall(r"\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)", re.sub(r"`[^`]*`", "", line)):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            place = (tree.root / path).parent / name if name else tree.root / path
            if name.startswith("/") or not place.exists():
                tree.find(path, number, f"{target} leads nowhere")
            elif anchor and place.suffix == ".md" and anchor not in anchors(place.read_text(encoding="utf-8")):
                tree.find(path, number, f"{target}: no such heading")


@rule
def settings_documented(tree):
    """Every setting stands in docs/settings.md."""
    table, page = "src/config/settings_table.h", "docs/settings.md"
    for path, number, line in tree.lines(table):
        found = re.match(r'\s*X\("([^"]+)"', line)
        if found and f"`{found.group(1)}`" not in tree.texts.get(page, ""):
            tree.find(path, number, f"{page} lacks {found.group(1)}")


@rule
def executable(tree):
    """What begins with #! can be run, and what lies in scripts/ and .ci/ begins with it."""
    for path, text in tree.texts.items():
        runs = (tree.root / path).stat().st_mode & 0o111
        if text.startswith("#!") and not runs:
            tree.find(path, 1, "chmod +x")
        if re.match(r"(scripts|\.ci)/[^/]+$", path) and not text.startswith("#!"):
            tree.find(path, 1, "a script begins with #!")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2])
    parser.add_argument("--program")
    parser.add_argument("--only", default="")
    parser.add_argument("--shrink", action="store_true")
    arguments = parser.parse_args()
    wanted = [name for name in arguments.only.split(",") if name] or list(RULES)
    unknown = [name for name in wanted if name not in RULES]
    if unknown:
        parser.error(f"no rule {unknown[0]}; there are {', '.join(RULES)}")
    tree = Tree(arguments.root, arguments.program)
    if arguments.shrink:
        shrink(tree)
        tree = Tree(arguments.root, arguments.program)
    for name in wanted:
        tree.rule = name
        RULES[name](tree)
    for path, line, name, text in sorted(tree.findings):
        print(f"{path}:{line}: {name}: {text}")
    print(f"tidy: {len(tree.paths)} files, {len(wanted)} rules, {len(tree.findings)} findings")
    return 1 if tree.findings else 0


sys.exit(main())
