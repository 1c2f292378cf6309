#!/usr/bin/env python3
"""Makes sources of the code samples in Markdown pages, so that they are compiled as they stand.

    samples.py FOLDER PAGE...    writes PAGE-LINE.c and PAGE-LINE.cpp into FOLDER, and prints their paths

A block marked ```c or ```cpp with a main in it is a program, and is taken as it is. Every other one is a fragment: what
begins at the left margin with `static`, `struct`, `typedef` or `#` stays outside of a function, up to the line that ends
it; the rest becomes the body of a function that has a `client` and `options` (in C++ references to both), unless the
fragment declares them. tests/docs/prelude.h and .hpp are included before it.
"""
import os
import re
import sys

FENCE = re.compile(r"^(\s*)```+\s*([\w+-]*)\s*$")
OUTSIDE = re.compile(r"(static|struct|typedef) |#")
HERE = os.path.dirname(os.path.abspath(__file__))


def blocks(path):
    """Language, number of the first line, and text of each fenced block."""
    language, first, indent, lines = None, 0, "", []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file.read().split("\n"), 1):
            fence = FENCE.match(line)
            if language is None and fence:
                language, first, indent, lines = fence.group(2), number + 1, fence.group(1), []
            elif fence:
                yield language, first, "\n".join(lines) + "\n"
                language = None
            elif language is not None:
                lines.append(line[len(indent) :] if line.startswith(indent) else line)
    if language is not None:
        raise ValueError(f"{path}:{first}: a block without an end")


def is_program(text):
    return re.search(r"^int main\(", text, re.M) is not None


def split(text):
    """What belongs outside of a function, and what inside; each keeps its line, for the compiler's messages."""
    outside, inside, open_ = [], [], False
    for line in text.split("\n"):
        begins = not open_ and OUTSIDE.match(line)
        (outside if open_ or begins else inside).append(line)
        (inside if open_ or begins else outside).append("")
        if begins:
            open_ = not (line.startswith("#") or (line.rstrip().endswith(";") and "{" not in line))
        elif open_ and line.startswith("}"):
            open_ = False
    return "\n".join(outside), "\n".join(inside)


def source(path, language, first, text):
    # The compiler then names the page and its line.
    where = f'#line {first} "{path}"\n'
    if is_program(text):
        return where + text
    outside, inside = split(text)
    kinds = {"c": ("gecko_mqtt_%s_t *", ""), "cpp": ("gecko::mqtt::%s &", "prelude.hpp")}
    kind = kinds[language][0]
    parameters, used = [], []
    for name in ("client", "options"):
        if not re.search(rf"[*& ]{name}( =|\(|;)", inside):
            parameters.append((kind % (name.capitalize() if language == "cpp" else name)) + name)
            used.append(f"(void){name};")
    prelude = os.path.join(HERE, "prelude.hpp" if language == "cpp" else "prelude.h")
    function = f"int gecko_docs_sample({', '.join(parameters) or 'void'})"
    return (
        f'#include "{prelude}"\n{where}{outside}\n{function};\n{function} {{\n{" ".join(used)}\n'
        f"{where}{inside}\nreturn 0;\n}}\n"
    )


def main():
    folder, pages = sys.argv[1], sys.argv[2:]
    os.makedirs(folder, exist_ok=True)
    for path in pages:
        parent, name = os.path.split(os.path.relpath(os.path.abspath(path), os.path.join(HERE, "../..")))
        name = name[: -len(".md")] if name != "README.md" else "-".join(filter(None, [os.path.basename(parent), "readme"]))
        for language, first, text in blocks(path):
            if language in ("c", "cpp"):
                target = os.path.join(folder, f"{name}-{first}.{language}")
                made = source(os.path.abspath(path), language, first, text)
                if not os.path.exists(target) or open(target, encoding="utf-8").read() != made:
                    with open(target, "w", encoding="utf-8") as file:
                        file.write(made)
                print(target)


if __name__ == "__main__":
    main()
