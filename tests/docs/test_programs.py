"""The programs of docs/getting-started.md, run as it says: against the simulator."""
import glob
import os
import subprocess
import tempfile
import unittest

PROGRAMS = os.environ.get("GECKO_DOCS_PROGRAMS")
SIMULATOR = os.environ.get("GECKO_IOT_SIM")
PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/getting-started.md")


@unittest.skipUnless(PROGRAMS and SIMULATOR, "ctest runs this")
class Programs(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.simulator = subprocess.Popen(
            [SIMULATOR, "--dir", folder.name, "--stop-on-stdin-eof"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.addCleanup(self.simulator.communicate)
        self.assertRegex(self.simulator.stdout.readline(), "^gecko-iot-sim ready ")
        with open(os.path.join(folder.name, "broker-url.txt"), encoding="utf-8") as file:
            url = file.read().strip()
        self.environment = {**os.environ, "BROKER_URL": url, "CA_FILE": os.path.join(folder.name, "ca.pem")}

    def run_program(self, pattern, **environment):
        [program] = glob.glob(os.path.join(PROGRAMS, pattern))
        return subprocess.run(
            [program], env={**self.environment, **environment}, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
        )

    def test_print_what_the_page_says(self):
        with open(PAGE, encoding="utf-8") as file:
            _, _, rest = file.read().partition("It prints:\n\n```text\n")
        wanted = rest.partition("```")[0].splitlines()
        self.assertEqual(len(wanted), 4)
        for pattern in ("getting-started-*.c.program", "getting-started-*.cpp.program"):
            [program] = glob.glob(os.path.join(PROGRAMS, pattern))
            # On a terminal it prints line by line; Enter is pressed when the message is there.
            ours, theirs = os.openpty()
            with subprocess.Popen([program], env=self.environment, stdin=subprocess.PIPE, stdout=theirs, stderr=theirs) as ran:
                os.close(theirs)
                printed = b""
                while printed.count(b"\n") < len(wanted):
                    printed += os.read(ours, 4096)
                ran.stdin.close()
                self.assertEqual(ran.wait(60), 0)
            os.close(ours)
            # Two threads print, whose lines may come into each other: all that is said has to be there.
            lines = printed.decode().splitlines()
            self.assertEqual(sorted("".join(lines)), sorted("".join(wanted)), printed)

    def test_say_what_is_wrong(self):
        for pattern in ("getting-started-*.c.program", "getting-started-*.cpp.program"):
            ran = self.run_program(pattern, CA_FILE="/nonexistent")
            self.assertEqual(ran.returncode, 1)
            self.assertIn("/nonexistent", ran.stderr)


if __name__ == "__main__":
    unittest.main()
