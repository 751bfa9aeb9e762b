"""A process that posts fifty jobs, one after the other, and prints the answers as JSON: [status, Retry-After]."""

from __future__ import annotations

import http.client
import json
import sys
import time

JOBS = 50
BODY = json.dumps({"task": "work", "args": {"service_time_s": 0.05}})

connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=30)
connection.connect()
print("ready", flush=True)
begin = float(sys.stdin.readline())  # CLOCK_MONOTONIC, so that all begin together
time.sleep(max(0.0, begin - time.monotonic()))
answers = []
for _ in range(JOBS):
    connection.request("POST", "/jobs", BODY, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    answers.append((answer.status, answer.headers["Retry-After"]))
print(json.dumps(answers))
