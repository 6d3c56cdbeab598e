#!/usr/bin/env python3
"""Hostile pages, one after the other: each is the sample report with something done to it, is audited, and a table says how that ended, in how
many seconds and with how much memory at the most. See hostile_inputs.py, which holds the measuring.

    tests/hostile_pages.py PROGRAM [WORD …]       only pages whose name holds one of the words
"""

import base64
import copy
import json
import os
import re
import zlib

import hostile_inputs
from hostile_inputs import hostile

hostile_inputs.INPUTS.clear()

SAMPLE = open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "reports", "sample.html"), encoding="utf-8").read()
MARK = '<script type="application/json" id="visavis-evidence">'
START = SAMPLE.index(MARK) + len(MARK)
END = SAMPLE.index("</script>", START)
EVIDENCE = json.loads(SAMPLE[START:END])

REFUSED, FOUND = (2,), (4,)
ALONE = ["audit", "r.html", "--quick"]


def packed(value):
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    return base64.b64encode(deflate.compress(text) + deflate.flush()).decode()


def unpacked(text):
    """A list, with the digests that it names by their places."""
    digests = base64.b64decode(EVIDENCE["digests"])
    digest = lambda found: b'"%s"' % digests[32 * int(found[1]):][:32].hex().encode()
    return json.loads(re.sub(rb'"#(\d+)"', digest, zlib.decompress(base64.b64decode(text), -15)))


def page(desk, evidence=None, body="", audit=ALONE):
    """The sample with other evidence, or with more behind its last section."""
    text = json.dumps(EVIDENCE if evidence is None else evidence)
    for letter in "<>&":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    desk.write("r.html", SAMPLE[:START].replace("</main>", body + "</main>", 1) + text + SAMPLE[END:])
    return audit


def changed():
    return copy.deepcopy(EVIDENCE)


def everywhere(value, change):
    """What a change makes of every dict in a value."""
    if isinstance(value, dict):
        change(value)
        for inner in value.values():
            everywhere(inner, change)
    elif isinstance(value, list):
        for inner in value:
            everywhere(inner, change)


BODIES = {
    "a million <b> that are not closed": (lambda: "<b>" * 1_000_000, REFUSED),
    "300,000 tables within tables": (lambda: "<table><tr><td>" * 300_000, REFUSED),
    "300,000 links and paragraphs that are not closed": (lambda: "<a><p>" * 300_000, FOUND),
    "a million names that are not closed": (lambda: "<bdi>" * 1_000_000, REFUSED),
    "100,000 times five elements that are not closed, then a table": (lambda: "<a><b><i><font><nobr>" * 100_000 + "<table>", REFUSED),
    "six million scores in a row": (lambda: "<p>" + ".871 " * 6_000_000, FOUND),
    "15 million digits and points in one word": (lambda: "<p>" + "1." * 15_000_000, FOUND),
    "800,000 scores marked up as names": (lambda: "<p>" + "<bdi>.871</bdi> " * 800_000, FOUND),
    "400,000 scores in elements of their own": (lambda: "<p>" + "<b>.871</b>, " * 400_000, FOUND),
    "300,000 numbers of a claim that there is not": (lambda: "<p>" + '<data data-claim="q">1</data> ' * 300_000, FOUND),
    "20 million invisible letters": (lambda: "<p>" + "\u200b" * 20_000_000, FOUND),
    "a tag of a million attributes": (lambda: "<p " + " ".join(f"a{i}=1" for i in range(1_000_000)) + ">", REFUSED),
    "a tag of 200,000 long attributes": (lambda: "<p " + " ".join(f"a{i}={'x' * 40}" for i in range(200_000)) + ">", REFUSED),
    "200,000 further tags of the page, an attribute each": (lambda: "".join(f"<html a{i}>" for i in range(200_000)), REFUSED),
    "200,000 further bodies, an attribute each": (lambda: "".join(f"<body a{i}>" for i in range(200_000)), REFUSED),
    "three million tags": (lambda: "<br>" * 3_000_000, REFUSED),
    "100,000 pictures of no result": (lambda: '<div data-result="00"><svg viewBox="0 0 1 1"></svg>\n</div>' * 100_000, FOUND),
    "62 MB of words": (lambda: "word " * 12_000_000, FOUND),
    "68 MB of words": (lambda: "word " * 13_600_000, REFUSED),
    "2 MB of comments": (lambda: "<!-- x -->" * 200_000, FOUND),
}


def chart(kind, box, marks):
    return f'<svg class="{kind}" viewBox="{box}" aria-hidden="true">{marks}</svg>'


