"""Programs that draw on a terminal, measured as a person meets them: through a pseudo-terminal. What benches/screens.rs runs.

    python benches/screens.py --program visavis 'visavis --workspace DIR' --until 'runs' --keys 'j*9 k*9 C-d C-u 1 2 3 4 5'
    python benches/screens.py --leet DIR        beside LEET (W&B's viewer), on data that is made in DIR unless it is there
    python benches/screens.py --show --program … --press 'Enter j'      what is on the screen then, and nothing measured

`--until`, `--keys`, `--press` (keys before the keys), `--quit` and `--env NAME=VALUE` are of the `--program` before them;
the first program is what the others are divided by. Needs Linux; `--leet` needs wandb (pip install wandb).

*Frame*: what arrives up to the end of a synchronized update, or, from programs that have none, up to 5 ms of silence; its time is
that of its last byte. A frame that neither prints nor erases is none. *First frame*: since the call of exec, medians of five
starts, the worst beside it. *Until*: the first frame after which a pattern is on the screen, which is kept as a terminal keeps
it. *Whole*: the last frame before 0.4 s of silence, when all is read that is shown. *Key*: from writing it to the end of the
frame that follows; keys come 35 to 55 ms apart (a key that is held down repeats every 33 to 40), in the silence after what the last one did, and those that no frame follows
within 300 ms are counted apart (still). *Settled*: to the last frame before that silence. *Memory*: VmRSS after the keys, and
VmHWM; *idle*: processor time of all threads, and bytes written, in five seconds without a key. Both with all child processes.
*Waits*: how long its threads stood in line for a processor while keys were pressed, per time passed: on a machine that does
nothing else, near nothing, for a program of one thread. The terminal answers what terminals are asked. Reading costs what the
row *the measuring itself* says: a `cat` in the same place.
"""

import argparse
import codecs
import fcntl
import json
import os
import pty
import random
import re
import select
import shlex
import signal
import struct
import sys
import termios
import time
import unicodedata

SILENCE = 0.005
PATIENCE = 0.3
IDLE = 5.0
CELL = (10, 20)
LIMITS = {"first": 100.0, "p99": 16.0, "memory": 150.0, "idle": 1.0}

NAMED = {
    "Enter": b"\r", "Esc": b"\x1b", "Tab": b"\t", "BackTab": b"\x1b[Z", "Space": b" ", "Backspace": b"\x7f", "Up": b"\x1b[A",
    "Down": b"\x1b[B", "Right": b"\x1b[C", "Left": b"\x1b[D", "Home": b"\x1b[H", "End": b"\x1b[F", "PageUp": b"\x1b[5~",
    "PageDown": b"\x1b[6~",
}  # fmt: skip


def keys_of(script):
    """`j*3 C-d Enter` as names and bytes, a key each."""
    keys = []
    for word in script.split():
        name, times = (word.rsplit("*", 1) + ["1"])[:2] if re.search(r".\*\d+$", word) else (word, "1")
        if name in NAMED:
            key = NAMED[name]
        elif re.fullmatch(r"C-[a-z]", name):
            key = bytes([ord(name[2]) - ord("a") + 1])
        elif len(name) == 1:
            key = name.encode()
        else:
            sys.exit(f"screens.py: {name!r} is no key: a character, C-x, or one of {', '.join(NAMED)}")
        keys += [(name, key)] * int(times)
    return keys


