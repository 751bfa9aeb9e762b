from __future__ import annotations

import pytest

from demo_workers.records.events import ClientOutcome
from demo_workers.services.clients import messages
from demo_workers.services.clients.connection import Answer


class TestAttempt:
    @pytest.mark.parametrize(("timeout_s", "wait"), [(None, 30), (1, 1), (1.0, 1), (0.2, 1), (1.2, 2), (30, 30)])
    def test_prefer_is_the_patience_in_whole_seconds(self, timeout_s: float | None, wait: int) -> None:
        """RFC 7240 knows whole seconds only, so that the patience is rounded up; none is the longest wait there is."""
        data = messages.attempt(b"workbook", 12, 345, 2, timeout_s, b"{}")
        assert b"\r\nPrefer: wait=%d\r\n" % wait in data

    def test_whole(self) -> None:
        """An attempt names its client, its request and its own number."""
        body = messages.body(0.05, "sleep")
        assert messages.attempt(b"workbook", 12, 345, 2, 1.0, body) == (
            b"POST /jobs HTTP/1.1\r\nHost: workbook\r\nContent-Type: application/json\r\nContent-Length: 64\r\n"
            b"Workbook-Client: 12\r\nWorkbook-Attempt: 345.2\r\nPrefer: wait=1\r\n\r\n"
            b'{"task":"work","args":{"service_time_s":0.05,"kind":"sleep"}}'
        ).replace(b"64", b"%d" % len(body))

    def test_further_headers(self) -> None:
        """Time left, urgency and key are header lines of their own, before the body."""
        more = messages.deadline(1.25) + messages.URGENT + messages.idempotency_key("0badcafe", 345)
        head, _, body = messages.attempt(b"workbook", 12, 345, 2, None, b"{}", more).partition(b"\r\n\r\n")
        assert head.split(b"\r\n")[-3:] == [
            b"Workbook-Deadline: 1.250000",
            b"Priority: u=1",
            b"Idempotency-Key: 0badcafe-345",
        ]
        assert body == b"{}"

    def test_no_time_left(self) -> None:
        """Who is late says that no time is left, not less than none."""
        assert messages.deadline(-0.5) == b"Workbook-Deadline: 0.000000\r\n"

    def test_host(self) -> None:
        """A unix socket gets a name, a TCP address says its own."""
        assert messages.host({"uds": "/x"}) == b"workbook"
        assert messages.host({"host": "127.0.0.1", "port": 8000}) == b"127.0.0.1:8000"


class TestOutcome:
    @pytest.mark.parametrize(
        ("status", "body", "outcome"),
        [
            (200, b'{"status": "finished", "result": 1}', ClientOutcome.SUCCEEDED),
            (200, b"{}", ClientOutcome.SUCCEEDED),
            (200, b'{"status": "failed"}', ClientOutcome.ERRORED),
            (200, b"<html>", ClientOutcome.ERRORED),
            (202, b"{}", ClientOutcome.TIMED_OUT),
            (503, b"{}", ClientOutcome.REFUSED),
            (429, b"", ClientOutcome.REFUSED),
            (500, b"", ClientOutcome.ERRORED),
            (404, b"", ClientOutcome.ERRORED),
            (301, b"", ClientOutcome.ERRORED),
        ],
    )
    def test_status_and_body(self, status: int, body: bytes, outcome: ClientOutcome) -> None:
        """Only a 200 whose job did not fail is a success."""
        assert messages.outcome(Answer(status, body, b"")) is outcome

    def test_none(self) -> None:
        """No answer is an error."""
        assert messages.outcome(None) is ClientOutcome.ERRORED


class TestRetryAfter:
    @pytest.mark.parametrize(
        ("body", "header", "told_s"),
        [
            (b'{"retry_after_s": 0.25}', b"1", 0.25),
            (b'{"retry_after_s": 0}', b"1", 0.0),
            (b'{"title": "full"}', b"3", 3.0),
            (b"not JSON", b"3", 3.0),
            (b'{"retry_after_s": "soon"}', b"2", 2.0),
            (b'{"retry_after_s": -1}', b"2", None),
            (b"{}", b"Tue, 24 Nov 2026 00:00:00 GMT", None),
            (b"", b"", None),
        ],
    )
    def test_body_before_header(self, body: bytes, header: bytes, told_s: float | None) -> None:
        """The exact number of the body counts; the header's whole seconds are for those who cannot read it."""
        assert messages.retry_after_s(Answer(503, body, header)) == told_s