RANGE, LINES = ("range auc", "0 0 300 18"), ("lines auc", "0 0 300 120")
RING = '<circle class="ring" data-claim="c1" cx="1.0" cy="9" r="4"/>'
BODIES |= {
    "100,000 charts of a claim that there is not": (
        lambda: chart(*RANGE, '<circle class="value" data-claim="q" cx="1.0" cy="9" r="4"/>') * 100_000,
        FOUND,
    ),
    "a chart of a million rings": (lambda: chart(*RANGE, RING * 1_000_000), REFUSED),
    "300 charts of 2,000 rings each": (lambda: chart(*RANGE, RING * 2000) * 300, REFUSED),
    "140 charts of 2,000 rings each": (lambda: chart(*RANGE, RING * 2000) * 140, FOUND),
    "a line of a million claims": (
        lambda: chart(*LINES, f'<polyline class="line l0" data-claim="{"c1 " * 1_000_000}" points=""/>'),
        FOUND,
    ),
    "a line of a million points": (
        lambda: chart(*LINES, f'<polyline class="line l0" data-claim="c1" points="{"1.0,2.0 " * 1_000_000}"/>'),
        FOUND,
    ),
    "a mark at NaN, and one beyond every number": (
        lambda: chart(*RANGE, '<circle class="value" data-claim="c1" cx="NaN" cy="9" r="4"/>')
        + chart(*RANGE, '<circle class="value" data-claim="c1" cx="1e999" cy="9" r="4"/>'),
        FOUND,
    ),
    "charts within charts, 100,000 deep": (lambda: '<svg class="range auc" viewBox="0 0 300 18">' * 100_000, REFUSED),
}

for name, (body, codes) in BODIES.items():
    hostile(name, codes)(lambda desk, body=body: page(desk, body=body()))


@hostile("500 MB of words")
def _(desk):
    page(desk)
    with open(os.path.join(desk.folder, "r.html"), "a", encoding="utf-8") as file:
        for _ in range(500):
            file.write("x" * 1_000_000)
    return ALONE


@hostile("200 labels of 120 MB each, 8 MB packed")
def _(desk):
    evidence, bomb = changed(), packed(b"a\t0.123\n" * 15_000_000)
    for i in range(200):
        digest = f"{i + 1:064x}"
        evidence["sources"][f"labels/x{i}"] = digest
        evidence["objects"][digest] = bomb
    return page(desk, evidence)


for name, field in (("claims", "claims"), ("results", "manifests")):

    @hostile(f"a list of {name} that inflates to 2 GB")
    def _(desk, field=field):
        evidence = changed()
        evidence[field] = packed(b" " * 2_000_000_000)
        return page(desk, evidence)


def claims_on_one(desk, numbers):
    evidence, results = changed(), unpacked(EVIDENCE["manifests"])
    claim = unpacked(EVIDENCE["claims"])[0]
    text, result, digest = b"[" + b",".join(b"%d" % i for i in range(numbers)) + b"]", copy.deepcopy(results[-1]), "f" * 64
    output = result["outputs"][0]
    output["digest"], output["bytes"] = digest, len(text)

    def of(i):
        return dict(claim, id=f"c{i}", **{"from": {"key": result["key"], "output": output["name"], "pointer": f"/{i * numbers // 3000}"}})

    evidence["manifests"], evidence["claims"] = packed([result]), packed([of(i) for i in range(3000)])
    evidence["objects"] = {digest: packed(text)}
    return page(desk, evidence)


hostile("3,000 claims on one object of 60 MB", FOUND)(lambda desk: claims_on_one(desk, 7_500_000))
hostile("3,000 claims on one object of 120 MB", FOUND)(lambda desk: claims_on_one(desk, 14_000_000))


@hostile("a million texts in the evidence")
def _(desk):
    evidence = changed()
    evidence["more"] = [""] * 1_000_000
    return page(desk, evidence)


@hostile("a result of ten million facts")
def _(desk):
    evidence, results = changed(), unpacked(EVIDENCE["manifests"])
    results[0]["facts"] = {"n": [0] * 10_000_000}
    evidence["manifests"] = packed(results)
    return page(desk, evidence)


@hostile("a study file that is a pipe", FOUND)
def _(desk):
    os.mkfifo(os.path.join(desk.folder, "pipe"))
    evidence = changed()
    evidence["study_file"] = "pipe"
    return page(desk, evidence)


@hostile("a study of 10¹² models and views", FOUND)
def _(desk):
    evidence, words = changed(), ", ".join(f"x{i}" for i in range(1000))
    evidence["study_text"] += f"\nmodels: {{ matrix: {{ architecture: [{words}], loss: [{words}], trained_on: [{words}] }} }}\n"
    return page(desk, evidence)


def works(name, change, codes=FOUND):
    @hostile(name, codes)
    def _(desk):
        evidence, results = changed(), []
        # Those that are changed alone: to make the others again takes its time.
        for result in unpacked(EVIDENCE["manifests"]):
            before = json.dumps(result["work"])
            everywhere(result["work"], change)
            results += [result] if json.dumps(result["work"]) != before else []
        evidence["manifests"] = packed(results)
        return page(desk, evidence, audit=["audit", "r.html"])


def put(key, make):
    def change(of):
        if key in of:
            of[key] = make(of[key])

    return change


works("10¹³ bootstraps", put("bootstraps", lambda _: 10**13))
works("10¹³ permutations", put("permutations", lambda _: 10**13))
works("axis 0", put("axis", lambda _: 0))
works("comparisons of one class", put("classes", lambda classes: classes[:1]))
works("100,000 views in every stage", put("views", lambda views: views[:1] * 100_000), REFUSED)

if __name__ == "__main__":
    hostile_inputs.main()
