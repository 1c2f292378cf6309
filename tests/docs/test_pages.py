"""What the pages say, held against the headers: nothing missing, nothing that is not there."""
import json
import os
import re
import shutil
import subprocess
import sys
import unittest

import samples

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "docs"))
import site_pages as site  # noqa: E402


def tables(page):
    """The cells of each row of a page's tables."""
    for line, code in site.lines_of(site.read(page)):
        if not code and line.startswith("|"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def codes(text):
    return re.findall(r"`([^`]+)`", text)


class Statuses(unittest.TestCase):
    def test_each_has_its_row_with_a_cause_and_advice(self):
        header = re.findall(r"^#define GECKO_MQTT_ERR_(\w+) (\d+)$", site.read("include/gecko_mqtt.h"), re.M)
        rows = [cells for cells in tables("docs/errors.md") if cells[0].isdigit()]
        self.assertEqual([(codes(cells[1])[0], cells[0]) for cells in rows], header)
        for cells in rows:
            self.assertEqual(len(cells), 4, cells)
            self.assertTrue(all(cells), cells)

    def test_names_without_a_prefix_exist(self):
        header = site.read("include/gecko_mqtt.h")
        short = set(re.findall(r"^#define GECKO_MQTT_(?:ERR_|STATE_|EVENT_)(\w+) \d+$", header, re.M))
        for page in ("docs/troubleshooting.md", "docs/states.md", "docs/from-python.md"):
            for cells in tables(page):
                for name in codes(cells[0]):
                    if re.fullmatch(r"[A-Z_]+", name):
                        self.assertIn(name, short, page)


class Options(unittest.TestCase):
    def setUp(self):
        self.header = set(re.findall(r"\bgecko_mqtt_options_set_(\w+)\(struct", site.read("include/gecko_mqtt.h")))

    def test_each_has_its_row_with_default_range_and_meaning(self):
        rows = [cells for cells in tables("docs/options.md") if codes(cells[0])]
        named = [name for cells in rows for name in codes(cells[0])]
        self.assertEqual(sorted(named), sorted(self.header))
        for cells in rows:
            self.assertTrue(len(cells) == 4 and cells[1] and cells[3], cells)

    def test_defaults_are_those_of_the_header(self):
        header = site.read("include/gecko_mqtt.h")
        for cells in tables("docs/options.md"):
            name = (codes(cells[0]) or [""])[0]
            comment = re.search(rf"/\*\*((?:(?!\*/).)*)\*/\ngecko_mqtt_status_t gecko_mqtt_options_set_{name}\(", header, re.S)
            if name and comment:
                given = re.findall(r"\((\d+(?:\.\d+)?|true|false)\)", comment.group(1))
                # "true (the default)" is said elsewhere; the numbers in brackets are all of a row's.
                self.assertEqual([value for value in given if value not in re.split(r", ", cells[1])], [], name)

    def test_those_that_other_pages_name_exist(self):
        for page in ("docs/from-python.md", "docs/from-paho.md", "docs/troubleshooting.md"):
            for name in re.findall(r"`gecko_mqtt_options_set_(\w+)", site.read(page)):
                self.assertIn(name, self.header | {""}, page)


class Names(unittest.TestCase):
    def test_of_this_library_exist(self):
        header = site.read("include/gecko_mqtt.h") + site.read("bindings/kotlin/README.md")
        known = set(re.findall(r"\b(?:gecko_mqtt|GECKO_MQTT)_\w+", header))
        for page in site.pages():
            text = "".join(line + "\n" for line, code in site.lines_of(site.read(page)) if not code)
            for name in re.findall(r"`((?:gecko_mqtt|GECKO_MQTT)_\w+)", text):
                whole = name in known or name.endswith("_") or name.startswith(("gecko_mqtt_android", "GECKO_MQTT_LIBRARY"))
                self.assertTrue(whole or is_ours(name), f"{page}: {name}")

    def test_of_libmosquitto_exist(self):
        self.compare("docs/from-mosquitto.md", r"`?\b((?:mosquitto_|MOSQ_)\w+)", ["mosquitto.h"])

    def test_of_paho_exist(self):
        self.compare("docs/from-paho.md", r"\b(MQTTA(?:sync|SYNC)_\w+)", ["MQTTAsync.h"])

    def test_of_awscrt_exist(self):
        try:
            import awscrt.mqtt5 as mqtt5
        except ImportError:
            self.skipTest("awscrt is not there")
        with open(mqtt5.__file__, encoding="utf-8") as file:
            text = file.read()
        for cells in tables("docs/from-python.md"):
            for name in codes(cells[0]):
                last = re.sub(r"\(.*", "", name).split(".")[-1]
                if re.fullmatch(r"[a-z_]{5,}|[A-Z][a-z]\w+", last) and last != "awscrt":
                    self.assertRegex(text, rf"\b{last}\b")

    def compare(self, page, pattern, headers):
        folder = "/usr/include"
        if not all(os.path.exists(os.path.join(folder, name)) for name in headers):
            self.skipTest(f"{headers[0]} is not there")
        known = ""
        for name in headers:
            with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
                known += file.read()
        for name in set(re.findall(pattern, site.read(page))):
            self.assertRegex(known, rf"\b{name}\b", page)


def is_ours(name):
    """In the sources, a script or CMake: an environment variable, a CMake option, a doctor's name."""
    return subprocess.run(["git", "-C", ROOT, "grep", "-qw", name, "--", ":!*.md"], check=False).returncode == 0


class Links(unittest.TestCase):
    def test_lead_somewhere(self):
        for page in site.pages() + ["README.md"]:
            for target in site.links(page):
                site.resolve(page, target)

    def test_there_are_some(self):
        self.assertGreater(len(list(site.links("docs/index.md"))), 10)
        with self.assertRaises(ValueError):
            site.resolve("docs/index.md", "options.md#no-such-heading")
        with self.assertRaises(ValueError):
            site.resolve("docs/index.md", "no-such-page.md")


class Samples(unittest.TestCase):
    def test_json_is_json(self):
        found = [(page, first, text) for page, language, first, text in every_block() if language == "json"]
        self.assertGreater(len(found), 1)
        for page, first, text in found:
            with self.subTest(f"{page}:{first}"):
                json.loads(text)

    def test_shell_can_be_read(self):
        bash = shutil.which("bash")
        for page, language, first, text in every_block():
            if language == "sh":
                said = subprocess.run([bash, "-n"], input=text, capture_output=True, text=True, check=False)
                self.assertEqual((said.returncode, said.stderr), (0, ""), f"{page}:{first}")

    def test_python_compiles(self):
        for page, language, first, text in every_block():
            if language == "python":
                compile(text, f"{page}:{first}", "exec")

    def test_each_language_is_checked_somewhere(self):
        # Kotlin's and Swift's are in the bindings and compiled there; XML, CMake and text show what others read.
        known = {"c", "cpp", "json", "sh", "python", "kotlin", "swift", "cmake", "xml", "text", "toml", "groovy", "ini", "bitbake"}
        for page, language, first, _ in every_block():
            self.assertIn(language, known, f"{page}:{first}: mark what it is, so that it is checked")

    def test_fragments_are_split(self):
        outside, inside = samples.split("static int f(void) {\n    return 1;\n}\n\nf();\n#define A 1\n")
        self.assertEqual(outside.split(), "static int f(void) { return 1; } #define A 1".split())
        self.assertEqual(inside.split(), ["f();"])


def every_block():
    for page in site.pages() + ["README.md"]:
        for language, first, text in samples.blocks(os.path.join(ROOT, page)):
            yield page, language, first, text


if __name__ == "__main__":
    unittest.main()
