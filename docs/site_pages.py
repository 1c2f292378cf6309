#!/usr/bin/env python3
"""Makes the Markdown pages fit for doxygen, and checks the site that comes of them; scripts/docs runs it.

    docs/site_pages.py page FILE     doxygen's input filter: the page with its headings named and its links resolved
    docs/site_pages.py list          the pages outside docs/ that belong to the site
    docs/site_pages.py layout        doxygen's layout file: a tree that is like docs/index.md, its headings with their links
    docs/site_pages.py check FOLDER  fails for a link in the HTML files of FOLDER that leads nowhere

The pages are plain Markdown, as it is read in a repository. A link to another page or to a public header becomes one
to that page of the site; one to another file of the repository becomes plain text, since the site does not have it;
one to a file or heading that does not exist is an error.
"""
import functools
import html.parser
import os
import re
import sys
import urllib.parse
from xml.sax.saxutils import quoteattr

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OUTSIDE = ["c-examples/README.md", "bindings/kotlin/README.md", "bindings/swift/README.md", "packaging/README.md", "benches/README.md"]
# What doxygen can highlight; it would take the others for C.
HIGHLIGHTED = {"c": "c", "cpp": "cpp", "python": "py"}
FENCE = re.compile(r"^(\s*)(```+)\s*([\w+-]*)\s*$")
HEADING = re.compile(r"^(#{1,6}) +(.*?)\s*$")
CODE = re.compile(r"`([^`]+)`")
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")


def outside():
    return [path for path in OUTSIDE if os.path.exists(os.path.join(ROOT, path))]


def label(path):
    """The name of a page: docs/fleet.md is fleet, bindings/kotlin/README.md is kotlin."""
    folder, name = os.path.split(path)
    return os.path.basename(folder) if name == "README.md" else name[: -len(".md")]


def pages():
    """All pages of the site."""
    return sorted(os.path.join("docs", name) for name in os.listdir(os.path.join(ROOT, "docs")) if name.endswith(".md")) + outside()


def title(path):
    return next(heading.group(2) for heading in map(HEADING.match, read(path).split("\n")) if heading).replace("`", "")


