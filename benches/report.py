#!/usr/bin/env python3
"""Makes RESULTS.md of what benches/run has measured: report.py [--alone] FOLDER"""

import json
import statistics
import sys
from pathlib import Path

OURS = "gecko"
AWS = "aws-c-mqtt"

# Figures of another machine, by which aws-c-mqtt, the client in C, is judged where it did not run. What libmosquitto
# did there and does here says how fast this machine is, next to that one.
AWS_C = {
    # case: (figure, aws-c-mqtt's there, case of libmosquitto, its figure there)
    ("connect plain", "p50_ms"): (0.16, "connect tls", 1.97),
    ("pub sink q0 64", "msgs_s"): (761e3, "pub sink q0 1024", 251e3),
    ("pub sink q0 64", "cpu_us_msg"): (1.8, "pub sink q0 1024", 4.8),
    ("pub sink q1 64", "msgs_s"): (506e3, "pub sink q0 1024", 251e3),
    ("pub sink q1 64", "cpu_us_msg"): (2.6, "pub sink q0 1024", 4.8),
    ("pub sink q1 1024", "msgs_s"): (199e3, "pub sink q0 1024", 251e3),
    ("pub sink q1 1024", "cpu_us_msg"): (6.4, "pub sink q0 1024", 4.8),
    ("pub sink tls q0 1024", "msgs_s"): (241e3, "pub sink q0 1024", 251e3),
    ("pub sink tls q1 1024", "msgs_s"): (153e3, "pub sink q0 1024", 251e3),
    ("recv sink q0 64", "msgs_s"): (5.2e6, "recv sink tls q0 1024", 934e3),
    ("recv sink q1 64", "msgs_s"): (764e3, "recv sink tls q0 1024", 934e3),
    ("recv sink q0 1024", "msgs_s"): (1.46e6, "recv sink tls q0 1024", 934e3),
    ("recv sink q1 1024", "msgs_s"): (611e3, "recv sink tls q0 1024", 934e3),
    ("recv sink tls q1 1024", "msgs_s"): (387e3, "recv sink tls q0 1024", 934e3),
}

# what, our case, the peers' case, figure, at least (>=) or at most (<=) so many times the best peer's
RATIOS = [
    ("connect, plain, p50 ms", "connect plain", None, "p50_ms", "<=", 1.0),
    ("connect, TLS, p50 ms", "connect tls", None, "p50_ms", "<=", 0.8),
    ("round trip QoS 1, plain, p50 µs", "rtt broker plain +nd", None, "p50_us", "<=", 0.9),
    ("round trip QoS 1, plain, p99 µs", "rtt broker plain +nd", None, "p99_us", "<=", 0.9),
    ("round trip QoS 1, TLS, p50 µs", "rtt broker tls +nd", None, "p50_us", "<=", 0.9),
    ("round trip QoS 1, TLS, p99 µs", "rtt broker tls +nd", None, "p99_us", "<=", 0.9),
]
for _size, _name in ((64, "64 B"), (1024, "1 KiB")):
    for _qos in (0, 1):
        _case = f"pub sink q{_qos} {_size}"
        RATIOS += [
            (f"publish {_name} QoS {_qos}, messages/s", _case, None, "msgs_s", ">=", 1.3),
            (f"publish {_name} QoS {_qos}, CPU µs each", _case, None, "cpu_us_msg", "<=", 0.7),
        ]
RATIOS += [
    (f"publish 16 KiB QoS {_qos}, messages/s", f"pub sink q{_qos} 16384", None, "msgs_s", ">=", 1.2)
    for _qos in (0, 1)
]
RATIOS += [
    (f"publish 1 KiB over TLS QoS {_qos}, messages/s", f"pub sink tls q{_qos} 1024", None, "msgs_s", ">=", 1.2)
    for _qos in (0, 1)
]
RATIOS += [
    (f"receive {_name} QoS {_qos}, messages/s", f"recv sink {_case}", None, "msgs_s", ">=", 1.2 if _qos else 1.0)
    for _name, _plain in (("64 B", "q{} 64"), ("1 KiB", "q{} 1024"), ("1 KiB over TLS", "tls q{} 1024"))
    for _qos in (0, 1)
    for _case in (_plain.format(_qos),)
]
RATIOS += [
    ("RSS with 1 idle client, kB", "idle plain 1", None, "rss_kb", "<=", 1.0),
    ("RSS with 100 idle clients over TLS, kB", "idle tls 100", None, "rss_kb", "<=", 0.7),
]