class Screen:
    """What a terminal shows: characters, no colours."""

    TOKEN = re.compile(
        r"\x1b\[([<-?]?)([\d;:]*)([ -/]*)([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[P_^X][^\x1b]*\x1b\\|\x1b[()*+#].|"
        r"\x1b([^\[\]P_^X()*+#])|([\x00-\x1a\x1c-\x1f\x7f])|([^\x00-\x1f\x7f]+)",
        re.DOTALL,
    )

    def __init__(self, columns, lines):
        self.columns, self.lines = columns, lines
        self.decoder, self.rest = codecs.getincrementaldecoder("utf-8")("replace"), ""
        self.reset()

    def reset(self):
        self.cells, self.other = self.empty(), None
        self.x = self.y = self.top = 0
        self.bottom, self.saved, self.last = self.lines, (0, 0), " "

    def empty(self):
        return [[" "] * self.columns for _ in range(self.lines)]

    def text(self):
        return "\n".join("".join(line).rstrip() for line in self.cells)

    def feed(self, data):
        text, at = self.rest + self.decoder.decode(data), 0
        while at < len(text):
            token = self.TOKEN.match(text, at)
            if not token:
                if len(text) - at > 1 << 20:  # A sequence that never ends is none.
                    at += 1
                    continue
                break
            at = token.end()
            mark, numbers, between, final, escape, control, printed = token.groups()
            if printed:
                self.write(printed)
            elif final and not between:
                self.command(mark, [int(n.split(":")[0] or 0) for n in numbers.split(";")], final)
            elif control:
                self.control(control)
            elif escape:
                self.escape(escape)
        self.rest = text[at:]

    def write(self, text):
        for letter in text:
            if unicodedata.combining(letter) or letter in "\u200d\ufe0e\ufe0f":
                continue
            width = 2 if unicodedata.east_asian_width(letter) in "WF" else 1
            if self.x + width > self.columns:
                self.x = 0
                self.feed_line()
            line = self.cells[self.y]
            line[self.x] = self.last = letter
            if width == 2:
                line[self.x + 1] = ""
            self.x += width

    def feed_line(self):
        if self.y + 1 == self.bottom:
            self.scroll(1)
        else:
            self.y = min(self.y + 1, self.lines - 1)

    def scroll(self, by, top=None):
        top = self.top if top is None else top
        for _ in range(min(abs(by), self.bottom - top)):
            gone, new = (top, self.bottom - 1) if by > 0 else (self.bottom - 1, top)
            del self.cells[gone]
            self.cells.insert(new, [" "] * self.columns)

    def control(self, control):
        if control == "\r":
            self.x = 0
        elif control in "\n\x0b\x0c":
            self.feed_line()
        elif control == "\b":
            self.x = max(min(self.x, self.columns - 1) - 1, 0)
        elif control == "\t":
            self.x = min((self.x // 8 + 1) * 8, self.columns - 1)

    def escape(self, escape):
        if escape == "7":
            self.saved = self.x, self.y
        elif escape == "8":
            self.x, self.y = self.saved
        elif escape == "c":
            self.reset()
        elif escape in "DE":
            self.x = 0 if escape == "E" else self.x
            self.feed_line()
        elif escape == "M":
            if self.y == self.top:
                self.scroll(-1)
            else:
                self.y = max(self.y - 1, 0)

    def command(self, mark, numbers, final):
        if mark:
            if mark == "?" and final in "hl" and {47, 1047, 1049} & set(numbers):
                if (final == "h") == (self.other is None):
                    self.cells, self.other = (self.empty(), self.cells) if final == "h" else (self.other, None)
            return
        n, first, second = max(numbers[0], 1), numbers[0], max(numbers[1], 1) if len(numbers) > 1 else 1
        x, y = min(self.x, self.columns - 1), self.y
        line = self.cells[y]
        if final in "Hf":
            self.y, self.x = n - 1, second - 1
        elif final in "AF":
            self.y, self.x = y - n, 0 if final == "F" else x
        elif final in "BeE":
            self.y, self.x = y + n, 0 if final == "E" else x
        elif final in "Ca":
            self.x = x + n
        elif final == "D":
            self.x = x - n
        elif final in "G`":
            self.x = n - 1
        elif final == "I":
            self.x = (x // 8 + n) * 8
        elif final == "Z":
            self.x = ((x + 7) // 8 - n) * 8
        elif final == "d":
            self.y = n - 1
        elif final == "K":
            start, end = [(x, self.columns), (0, x + 1), (0, self.columns)][min(first, 2)]
            line[start:end] = [" "] * (end - start)
        elif final == "J":
            part = [(x, self.columns), (0, x + 1), (0, self.columns)][min(first, 2)]
            line[part[0] : part[1]] = [" "] * (part[1] - part[0])
            for other in [range(y + 1, self.lines), range(y), range(self.lines)][min(first, 2)]:
                self.cells[other] = [" "] * self.columns
        elif final == "X":
            line[x : x + n] = [" "] * len(line[x : x + n])
        elif final == "P":
            line[x : x + n] = []
            line += [" "] * (self.columns - len(line))
        elif final == "@":
            line[x:x] = [" "] * n
            del line[self.columns :]
        elif final in "LM" and self.top <= y < self.bottom:
            self.scroll(n if final == "M" else -n, y)
        elif final in "ST":
            self.scroll(n if final == "S" else -n)
        elif final == "b":
            self.write(self.last * n)
        elif final == "r":
            self.top, self.bottom = n - 1, numbers[1] if len(numbers) > 1 and numbers[1] else self.lines
            self.x = self.y = 0
        elif final == "s":
            self.saved = x, y
        elif final == "u":
            self.x, self.y = self.saved
        self.x, self.y = min(max(self.x, 0), self.columns), min(max(self.y, 0), self.lines - 1)


class Ended(Exception):
    pass


class Terminal:
    """A program in a pseudo-terminal that answers as a terminal does."""

    QUERY = re.compile(
        rb"\x1b\[([?>=<]?)([\d;]*)(c|n|u|q|t|\$p)|\x1b\](1[012]);\?(\x07|\x1b\\)|\x1bP([+$])q[^\x1b]*\x1b\\|"
        rb"\x1b_G([^;\x1b]*)[^\x1b]*\x1b\\"
    )
    WHOLE = re.compile(
        rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[P_^X][^\x1b]*\x1b\\|[^\[\]P_^X])", re.DOTALL
    )

    def __init__(self, command, size, environment, pictures):
        self.size, self.pictures, self.flags, self.rest = size, pictures, [0], b""
        self.screen, self.record, self.fed = Screen(*size), [], 0
        variables = {name: value for name, value in os.environ.items() if name not in DROPPED}
        variables |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"} | environment
        told, tell = os.pipe()
        self.pid, self.file = pty.fork()
        if self.pid == 0:
            columns, lines = size
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("4H", lines, columns, columns * CELL[0], lines * CELL[1]))
            try:
                os.write(tell, struct.pack("d", time.perf_counter()))
                os.execvpe(command[0], command, variables)
            except OSError as error:
                os.write(2, f"{command[0]}: {error.strerror}".encode())
            os._exit(127)
        os.close(tell)
        self.started = struct.unpack("d", os.read(told, 8))[0]
        os.close(told)
        self.ready = select.poll()
        self.ready.register(self.file, select.POLLIN)

    def read(self, patience):
        """What arrives next, and when; None after so many seconds of silence."""
        if not self.ready.poll(max(patience, 0) * 1000):
            return None
        try:
            data = os.read(self.file, 1 << 16)
        except OSError:
            data = b""
        at = time.perf_counter()
        if not data:
            raise Ended(f"the program ended; on the screen:\n{self.text()}")
        self.record.append((at, data))
        data = self.rest + data
        last = data.rfind(b"\x1b")
        self.rest = data[last:] if last >= 0 and not self.WHOLE.match(data, last) and len(data) - last < 4096 else b""
        for query in self.QUERY.finditer(data, 0, len(data) - len(self.rest)):
            answer = self.answer(*query.groups())
            if answer:
                os.write(self.file, answer)
        return at, self.record[-1][1]

    def text(self):
        for _, data in self.record[self.fed :]:
            self.screen.feed(data)
        self.fed = len(self.record)
        return self.screen.text()

    def answer(self, mark, numbers, final, colour, end, asked, picture):
        if colour:
            return b"\x1b]" + colour + (b";rgb:1a1a/1b1b/2626" if colour == b"11" else b";rgb:c0c0/caca/f5f5") + end
        if asked:
            return b"\x1bP0" + asked + b"r\x1b\\"
        if picture is not None:
            number = re.search(rb"\bi=(\d+)", picture)
            return b"\x1b_Gi=%s;OK\x1b\\" % number[1] if self.pictures and number and b"a=q" in picture.split(b",") else None
        columns, lines = self.size
        match mark, numbers, final:
            case b"", (b"" | b"0"), b"c":
                return b"\x1b[?62;22c"
            case b">", _, b"c":
                return b"\x1b[>1;10;0c"
            case b"", b"5", b"n":
                return b"\x1b[0n"
            case (b"" | b"?"), b"6", b"n":
                self.text()
                return b"\x1b[%s%d;%dR" % (mark, self.screen.y + 1, min(self.screen.x, columns - 1) + 1)
            case b"?", b"996", b"n":
                return b"\x1b[?997;1n"
            case b"?", b"", b"u":
                return b"\x1b[?%du" % self.flags[-1]
            case b">", _, b"u":
                self.flags.append(int(numbers.split(b";")[0] or 0))
            case b"<", _, b"u":
                self.flags = self.flags[: -int(numbers or 1)] or [0]
            case b"=", _, b"u":
                self.flags[-1] = int(numbers.split(b";")[0] or 0)
            case b">", (b"" | b"0"), b"q":
                return b"\x1bP>|screens(1)\x1b\\"
            case b"", b"14", b"t":
                return b"\x1b[4;%d;%dt" % (lines * CELL[1], columns * CELL[0])
            case b"", b"16", b"t":
                return b"\x1b[6;%d;%dt" % (CELL[1], CELL[0])
            case b"", b"18", b"t":
                return b"\x1b[8;%d;%dt" % (lines, columns)
            case b"?", _, b"$p":
                # Synchronized updates are known, the rest is not.
                return b"\x1b[?%s;%d$y" % (numbers, 2 if numbers == b"2026" else 0)
        return None

    def write(self, key):
        if self.flags[-1] & 1 and (key == b"\x1b" or (len(key) == 1 and key[0] < 27 and key not in b"\r\t")):
            key = b"\x1b[27u" if key == b"\x1b" else b"\x1b[%d;5u" % (key[0] + ord("a") - 1)
        os.write(self.file, key)

    def drain(self, seconds, most=1.0):
        """Reads until there is silence for so long; gives what came."""
        first, end = len(self.record), time.perf_counter() + most
        while time.perf_counter() < end and self.read(seconds):
            pass
        return self.record[first:]

    def end(self, keys):
        """Asks the program to leave, then makes it. Its children are of its own process group, or end with it."""
        try:
            for _, key in keys:
                self.write(key)
            end = time.perf_counter() + 2
            while time.perf_counter() < end:
                self.read(0.1)
        except (Ended, OSError):
            pass
        for how in [signal.SIGHUP, signal.SIGKILL]:
            for _ in range(20):
                if os.waitpid(self.pid, os.WNOHANG) != (0, 0):
                    os.close(self.file)
                    return
                time.sleep(0.05)
            try:
                os.killpg(self.pid, how)
            except ProcessLookupError:
                pass
        os.waitpid(self.pid, 0)
        os.close(self.file)


# What would tell a program that it is in another terminal, or in none.
DROPPED = {
    "NO_COLOR", "COLUMNS", "LINES", "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "TMUX", "STY", "CI", "WT_SESSION", "VTE_VERSION",
    "KITTY_WINDOW_ID", "SSH_TTY", "SSH_CONNECTION", "COLORFGBG", "CLICOLOR", "FORCE_COLOR",
}  # fmt: skip

BEGIN, END = b"\x1b[?2026h", b"\x1b[?2026l"
# Sequences that neither print nor erase; then controls and broken ends.
QUIET = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[A-IZ^-ac-z{-~`]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[P^X][^\x1b]*\x1b\\|\x1b[()*+#].|"
    rb"\x1b[^\[\]P_^X]|[\x00-\x1a\x1c-\x1f\x7f]"
)


def changes(data):
    """Does it print or erase anything?"""
    return bool(QUIET.sub(b"", data))


def frames(record):
    """Frames of a record that has ended: when each did, and how many pieces had come by then."""
    data, found = b"", []
    for place, (at, piece) in enumerate(record):
        data += piece
        following = record[place + 1][0] if place + 1 < len(record) else float("inf")
        if END in data or (BEGIN not in data and following - at >= SILENCE):
            if changes(data):
                found.append((at, place + 1))
            data = b""
    return found


def start(program, size, pictures, give_up):
    """Starts a program; gives its terminal and milliseconds to the first frame, and to those with what is waited for."""
    terminal = Terminal(shlex.split(program["command"]), size, program["env"], pictures)
    wanted, found, seen, end = program["until"] and re.compile(program["until"]), {}, 0, terminal.started + give_up
    while "until" not in found:
        # Nothing is looked at while something arrives, for a program that is not read from stands still; one that is never silent
        # is read as long as is waited at all.
        if terminal.read(0.4) and time.perf_counter() < end:
            continue
        for at, place in frames(terminal.record[seen:]):
            for _, piece in terminal.record[terminal.fed : seen + place]:
                terminal.screen.feed(piece)
            terminal.fed = max(terminal.fed, seen + place)
            found["whole"] = (at - terminal.started) * 1e3
            text = terminal.screen.text()
            if "first" not in found and text.strip():
                found["first"] = found["whole"]
            if "first" in found and "until" not in found and (not wanted or wanted.search(text)):
                found["until"] = found["whole"]
        seen = len(terminal.record)
        if time.perf_counter() > end:
            found["whole"] = None
            break
    if "until" not in found:
        absent = program["until"] or "frame"
        print(f"{program['name']}: no {absent} in {give_up:.0f} s; on the screen:\n{terminal.text()}", file=sys.stderr)
    if "first" not in found:
        terminal.end([])
        sys.exit(1)
    return terminal, found


def press(terminal, key):
    """Milliseconds to the end of the frame that follows a key; None if none does."""
    terminal.write(key)
    start = time.perf_counter()
    data, at = b"", start
    while True:
        # Once a frame has begun, silence ends it; one that says where it ends is waited for.
        waiting = SILENCE if data and BEGIN not in data else start + PATIENCE - time.perf_counter()
        got = terminal.read(waiting) if waiting > 0 else None
        if got:
            at = got[0]
            data += got[1]
            if END not in data:
                continue
        if data and changes(data):
            return (at - start) * 1e3
        if not got and not data:
            return None
        data = b""


def tree(pid):
    """A process and all below it."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as file:
                    parents[int(name)] = int(file.read().rsplit(") ", 1)[1].split()[1])
            except OSError:
                pass
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def memory(pid):
    """Megabytes that are resident, and that were at most."""
    held = {"VmRSS": 0, "VmHWM": 0}
    for one in tree(pid):
        try:
            with open(f"/proc/{one}/status") as file:
                for line in file:
                    name, _, value = line.partition(":")
                    if name in held:
                        held[name] += int(value.split()[0]) * 1024
        except OSError:
            pass
    return held["VmRSS"] / 1e6, held["VmHWM"] / 1e6


def spent(pid):
    """Seconds on a processor and in line for one, to the nanosecond where the system counts so."""
    on = waited = 0.0
    for one in tree(pid):
        try:
            for task in os.listdir(f"/proc/{one}/task"):
                with open(f"/proc/{one}/task/{task}/schedstat") as file:
                    numbers = file.read().split()
                on += int(numbers[0]) / 1e9
                waited += int(numbers[1]) / 1e9
        except OSError:
            try:
                with open(f"/proc/{one}/stat") as file:
                    fields = file.read().rsplit(") ", 1)[1].split()
                on += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            except OSError:
                pass
    return on, waited


def rank(numbers, share):
    ordered = sorted(numbers)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else None


def measure(program, size, options):
    starts = []
    for turn in range(options.starts):
        terminal, found = start(program, size, options.pictures, options.give_up)
        starts.append(found)
        if "until" not in found:
            # It was said once that it does not come.
            program = program | {"until": None}
        if turn + 1 < options.starts:
            terminal.end(keys_of(program["quit"]))
    terminal.drain(0.3, 5)
    rested, on = time.perf_counter() + options.rest, float("inf")
    while time.perf_counter() < rested and on > 0.02:
        before = spent(terminal.pid)[0]
        terminal.drain(1, 1)
        on = spent(terminal.pid)[0] - before
    for _, key in keys_of(program["press"]):
        terminal.write(key)
        terminal.drain(0.3, 5)
    script, dice = keys_of(program["keys"]), random.Random(1)
    took, slowest, settled, still, written = [], [], [], 0, 0
    clock, used = time.perf_counter(), spent(terminal.pid)
    for turn in range(options.count if script else 0):
        terminal.drain(dice.uniform(0.035, 0.055))
        place, pressed = len(terminal.record), time.perf_counter()
        name, key = script[turn % len(script)]
        found = press(terminal, key)
        after = terminal.drain(0.02)
        written += sum(len(data) for _, data in terminal.record[place:])
        if found is None:
            still += 1
        else:
            took.append(found)
            slowest.append((found, name, turn % len(script) + 1))
            last = [at for at, _ in frames(after)]
            settled.append((last[-1] - pressed) * 1e3 if last else found)
    waits = (spent(terminal.pid)[1] - used[1]) / (time.perf_counter() - clock) * 100
    resident, most = memory(terminal.pid)
    terminal.drain(0.5, 2)
    place, clock, used = len(terminal.record), time.perf_counter(), spent(terminal.pid)
    while (left := clock + IDLE - time.perf_counter()) > 0:
        terminal.read(left)
    idle = (spent(terminal.pid)[0] - used[0]) / (time.perf_counter() - clock) * 100
    said = sum(len(data) for _, data in terminal.record[place:])
    if options.keep:
        print(terminal.text(), file=sys.stderr)
    terminal.end(keys_of(program["quit"]))
    numbers = {}
    for name in ["first", "until", "whole"]:
        of = [found[name] for found in starts if found.get(name) is not None and (name != "until" or program["until"])]
        numbers |= {name: rank(of, 0.5), f"{name}_worst": max(of, default=None)}
    return numbers | {
        "program": program["name"], "command": program["command"], "columns": size[0], "lines": size[1],
        "pattern": program["until"], "script": program["keys"],
        "p50": rank(took, 0.5), "p99": rank(took, 0.99), "worst": max(took, default=None), "settled": rank(settled, 0.99),
        "keys": len(took), "still": still, "bytes_a_key": written / max(len(took), 1), "waits": waits,
        "memory": resident, "memory_most": most, "idle": idle, "idle_bytes": said / IDLE,
        "slowest": sorted(slowest, reverse=True)[:8], "took": [round(one, 3) for one in took],
    }  # fmt: skip


COLUMNS = [
    ("first", "first ms", 1), ("first_worst", "worst", 0), ("until", "until ms", 1), ("until_worst", "worst", 0),
    ("whole", "whole ms", 0), ("whole_worst", "worst", 0), ("p50", "key p50", 1), ("p99", "p99", 1), ("worst", "worst", 1),
    ("settled", "settled p99", 1), ("keys", "keys", 0), ("still", "still", 0), ("bytes_a_key", "bytes/key", 0),
    ("waits", "waits %", 1), ("memory", "MB", 1), ("memory_most", "at most", 1), ("idle", "idle %", 2),
    ("idle_bytes", "bytes/s", 0),
]  # fmt: skip
DIVIDED = ["first", "until", "whole", "p99", "memory"]


def table(rows, size):
    """One line a program; what others need of the first one's, as factors."""
    numbers = lambda row: [("–" if row.get(name) is None else f"{row[name]:.{digits}f}") for name, _, digits in COLUMNS]
    factors = lambda row: [
        f"{row[name] / rows[0][name]:.2f}" if row.get(name) is not None and rows[0].get(name) else "–" for name in DIVIDED
    ]
    head = [f"{size[0]} × {size[1]}", *(word for _, word, _ in COLUMNS), *(f"× {name}" for name in DIVIDED)]
    share = {name: f"{rows[0][name] / limit * 100:.0f} %" for name, limit in LIMITS.items() if rows[0].get(name) is not None}
    lines = [[row["program"], *numbers(row), *(factors(row) if row is not rows[0] else [""] * len(DIVIDED))] for row in rows]
    lines.insert(1, ["  of the limit", *(share.get(name, "") for name, _, _ in COLUMNS)])
    lines.insert(0, ["limit", *(f"{LIMITS[name]:g}" if name in LIMITS else "" for name, _, _ in COLUMNS)])
    widths = [max(len(line[place]) if place < len(line) else 0 for line in [head, *lines]) for place in range(len(head))]
    for line in [head, *lines]:
        cells = [f"{cell:>{width}}" for cell, width in zip(line[1:], widths[1:])]
        print(f"{line[0]:<{widths[0]}}  {'  '.join(cells)}".rstrip())


def make_leet(folder, runs, series, steps):
    """A folder of wandb runs as a store of ours: the latest with all the points, written by wandb itself; the others as another
    run of wandb's left its records, each under a name and a time of its own."""
    import datetime
    import zlib

    import wandb
    from wandb.proto import wandb_internal_pb2 as proto

    def run(name, log):
        os.makedirs(f"{folder}/one", exist_ok=True)
        settings = wandb.Settings(mode="offline", silent=True, disable_git=True, disable_code=True, x_disable_stats=True)
        config = {"model": "resnet", "seed": 7}
        one = wandb.init(dir=f"{folder}/one", project="faces", name=name, config=config, settings=settings)
        log(one)
        one.finish()
        (here,) = [place for place in os.listdir(f"{folder}/one/wandb") if place.endswith(one.id) and place != "latest-run"]
        return f"{folder}/one/wandb/{here}", one.id

    def records(path):
        data, at, held = open(path, "rb").read(), 7, b""
        while at + 7 <= len(data):
            if 32768 - at % 32768 < 7:
                at += 32768 - at % 32768
                continue
            _, length, kind = struct.unpack("<IHB", data[at : at + 7])
            held = (b"" if kind in (1, 2) else held) + data[at + 7 : at + 7 + length]
            at += 7 + length
            if kind in (1, 4):
                yield held

    pattern, _ = run("pattern", lambda one: None)
    (file,) = [name for name in os.listdir(pattern) if name.endswith(".wandb")]
    of_pattern = list(records(f"{pattern}/{file}"))
    head = open(f"{pattern}/{file}", "rb").read(7)
    assert sum(len(record) + 7 for record in of_pattern) < 32768 - 7, "records of a pattern fit one block"
    first = datetime.datetime(2026, 1, 1)
    for place in range(1, runs):
        at, name = first + datetime.timedelta(minutes=place), f"v{place:07}"
        out = bytearray(head)
        for record in of_pattern:
            message = proto.Record.FromString(record)
            if message.WhichOneof("record_type") == "run":
                message.run.run_id, message.run.display_name = name, f"train {place}"
                message.run.start_time.FromDatetime(at)
            record = message.SerializeToString()
            out += struct.pack("<IHB", zlib.crc32(record, zlib.crc32(b"\x01")), len(record), 1) + record
        where = f"{folder}/many/wandb/offline-run-{at:%Y%m%d_%H%M%S}-{name}"
        os.makedirs(f"{where}/files")
        with open(f"{where}/run-{name}.wandb", "wb") as file:
            file.write(out)
    import math
    import shutil

    shutil.rmtree(pattern)

    def log(one):
        for step in range(steps):
            value = lambda place: math.exp(-step / 9000) * (1 + place) + math.sin(step * 0.37) / 9
            one.log({f"train/m{place:02}": value(place) for place in range(series)})

    where, name = run("all the points", log)
    shutil.copytree(where, where.replace("/one/", "/many/"), copy_function=os.link)
    with open(f"{folder}/made.json", "w") as file:
        json.dump({"runs": runs, "series": series, "steps": steps, "run": name, "wandb": wandb.__version__}, file)


def leet(options):
    """LEET, as two programs: all runs, and the one with the points."""
    try:
        import wandb
        from wandb.util import get_core_path
    except ImportError:
        print("no LEET here: `pip install wandb` brings it (PYTHON=… names a Python that has it)", file=sys.stderr)
        return []
    folder = os.path.abspath(options.leet)
    if not os.path.exists(f"{folder}/made.json"):
        clock = time.perf_counter()
        make_leet(folder, options.runs, options.series, options.steps)
        print(f"LEET's data made in {time.perf_counter() - clock:.0f} s", file=sys.stderr)
    made = json.load(open(f"{folder}/made.json"))
    # Its settings are those it comes with, and it is asked to tell nobody anything.
    environment = {"WANDB_CONFIG_DIR": f"{folder}/settings", "WANDB_MODE": "offline"}
    call = f"{shlex.quote(str(get_core_path()))} leet run --no-observability"
    one = {"env": environment, "press": "", "quit": "C-c", "until": options.leet_until}
    name = f"LEET {wandb.__version__}"
    (file,) = [
        os.path.join(where, file)
        for where, _, files in os.walk(f"{folder}/one/wandb")
        for file in files
        if file == f"run-{made['run']}.wandb"
    ]
    return [
        one | {"name": f"{name}, {made['runs']} runs", "command": f"{call} {folder}/many/wandb", "keys": options.leet_keys},
        # In a folder of its own: LEET reads what lies beside a run, too.
        one
        | {
            "name": f"{name}, one run",
            "command": f"{call} --run-file {file} {folder}/one/wandb",
            "press": options.leet_run_press,
            "keys": options.leet_run_keys,
        },
    ]


class Program(argparse.Action):
    def __call__(self, parser, options, values, option=None):
        if self.dest == "program":
            one = {"name": values[0], "command": values[1], "until": None, "keys": "j k", "press": "", "quit": "q", "env": {}}
            options.programs = [*options.programs, one]
        elif not options.programs:
            parser.error(f"{option} is of a --program, and there is none before it")
        elif self.dest == "env":
            name, _, value = values.partition("=")
            options.programs[-1]["env"][name] = value
        else:
            options.programs[-1][self.dest] = values


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.set_defaults(programs=[])
    parser.add_argument("--program", nargs=2, action=Program, metavar=("NAME", "COMMAND"))
    for name in ["until", "keys", "press", "quit", "env"]:
        parser.add_argument(f"--{name}", action=Program)
    parser.add_argument("--size", action="append", help="200x60 and 80x24, if none is named")
    parser.add_argument("--count", type=int, default=300, help="keys that are pressed")
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--give-up", type=float, default=30, help="seconds that --until, and silence, are waited for")
    parser.add_argument("--rest", type=float, default=0, help="seconds that keys wait, at most, for it to use no processor")
    parser.add_argument("--pictures", action="store_true", help="says that it shows kitty's pictures")
    parser.add_argument("--show", action="store_true", help="prints the screen after --press, and measures nothing")
    parser.add_argument("--keep", action="store_true", help="prints the last screen of each measurement, to stderr")
    parser.add_argument("--json", metavar="FILE", help="writes the numbers there, every key's too")
    parser.add_argument("--leet", metavar="DIR", help="measures LEET too")
    parser.add_argument("--leet-until", default="[\u2801-\u28ff]", help="a curve: braille, by default")
    parser.add_argument("--leet-keys", default="Down*12 PageDown*4 Up*12 PageUp*4 End Home")
    parser.add_argument("--leet-run-press", default="Tab Tab", help="to its curves")
    parser.add_argument("--leet-run-keys", default="PageDown PageUp Down Right Up Left")
    for name, default in [("runs", 10_000), ("series", 20), ("steps", 50_000)]:
        parser.add_argument(f"--{name}", type=int, default=default, help="of LEET's data, when that is made")
    options = parser.parse_args()
    if not sys.platform.startswith("linux"):
        sys.exit("screens.py: /proc is read: this measures on Linux only")
    programs = options.programs + (leet(options) if options.leet else [])
    if not programs:
        parser.error("nothing to measure: name a --program, or --leet DIR")
    sizes = [tuple(int(number) for number in size.split("x")) for size in options.size or ["200x60", "80x24"]]
    if options.show:
        for size in sizes:
            for program in programs:
                terminal, found = start(program, size, options.pictures, options.give_up)
                for _, key in keys_of(program["press"]):
                    terminal.write(key)
                    terminal.drain(0.5, 5)
                took = ", ".join(f"{name} {found[name]:.1f} ms" for name in ["first", "until", "whole"] if found.get(name))
                print(f"{program['name']}, {size[0]} × {size[1]}: {took}\n{terminal.text()}")
                terminal.end(keys_of(program["quit"]))
        return
    floor = {"name": "the measuring itself", "command": "sh -c 'stty raw -echo; printf ready; exec cat'", "until": None}
    programs.append(floor | {"keys": "j k", "press": "", "quit": "", "env": {}})
    all_rows = []
    for size in sizes:
        rows = [measure(program, size, options) for program in programs]
        all_rows += rows
        table(rows, size)
        for row in rows[:-1]:
            slow = ", ".join(f"{name} ({place}.) {took:.1f}" for took, name, place in row["slowest"])
            print(f"{row['program']}, the slowest keys and their places in the script: {slow}")
        print(flush=True)
    for program in programs:
        print(f"{program['name']}: {program['command']}   until {program['until']!r}, keys {program['keys']}")
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} at the end")
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"processors": os.cpu_count(), "load": os.getloadavg(), "rows": all_rows}, file, ensure_ascii=False)


main()
