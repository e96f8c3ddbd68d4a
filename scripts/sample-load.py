#!/usr/bin/env python3
"""Cuts the data of `auditd-rules generate` from recorded logs: sample-load.py LOG.gz LABELS.tsv CONSEQUENCES.tsv OUT.gz

Kept are whole requests. Of what is no attack (and no attack led to) one in so many, in the order of what they are and
how large, so that the shares and the sizes stay; of each kind of attack the first two. Left out are requests with a line
above 60,000 bytes, and those whose auditID or times are not written in the usual width. Tokens and PEM blocks are written over.

OUT holds a line `>KIND` before the lines of each request; KIND is empty where it is no attack.
"""
import gzip, io, json, re, sys

log, labels, consequences, out = sys.argv[1:]
WANTED, LINE_MAX = 360, 60_000
SECRET = re.compile(rb'-----BEGIN [A-Z ]*-----[^"]*|LS0tLS1CRUdJTiB[A-Za-z0-9+/=]*|ZXlKaGJHY2lP[A-Za-z0-9+/=]*|eyJhbGci[A-Za-z0-9._-]*')
STAMP = rb'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"'
USUAL = re.compile(rb'"auditID":"[0-9a-f-]{36}".*"requestReceivedTimestamp":' + STAMP + rb'.*"stageTimestamp":' + STAMP)

kinds, touched = {}, set()
for line in open(labels):
    audit_id, label, expected, *_ = line.rstrip("\n").split("\t")
    if expected == "attack":
        touched.add(audit_id)
        kinds.setdefault(audit_id, label)
for line in open(consequences):
    touched.add(line.split("\t")[0])
requests = {}
for line in gzip.open(log, "rb"):
    line = SECRET.sub(lambda found: b"x" * len(found.group()), line)
    event = json.loads(line)
    requests.setdefault(event["auditID"], []).append((event, line))

def fine(lines):
    return all(len(l) <= LINE_MAX and USUAL.search(l) for _, l in lines)

def order(lines):
    first, ref = lines[0][0], lines[0][0].get("objectRef") or {}
    return ([e["stage"] for e, _ in lines], [e["level"] for e, _ in lines], first["verb"], ref.get("resource", ""),
            ref.get("subresource", ""), sum(len(l) for _, l in lines))

ordinary = sorted((lines for audit_id, lines in requests.items() if audit_id not in touched and fine(lines)), key=order)
step = len(ordinary) / WANTED
picked = [("", ordinary[int((n + 0.5) * step)]) for n in range(WANTED)]
count = {}
for audit_id, kind in kinds.items():
    lines = requests.get(audit_id)
    if lines and fine(lines) and count.get(kind, 0) < 2:
        count[kind] = count.get(kind, 0) + 1
        picked.append((kind, lines))
text = b"".join(b">" + kind.encode() + b"\n" + b"".join(line for _, line in lines) for kind, lines in picked)
buffer = io.BytesIO()
with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=9, mtime=0) as packed:
    packed.write(text)
open(out, "wb").write(buffer.getvalue())
print(f"{out}: {len(picked)} requests, {len(count)} kinds of attack, {len(text)} bytes, {len(buffer.getvalue())} packed")