# what, our case, figure, at most
LIMITS = [
    ("RSS with 1,000 idle clients, kB", "idle plain 1000", "rss_kb", 8192),
    ("threads with 1 idle client", "idle plain 1", "threads", 3),
    ("threads with 100 idle clients over TLS", "idle tls 100", "threads", 3),
    ("threads with 1,000 idle clients", "idle plain 1000", "threads", 3),
    ("size with all it needs but libc, stripped, bytes", "size", "total_stripped", 2_200_000),
]


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def number(value):
    if value is None:
        return "–"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def table(head, rows):
    out = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return "\n".join(out + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows])


class Results:
    def __init__(self, folder):
        self.machine = json.loads((folder / "machine.json").read_text())
        self.cells = {(line["case"], line["peer"]): line for line in lines(folder / "medians.jsonl")}
        self.raw = lines(folder / "raw.jsonl")
        self.own = lines(folder / "own.jsonl")
        self.peers = [p for p in dict.fromkeys(peer for _, peer in self.cells) if p != OURS]
        self.aws_ran = any(cell.get("runs") for (_, peer), cell in self.cells.items() if peer == AWS)

    def get(self, case, figure, peer=OURS):
        cell = self.cells.get((case, peer), {})
        # Who lost messages on the way has not done the work.
        return None if cell.get("lost") or cell.get("timeout") or cell.get("failed") else cell.get(figure)

    def mine(self, name, peer=OURS):
        return [line["figures"] for line in self.own if line["name"] == name and line["peer"] == peer]

    def best(self, case, figure, sign):
        """The best peer's figure, and who it is."""
        found = [(self.get(case, figure, peer), peer) for peer in self.peers]
        if not self.aws_ran:
            found += [(self.estimate(case, figure), f"{AWS}, estimated")]
        found = [(value, peer) for value, peer in found if value]
        return (max if sign == ">=" else min)(found, default=(None, "–"))

    def estimate(self, case, figure):
        there, reference, libmosquitto_there = AWS_C.get((case, figure), (None, None, None))
        here = self.get(reference, figure, "mosquitto") if reference else None
        return there * here / libmosquitto_there if here else None


def verdict(won):
    return "won" if won else "**lost**"


def goals(results):
    rows = []
    for what, case, peers_case, figure, sign, factor in RATIOS:
        value = results.get(case, figure)
        peer, name = results.best(peers_case or case, figure, sign)
        ratio = value / peer if value and peer else None
        won = ratio is not None and (ratio >= factor if sign == ">=" else ratio <= factor)
        sign = {">=": "≥", "<=": "≤"}[sign]
        peer = f"{number(peer)} ({name})"
        rows.append([what, f"{sign} {factor} ×", number(value), peer, f"{number(ratio)} ×", verdict(won)])
    for what, case, figure, limit in LIMITS:
        value = results.get(case, figure)
        peer, name = results.best(case, figure, "<=")
        won = value is not None and value <= limit
        rows.append([what, f"≤ {limit:,}", number(value), f"{number(peer)} ({name})", "", verdict(won)])
    return rows + idle_goal(results) + burst_goals(results) + call_goals(results)


def idle_goal(results):
    rows = []
    for name in dict.fromkeys(line["name"] for line in results.own if line["name"].startswith("idle ")):
        value = min(figures["idle_cpu_s"] for figures in results.mine(name))
        peers = [(f["idle_cpu_s"], p) for p in results.peers for f in results.mine(name, p) if f["done"] == f["count"]]
        peer, who = min(peers, default=(None, "–"))
        won = peer is not None and value <= peer
        what = f"CPU of 1,000 idle clients over {name[5:]}, s"
        rows.append([what, "≤ 1.0 ×", number(value), f"{number(peer)} ({who})", "", verdict(won)])
    return rows


def burst_goals(results):
    """100,000 publishes at once: the worst of all rounds counts."""
    rounds = results.mine("burst")
    if not rounds:
        return []
    grown = max(f["maxrss_kb"] - f["rss_before_kb"] for f in rounds)
    untold = max(abs(f["count"] - f["accepted"] - f["refused"]) + abs(f["lost"]) + f["errors"] for f in rounds)
    refused = statistics.median(f["refused"] for f in rounds)
    call = max(f["call_p99_us"] for f in rounds)
    longest = max(f["call_max_us"] for f in rounds) / 1e3
    neighbour = max(f["neighbour_max_ms"] for f in rounds)
    rows = [
        ("memory grows by, kB (the queue's bound is 4,096)", "≤ 6,144", grown, "", grown <= 6144),
        ("neither ended nor refused at once", "0", untold, f"{number(refused)} refused", untold == 0),
        ("a publish takes (p99), µs", "≤ 100", call, f"longest {longest:.1f} ms", call <= 100),
        ("a neighbour's acknowledged publish (longest), ms", "≤ 50", neighbour, "", neighbour <= 50),
    ]
    return [
        [f"100,000 × 1 KiB at once: {what}", wanted, number(value), note, "", verdict(won)]
        for what, wanted, value, note, won in rows
    ]