def slug(heading):
    """As GitHub names a heading."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def lines_of(text):
    """Each line, and whether it is inside a fenced block (the fences themselves are)."""
    fence = None
    for line in text.split("\n"):
        found = FENCE.match(line)
        if fence is None and found:
            fence = found.group(2)
            yield line, True
        elif fence is not None:
            if line.strip() == fence:
                fence = None
            yield line, True
        else:
            yield line, False


def slugs(text):
    seen, found = {}, []
    for line, code in lines_of(text):
        heading = None if code else HEADING.match(line)
        if heading:
            name = slug(heading.group(2))
            count = seen.get(name, 0)
            seen[name] = count + 1
            found.append(f"{name}-{count}" if count else name)
    return found


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def resolve(page, target):
    """The file and the heading that a link in a page leads to; raises ValueError where there is none."""
    path, _, fragment = target.partition("#")
    path = os.path.normpath(os.path.join(os.path.dirname(page), urllib.parse.unquote(path))) if path else page
    if path.startswith("..") or not os.path.exists(os.path.join(ROOT, path)):
        raise ValueError(f"{page}: the link to {target} leads nowhere")
    if fragment and (not path.endswith(".md") or fragment not in slugs(read(path))):
        raise ValueError(f"{page}: the link to {target} leads to no heading")
    return path, fragment


@functools.lru_cache
def names_of_the_header():
    """What a page may name in code, to become a link: functions, types and values of C."""
    header = read("include/gecko_mqtt.h")
    names = set(re.findall(r"\b(gecko_mqtt_\w+)\(", header)) | set(re.findall(r"^} (gecko_mqtt_\w+_t);", header, re.M))
    return names | set(re.findall(r"^#define (GECKO_MQTT_\w+) \d", header, re.M))


def is_remote(target):
    return bool(re.match(r"[a-z][a-z0-9+.-]*:", target))


def links(page):
    """The relative links of a page."""
    for line, code in lines_of(read(page)):
        if not code:
            for _, _, target in LINK.findall(re.sub(r"`[^`]*`", "", line)):
                if not is_remote(target):
                    yield target


class Page:
    """A page on its way to doxygen."""

    def __init__(self, path):
        self.path, self.label = path, label(path)

    def link(self, found):
        image, text, target = found.groups()
        if image or is_remote(target):
            return found.group(0)
        path, fragment = resolve(self.path, target)
        text = text.replace("`", "") if path in pages() or path.startswith("include/") else text
        if path.startswith("include/") and os.path.isfile(os.path.join(ROOT, path)):
            return f"[{text}](@ref {os.path.basename(path)})"
        if path == "README.md":
            return f"[{text}](@ref index)"
        if path not in pages():
            return text
        name = label(path)
        return f"[{text}](@ref {name}{'-' + fragment if fragment and name != 'index' else ''})"

    def code(self, found):
        name = found.group(1)
        return f'<code>@ref {name} "{name}"</code>' if name in names_of_the_header() else found.group(0)

    def prose(self, line):
        line = re.sub(r"<!--.*?-->", "", line)
        # What stands between links: a name in the text of a link is part of that link.
        out, end = [], 0
        for found in LINK.finditer(line):
            out += [CODE.sub(self.code, line[end : found.start()]), self.link(found)]
            end = found.end()
        line = "".join(out) + CODE.sub(self.code, line[end:])
        # doxygen sees no ** beside a tag.
        return re.sub(r"\*\*([^*]+)\*\*", r"<b>\1</b>", line)

    def written(self):
        text = read(self.path)
        names, out, comment = iter(slugs(text)), [], False
        opened = False
        for line, code in lines_of(text):
            fence = FENCE.match(line) if code else None
            heading = None if code else HEADING.match(line)
            if fence and not opened:
                language = HIGHLIGHTED.get(fence.group(3), "unparsed")
                line, opened = f"{fence.group(1)}{fence.group(2)}{{.{language}}}", True
            elif fence:
                opened = False
            elif heading:
                name, title = next(names), self.prose(heading.group(2))
                name = self.label if heading.group(1) == "#" else f"{self.label}-{name}"
                # The main page has a name of its own.
                name = "mainpage" if name == "index" else name
                first = heading.group(1) == "#" and self.label != "index"
                line = f"{heading.group(1)} {title} {{#{name}}}"
                # Where a phone has no tree.
                line += '\n\n<div class="home">@ref index "Overview"</div>\n' if first else ""
            elif not code:
                comment = comment or line.startswith("<!--")
                ends = comment and "-->" in line
                line = "" if comment else self.prose(line)
                comment = comment and not ends
            out.append(line)
        return "\n".join(out)


def layout():
    """The tree beside the pages."""
    out = ['<doxygenlayout version="1.0">', "<navindex>", '<tab type="mainpage" visible="yes" title="Overview"/>']
    group, there = None, {"index"}
    for line, code in lines_of(read("docs/index.md")):
        heading = None if code else HEADING.match(line)
        if heading and heading.group(1) == "##":
            out += ["</tab>"] if group else []
            group = heading.group(2)
            out.append(f'<tab type="usergroup" url="[none]" title={quoteattr(group)}>')
        elif group and line.startswith("- "):
            for _, text, target in LINK.findall(line):
                path, _ = resolve("docs/index.md", target)
                name = os.path.basename(path) if path.startswith("include/") else label(path)
                out.append(f'<tab type="user" url="@ref {name}" title={quoteattr(text)}/>')
                there.add(name)
    out.append("</tab>")
    rest = [path for path in pages() if label(path) not in there]
    if rest:
        out.append('<tab type="usergroup" url="[none]" title="More">')
        out += [f'<tab type="user" url="@ref {label(path)}" title={quoteattr(title(path))}/>' for path in rest]
        out.append("</tab>")
    out += ['<tab type="pages" visible="no"/>', '<tab type="namespaces" visible="no"/>', '<tab type="files" visible="no"/>']
    out += ['<tab type="classes" visible="yes" title="Types"><tab type="classlist" visible="yes" title="All types"/></tab>']
    return "\n".join(out + ["</navindex>", "</doxygenlayout>"])


class Html(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.names, self.targets = set(), []

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("id", "name") and value:
                self.names.add(value)
            elif name in ("href", "src", "data") and value:
                self.targets.append(value)


def check(folder):
    pages = {}
    for name in sorted(os.listdir(folder)):
        if name.endswith(".html"):
            pages[name] = Html()
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                pages[name].feed(file.read())
    wrong, count = [], 0
    for name, page in pages.items():
        for target in page.targets:
            if is_remote(target) or target in ("#", "index.html#"):
                continue
            count += 1
            path, _, fragment = target.partition("#")
            path = urllib.parse.unquote(path.partition("?")[0]) or name
            if not os.path.exists(os.path.join(folder, path)):
                wrong.append(f"{name}: {target} is not there")
            elif fragment and path in pages and urllib.parse.unquote(fragment) not in pages[path].names:
                wrong.append(f"{name}: {target}: there is no such place")
    for line in wrong:
        print(line, file=sys.stderr)
    if wrong:
        sys.exit(1)
    print(f"{len(pages)} pages, {count} links, all of them lead somewhere")


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "page":
        path = os.path.relpath(os.path.abspath(sys.argv[2]), ROOT)
        try:
            print(Page(path).written())
        except ValueError as error:
            # doxygen does not look at the status of a filter, but warns of what it cannot resolve.
            print(f"@ref no_such_page\n\n{error}")
            print(error, file=sys.stderr)
            sys.exit(1)
    elif sys.argv[1:] == ["list"]:
        print(" ".join(outside()))
    elif sys.argv[1:] == ["layout"]:
        print(layout())
    elif len(sys.argv) == 3 and sys.argv[1] == "check":
        check(sys.argv[2])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