def call_goals(results):
    rows = []
    for name in dict.fromkeys(line["name"] for line in results.own if line["name"].startswith("calls ")):
        calls = statistics.median(f["calls"] / f["count"] for f in results.mine(name))
        rows.append([f"system calls a message, {name[6:]}", "< 0.1", number(calls), "", "", verdict(calls < 0.1)])
    return rows


FIGURES = {
    "connect": [("p50_ms", "ms"), ("p99_ms", "ms p99")],
    "rtt": [("p50_us", "µs"), ("p99_us", "µs p99")],
    "pub": [("msgs_s", "/s"), ("cpu_us_msg", "µs")],
    "recv": [("msgs_s", "/s"), ("cpu_us_msg", "µs")],
    "idle": [("rss_kb", "kB"), ("threads", "threads")],
    "size": [("own_stripped", "B"), ("total_stripped", "B in all")],
}


def medians(results):
    names = [OURS, *results.peers]
    rows = []
    for case in dict.fromkeys(case for case, _ in results.cells):
        row = [case]
        for peer in names:
            cell = results.cells.get((case, peer), {})
            text = " · ".join(f"{number(cell.get(figure))} {unit}" for figure, unit in FIGURES[case.split()[0]])
            if cell.get("lost") or cell.get("timeout"):
                text += " (lost some)"
            row.append(text)
        rows.append(row)
    return table(["case", *names], rows)


def report(results):
    m = results.machine
    rows = goals(results)
    won = sum("won" in row[-1] for row in rows)
    versions = {peer: cell.get("version") for (_, peer), cell in reversed(results.cells.items()) if "version" in cell}
    clients = ", ".join(f"{peer} {versions.get(peer)}" for peer in [OURS, *results.peers])
    amount = ", with a tenth of the messages" if m["quick"] else ""
    estimated = "" if results.aws_ran else """, and where the one to beat is
aws-c-mqtt, which did not run, an estimate of it: its figure on another machine, times what libmosquitto does here by what it did
there"""
    print(f"""# What was measured

Made by `benches/run`; [README.md](README.md) says how. Not edited by hand.

{m['date']}, {m['cores']} × {m['cpu']}, {m['kernel']}, Rust {m['rust']}, gcc {m['cc']}, {m['broker']}; {clients}. Medians of
{m['rounds']} rounds, in turns{amount}; idle clients once, bursts by the worst of all. Load average before it began: {m['load']}.

## Goals

{won} of {len(rows)} rows won. The best peer is the best of those that ran, in that case and run{estimated}.
Round trips are those with TCP_NODELAY forced on, as many of each. This library sets it by itself, so for it nothing is forced;
of those without, which the harness makes too few of to compare, the medians are below.
""")
    print(table(["what", "wanted", OURS, "best peer", "ratio", ""], rows))
    for f in results.mine("many"):
        print(f"""
{f['done']:,} clients in one process: connected one after the other in {f['connect_all_s']:.1f} s, {f['rss_kb']:,} kB RSS,
{f['threads']} threads, {f['idle_cpu_s']:.3f} s of CPU in {f['idle_secs']:.0f} s.""")
    print("\n## All medians\n")
    print(medians(results))


def alone(results):
    rows = []
    for name in dict.fromkeys(line["name"] for line in results.own):
        figures = results.mine(name)
        kind = FIGURES.get(name.split()[0], [])
        text = [f"{number(statistics.median(f[figure] for f in figures))} {unit}" for figure, unit in kind]
        rows.append([name, " · ".join(text)])
    print(table(["case", OURS], [row for row in rows if row[1]]))
    print()
    print(table(["what", "wanted", OURS, "", "", ""], burst_goals(results) + call_goals(results)))


if __name__ == "__main__":
    folder = Path(sys.argv[-1])
    (alone if "--alone" in sys.argv else report)(Results(folder))
