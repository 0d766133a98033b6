"""The explainer: every kind by hand and at random, what real clients got wrong, what people paste, and what must never be in a report."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import awsign
from awsign.explainer import GROUPS, KINDS
from awsign.explainer.material import read
from awsign.explainer.visible import differing, visible

from .browser import browser
from .conftest import KEY, SECRET, TOKEN
from .explain.accuracy import verdict
from .explain.by_hand import HAND
from .explain.cases import AT, CREDENTIALS, GENERATORS, TEMPORARY, Draw, matching
from .test_cli import run

HERE = Path(__file__).parent
RECORDED = [json.loads(line) for line in (HERE / "explain/recorded.jsonl").read_text().splitlines()]
SAMPLES = HERE / "explain/samples"


class TestCatalogue:
    def test_every_kind_has_cases(self) -> None:
        kinds = [case.kind for case in HAND]
        assert {kind for kind in KINDS if kinds.count(kind) < 3} == set()
        assert KINDS.keys() == GENERATORS.keys()
        assert set(kinds) <= KINDS.keys()

    @pytest.mark.parametrize("case", HAND, ids=[f"{n}-{case.kind}" for n, case in enumerate(HAND)])
    def test_by_hand(self, case) -> None:
        outcome, report = verdict(case)
        assert outcome in ("first", "group"), report.causes

    @pytest.mark.parametrize("kind", GENERATORS)
    def test_at_random(self, kind: str) -> None:
        """A few of those of `make explain-accuracy`."""
        for seed in range(5):
            case = GENERATORS[kind](Draw(77_000 + seed))
            outcome, report = verdict(case)
            assert outcome in ("first", "group"), (seed, report.causes, case.request)

    def test_what_matches_is_never_called_wrong(self) -> None:
        for seed in range(150):
            case = matching(Draw(seed))
            report = awsign.explain(case.request, case.credentials, None, case.at)
            assert (report.matches, report.causes, report.checked) == (True, (), case.credentials is not None), case.request

    def test_two_mistakes(self) -> None:
        from .explain.by_hand import api, raw

        wire = api("lower-case-hex", "/x?b=%2F&a=%3B", secret=SECRET + " ")
        kinds = {cause.kind for cause in awsign.explain(raw(wire), CREDENTIALS, None, AT).causes if cause.proved}
        assert kinds == {"lower-case-hex", "secret-white-space"}

    def test_groups_name_kinds(self) -> None:
        for name, group in GROUPS.items():
            assert set(group.kinds) <= KINDS.keys(), name


class TestRealClients:
    """Requests of real clients that a real server (OpenStack Swift) refused, recorded; with what each client really signed."""

    @pytest.mark.parametrize("recorded", RECORDED, ids=[each["id"] for each in RECORDED])
    def test_recorded(self, recorded: dict) -> None:
        credentials = awsign.Credentials(KEY, SECRET)
        request, response = recorded["request"].encode("latin-1"), recorded["response"].encode("latin-1")
        report = awsign.explain(request, credentials, response)
        assert not report.matches
        proved = [
            cause for cause in report.causes if cause.proved and cause.place == "canonical request" and cause.part != "its end"
        ]
        if len(proved) == 1 and recorded["signed"] is not None:
            # What is said to have been signed is a line of what the client signed, and not of what the server derived.
            assert proved[0].theirs in recorded["signed"].encode("latin-1").decode("utf-8", "surrogateescape").split("\n")
        if not request.startswith(b"HEAD"):  # Its answer says nothing.
            assert awsign.explain(request, None, response).causes

    def test_most_are_proved(self) -> None:
        found = 0
        for recorded in RECORDED:
            report = awsign.explain(
                recorded["request"].encode("latin-1"),
                awsign.Credentials(KEY, SECRET),
                recorded["response"].encode("latin-1"),
                effort="quick",
            )
            found += any(cause.proved for cause in report.causes)
        assert found > 0.8 * len(RECORDED)


class TestForms:
    """What people paste, as it was recorded (tests/explain/samples)."""

    @pytest.mark.parametrize("sample", sorted(SAMPLES.iterdir()), ids=lambda path: path.name)
    def test_samples(self, sample: Path) -> None:
        text = sample.read_bytes()
        if sample.name.startswith(("01f", "03g")):
            with pytest.raises(awsign.InvalidRequest, match=r"log that too|output of curl -v"):
                awsign.explain(text)
            return
        kinds = {cause.kind for cause in awsign.explain(text, awsign.Credentials(KEY, SECRET)).causes}
        kinds -= {"clock-skew", "expired-url"}  # It was recorded some time ago.
        if "-ok" in sample.name:
            assert kinds == set()
        elif "unsorted" in sample.name:
            assert kinds == {"query-not-sorted"}
        elif "appended" in sample.name:
            assert kinds == {"parameter-added"}
        else:
            assert "wrong-secret" in kinds

    def right(self, body: bytes = b"", method: str = "GET", service: str = "execute-api") -> awsign.Signed:
        headers = {"content-type": "application/json"} if body else {}
        return awsign.SigV4(CREDENTIALS, service, "us-east-1").sign(
            awsign.Request(method, "https://api.example.com/a%20b?x=1&y", headers, body), at=AT
        )

    def message(self, signed: awsign.Signed) -> str:
        target = signed.url.split("api.example.com")[1]
        body = (signed.body or b"").decode()
        length = f"Content-Length: {len(body)}\n" if body else ""
        return f"{signed.method} {target} HTTP/1.1\n" + "".join(f"{n}: {v}\n" for n, v in signed.headers) + length + "\n" + body

    @pytest.mark.parametrize(
        "wrap",
        [
            lambda text: text,
            lambda text: text.replace("\n", "\r\n"),
            lambda text: f"```http\n{text}\n```\n",
            lambda text: "\n".join(f"> {line}" if line else ">" for line in text.split("\n")),
            lambda text: "\n".join(f"    {line}" if line else "" for line in text.split("\n")),
            lambda text: f"{text}\n\nHTTP/1.1 403 Forbidden\nContent-Type: text/plain\n\n{{\"message\": \"no\"}}",
            lambda text: "\ufeff" + text,
        ],
        ids=["plain", "crlf", "fenced", "quoted", "indented", "answered", "marked"],
    )  # fmt: skip
    def test_a_message_however_it_is_wrapped(self, wrap) -> None:
        for signed in (self.right(), self.right(b'{"a": 1}', "POST")):
            report = awsign.explain(wrap(self.message(signed)), CREDENTIALS, None, AT)
            assert report.matches and report.checked, report

    def test_utf_16(self) -> None:
        assert awsign.explain(b"\xff\xfe" + self.message(self.right()).encode("utf-16-le"), CREDENTIALS, None, AT).matches

    @pytest.mark.parametrize(
        "line",
        [
            "curl {headers} {url}",
            "$ curl -sS {headers} '{bare}' | jq .",
            "user@host:~$ AWS_REGION=x curl --compressed {headers} --url={url}",
            "curl {url} \\\n  {headers} -o out.json 2>err.txt",
            "echo start; curl {headers} {url}; echo done",
            "sudo /usr/bin/curl -k -L --max-time 10 --unknown-option {headers} {url}",
        ],
    )  # fmt: skip
    def test_curl_lines(self, line: str) -> None:
        import shlex

        signed = self.right()
        headers = " ".join(f"-H {shlex.quote(f'{n}: {v}')}" for n, v in signed.headers if n != "Host")
        text = line.format(headers=headers, url=shlex.quote(signed.url), bare=signed.url)
        report = awsign.explain(text.replace("--url=", "--url "), CREDENTIALS, None, AT)
        assert report.matches and report.form == "curl command line", report

    def test_a_file_is_read_only_where_that_is_asked_for(self, tmp_path: Path) -> None:
        signed = self.right(b'{"a": 1}', "POST")
        (tmp_path / "body.json").write_bytes(b'{"a": 1}')
        headers = " ".join(f"-H '{n}: {v}'" for n, v in signed.headers if n != "Host")
        text = f"curl {headers} --data-binary @{tmp_path}/body.json '{signed.url}'"
        unread = awsign.explain(text, CREDENTIALS, None, AT)
        assert (unread.matches, unread.checked) == (True, False) and "not read" in unread.notes[0]
        assert awsign.explain(text, CREDENTIALS, None, AT, read_file=lambda name: Path(name).read_bytes()).checked

    def test_a_body_that_is_not_there_is_not_called_wrong(self) -> None:
        signed = self.right(b'{"a": 1}', "POST")
        printed = f"POST {signed.url}\n{dict(signed.headers)!r}"
        report = awsign.explain(printed, CREDENTIALS, None, AT)
        assert (report.matches, report.checked) == (True, False) and report.notes

    @pytest.mark.parametrize(
        "junk",
        [
            b"", b"   \n", b"\xff\x00\xfe" * 50, b"hello", b"{}", b"[]", b"[1, 2]", b'{"log":{"entries":5}}', b'{"url":"https://h/","body":"\\ud800"}',
            b"curl", b"curl -H", b"curl 'x", b"curl -d $'\\ud800' https://h/", b"x-amz-date: 1\nbody: b'\\xzz'", b"{[]: 1, 'x-amz-date': 1}",
            b"POST / HTTP/1.1\nHost: h\nContent-Length: \xb2\n\nabc", b"POST / HTTP/1.1\nContent-Length: " + b"9" * 5000 + b"\n\n", b"GET / HTTP/1.1\n : x\n\n",
            b"{" * 5000, b'{"a":' * 3000, b"x-amz-date\n" + b"\n" * 20000, b"a:" + b" " * 80000, b"[(" * 20000, b"send: b'" * 5000,
            b"GET / HTTP/1.1\nA: b\n" + b" c\n" * 50000, b"https://h/?X-Amz-Signature=" + b"%" * 50000, b"curl " + b"-H a " * 20000, b"$'" * 20000, b"<" * 100000,
            b"<AWSPreparedRequest stream_output=True, method=GET, url=x, headers={" * 2000,
        ],
    )  # fmt: skip
    def test_junk_is_refused_or_read_but_nothing_else(self, junk: bytes) -> None:
        with contextlib.suppress(awsign.InvalidRequest):
            awsign.explain(junk, CREDENTIALS, None, AT, effort="quick")

    @pytest.mark.parametrize("wrong", [None, 5, object(), ["GET"]])
    def test_what_is_no_text(self, wrong) -> None:
        with pytest.raises(TypeError):
            awsign.explain(wrong)


class TestAnswers:
    def test_the_shapes_of_services(self) -> None:
        told = "GET\n/\n\nhost:x\nx-amz-note:it's\n\nhost;x-amz-note\ne3b0"
        sentence = f"should have been\n'{told}'\n\nThe String-to-Sign should have been\n'AWS4-HMAC-SHA256\n20260115T123045Z\nscope\nhash'\n"
        first = "The request signature we calculated does not match the signature you provided."
        message = f"{first}\n\nThe Canonical String for this request {sentence}"
        from awsign.explainer.answer import Answer, as_response

        for body in (
            json.dumps({"message": message}),
            json.dumps({"__type": "com.amazon.coral.service#InvalidSignatureException", "Message": message}),
            f'{{"message":"{message}"}}',  # API Gateway's own templates leave the line breaks.
            f"<ErrorResponse><Error><Type>Sender</Type><Code>SignatureDoesNotMatch</Code><Message>{message}</Message></Error></ErrorResponse>",
            f"<Error><Code>SignatureDoesNotMatch</Code><StringToSign>AWS4-HMAC-SHA256\n20260115T123045Z\nscope\nhash</StringToSign><CanonicalRequest>{told}</CanonicalRequest></Error>",
            f"HTTP/1.1 403 Forbidden\nx-amzn-errortype: InvalidSignatureException\n\n{json.dumps({'message': message})}",
        ):  # fmt: skip
            answer = Answer(as_response(body))
            assert answer.canonical_request == told, body
            assert answer.string_to_sign == "AWS4-HMAC-SHA256\n20260115T123045Z\nscope\nhash", body

    def test_what_is_not_about_the_signature(self) -> None:
        case = matching(Draw(4))
        report = awsign.explain(
            case.request, case.credentials, awsign.Response(404, {}, b"<Error><Code>NoSuchKey</Code></Error>"), case.at
        )
        assert report.matches and "NoSuchKey" in report.notes[0]

    def test_right_and_refused(self) -> None:
        """The request as it is here is signed right: then it is the server that has another secret, or saw another request."""
        case = matching(Draw(6))
        report = awsign.explain(
            case.request,
            CREDENTIALS,
            b'{"message": "The request signature we calculated does not match the signature you provided."}',
            case.at,
        )
        assert not report.matches
        assert (report.causes[0].kind, report.causes[0].group) == ("wrong-secret", "on-the-way")


class TestSecrets:
    def shown(self, report: awsign.Report) -> str:
        return f"{report}\n{report.html()}\n{json.dumps(report.as_json())}\n{report!r}\n{report.causes!r}"

    def test_no_secret_token_or_right_signature_is_shown(self) -> None:
        for case in HAND:
            report = awsign.explain(case.request, case.credentials, case.response, case.at)
            shown = self.shown(report)
            assert SECRET not in shown and TOKEN not in shown, case.kind
            assert "FwoGZXIvYXdz" not in shown, case.kind

    def test_the_right_signature(self) -> None:
        """The one that would have been right is nobody's business."""
        from .explain.by_hand import s3

        for m in ("path-encoded-twice", "key-hex", "secret-white-space", "base64-for-hex"):
            right = s3("", "/a%20b").header("authorization").rpartition("=")[2]
            shown = self.shown(awsign.explain(s3(m, "/a%20b").message(), CREDENTIALS, None, AT))
            assert right not in shown

    def test_a_refusal_repeats_nothing(self) -> None:
        for text in (f"kurl -u {KEY}:{SECRET} https://x", f"aws_secret_access_key={SECRET}", f"curl --{SECRET} x"):
            try:
                shown = self.shown(awsign.explain(text))
            except awsign.InvalidRequest as error:
                shown = str(error)
            assert SECRET not in shown


class TestPage:
    def reports(self) -> list[awsign.Report]:
        cases = [GENERATORS["plus-for-space"](Draw(3)), GENERATORS["wrong-secret"](Draw(1)), matching(Draw(5))]
        return [awsign.explain(case.request, case.credentials, case.response, case.at) for case in cases]

    def test_in_a_browser(self, tmp_path: Path) -> None:
        """Light and dark, wide and narrow; it asks for nothing but itself, and nothing runs off its side."""
        with browser() as tab:
            for n, report in enumerate(self.reports()):
                page = tmp_path / f"{n}.html"
                page.write_text(report.html(), encoding="utf-8")
                pictures = {}
                for dark in (False, True):
                    for width in (1000, 390):
                        picture, asked = tab.screenshot(page, width=width, dark=dark)
                        pictures[dark, width] = picture
                        assert {url for url in asked if not url.startswith("file:")} == set()
                        assert tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
                        back = tab.evaluate("getComputedStyle(document.body).backgroundColor")
                        assert (sum(map(int, re.findall(r"\d+", back))) < 200) is dark
                assert len(set(pictures.values())) == 4
                assert tab.evaluate("document.querySelectorAll('ol.tasks li').length") == 4
                marked = tab.evaluate("Array.from(document.querySelectorAll('mark')).map(m => m.textContent).join()")
                assert marked == ("%20,+" if n == 0 else "")

    def test_hostile_text_stays_text(self, tmp_path: Path) -> None:
        text = "GET /<script>document.title='x'</script>?a=<img/src=x/onerror=alert(1)> HTTP/1.1\nHost: h\nAuthorization: AWS4-HMAC-SHA256 <b>Credential=a/20260115/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00\n\n"
        page = tmp_path / "page.html"
        page.write_text(awsign.explain(text, CREDENTIALS, None, AT).html(), encoding="utf-8")
        with browser() as tab:
            tab.screenshot(page, width=800, dark=False)
            assert tab.evaluate("document.title") == "Why the signature does not match"
            assert tab.evaluate("document.querySelectorAll('script, img, b b').length") == 0


class TestVisible:
    def test_what_cannot_be_seen(self) -> None:
        assert visible("a\r\n\t\x00\u200b\ufeff\u00a0\x7f") == "a␍␊␉␀⟨ZWSP⟩⟨BOM⟩⍽␡"

    @given(st.text(max_size=60), st.text(max_size=60))
    def test_runs_join_to_the_texts(self, ours: str, theirs: str) -> None:
        a, b = differing(ours, theirs)
        assert [run for run in a if not run[1]] == [run for run in b if not run[1]]
        assert "".join(piece for piece, _ in a).replace("·", " ") == visible(ours).replace("·", " ")
        assert ("".join(piece for piece, _ in b) == "") == (theirs == "")


def command(*arguments: str, stdin: bytes = b"", **environ: str) -> subprocess.CompletedProcess[str]:
    done = run(*arguments, stdin=stdin, check=None, **environ)
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


class TestCommand:
    AT = "2026-01-15T12:30:45Z"

    @pytest.fixture
    def file(self, tmp_path: Path) -> str:
        from .explain.by_hand import api

        path = tmp_path / "request.txt"
        path.write_bytes(api("plus-for-space", "/x?q=a%20b").message())
        return str(path)

    def test_json(self, file: str) -> None:
        result = command("explain", file, "--at", self.AT, "--format", "json")
        told = json.loads(result.stdout)
        assert (result.returncode, told["matches"], told["causes"][0]["kind"]) == (0, False, "plus-for-space")
        assert {"kind", "message", "fix", "ours", "theirs"} <= told["causes"][0].keys()

    def test_text_and_page(self, file: str) -> None:
        text = command("explain", file, "--at", self.AT).stdout
        assert "plus-for-space (proved; canonical request, query)" in text and "theirs  q=a+b" in text
        assert command("explain", file, "--at", self.AT, "--format", "html").stdout.startswith("<!doctype html>")

    def test_standard_input_and_the_answer(self, file: str, tmp_path: Path) -> None:
        answer = tmp_path / "answer.xml"
        answer.write_text(
            "<Error><Code>RequestTimeTooSkewed</Code><Message>The difference between the request time and the current time is too large.</Message></Error>"
        )
        result = command(
            "explain", "-", "--response", str(answer), "--no-credentials", "--format", "json", stdin=Path(file).read_bytes()
        )
        assert json.loads(result.stdout)["causes"][0]["kind"] == "clock-skew"

    def test_a_url_by_itself(self) -> None:
        from .explain.by_hand import link

        told = command("explain", link("", "/a", "PUT").url, "--at", self.AT, "--format", "json").stdout
        assert json.loads(told)["causes"][0]["kind"] == "presigned-for-another-method"

    def test_kinds(self) -> None:
        text = command("explain", "kinds").stdout
        assert all(kind in text for kind in KINDS) and all(group in text for group in GROUPS)
        assert json.loads(command("explain", "kinds", "--format", "json").stdout)["kinds"].keys() == KINDS.keys()

    def test_without_credentials(self, file: str) -> None:
        result = command("explain", file, "--at", self.AT, AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
        assert (result.returncode, "without the secret" in result.stderr) == (0, True)

    @pytest.mark.parametrize("arguments", [["nothing.txt"], ["request.txt", "--at", "yesterday"], []])
    def test_failures(self, arguments) -> None:
        result = command("explain", *arguments)
        assert result.returncode in (2, 26) and result.stdout == "" and "Traceback" not in result.stderr

    def test_verify(self, file: str, tmp_path: Path) -> None:
        from .explain.by_hand import api, link

        right = tmp_path / "right.txt"
        right.write_bytes(api("", "/x", "POST", body=b"{}").message())
        assert command("verify", str(right), "--at", self.AT).stdout.startswith(f"verified: {KEY} by sigv4")
        wrong = command("verify", file, "--at", self.AT)
        assert (wrong.returncode, wrong.stdout) == (1, "") and "signature-mismatch" in wrong.stderr
        told = json.loads(command("verify", file, "--at", self.AT, "--format", "json", "--key", f"{KEY}:{SECRET}").stdout)
        assert (told["verified"], told["kind"]) == (False, "signature-mismatch")
        url = link("", "/a", "PUT").url
        assert command("verify", url, "--at", self.AT).returncode == 1
        assert command("verify", url, "-X", "PUT", "--at", self.AT).returncode == 0
        assert command("verify", str(right), "--at", self.AT, "--region", "us-west-2").returncode == 1
        cut = tmp_path / "cut.txt"
        cut.write_bytes(api("", "/x", "POST", body=b"{}").message()[:-1])
        assert command("verify", str(cut), "--at", self.AT).returncode == 1


class TestServed:
    def test_the_answer_says_why(self, serve: str) -> None:
        for service, rules in (("s3", awsign.Rules(content_sha256="send")), ("execute-api", awsign.Rules(encode="once"))):
            signed = awsign.SigV4(CREDENTIALS, service, "us-east-1", rules=rules).sign(awsign.Request("GET", f"{serve}/a%20b"))
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with (
                pytest.raises(urllib.error.HTTPError) as refused,
                opener.open(urllib.request.Request(signed.url, headers=dict(signed.headers))),
            ):
                pass
            with refused.value as answer:
                body = answer.read()
                kind = "path-encoded-twice" if service == "s3" else "path-encoded-once"
                assert answer.headers["x-awsign-cause"].split(", ")[0] == kind
                assert (
                    (f"<Kind>{kind}</Kind>".encode() in body)
                    if service == "s3"
                    else json.loads(body)["awsign"]["causes"][0]["kind"] == kind
                )

    def test_another_body(self, serve: str) -> None:
        from .wire import send

        signed = awsign.SigV4(CREDENTIALS, "s3", "us-east-1").sign(awsign.Request("PUT", f"{serve}/b/k", body=b"text\n"))
        status, body = send(signed, b"text")
        assert status == 400 and b"<Kind>body-trailing-newline</Kind>" in body


class TestReading:
    @given(st.binary(max_size=300))
    @settings(max_examples=300)
    def test_any_bytes(self, junk: bytes) -> None:
        with contextlib.suppress(awsign.InvalidRequest):
            awsign.explain(junk, None, None, AT, effort="quick")

    @given(
        st.text(max_size=200),
        st.sampled_from(
            ["curl ", "GET ", "{", "send: b'", "https://h/?X-Amz-Signature=", "<AWSPreparedRequest ", "x-amz-date: ", 'fetch("']
        ),
    )
    def test_any_text_behind_what_begins_a_form(self, junk: str, start: str) -> None:
        with contextlib.suppress(awsign.InvalidRequest):
            awsign.explain(start + junk, CREDENTIALS, None, AT, effort="quick")

    def test_what_is_read_is_what_was_sent(self) -> None:
        signed = TestForms().right(b'{"a": 1}', "POST")
        request = read(TestForms().message(signed)).request
        assert (request.method, request.target, request.body) == ("POST", "/a%20b?x=1&y", b'{"a": 1}')


def test_time_that_the_answer_says() -> None:
    """The server's clock counts before that of this machine."""
    case = GENERATORS["path-encoded-twice"](Draw(1))
    answer = awsign.Response(403, {"Date": AT.strftime("%a, %d %b %Y %H:%M:%S GMT")}, b"")
    assert awsign.explain(case.request, CREDENTIALS, answer).causes[0].kind in (
        "path-encoded-twice",
        "path-rewritten",
    )
    assert all(cause.kind != "clock-skew" for cause in awsign.explain(case.request, CREDENTIALS, answer).causes)
    late = awsign.explain(case.request, CREDENTIALS, None, datetime(2026, 3, 1, tzinfo=UTC))
    assert "clock-skew" in [cause.kind for cause in late.causes] or "expired-url" in [cause.kind for cause in late.causes]


def test_names_stay() -> None:
    """`awsign.explain` is the function, whatever else was imported."""
    import importlib

    importlib.import_module("awsign.explainer.material")
    assert callable(awsign.explain) and awsign.Response(200).status == 200 and TEMPORARY.session_token


class TestRequests:
    """What a program gives: requests as objects, and what signing gave."""

    def test_received_without_a_body(self) -> None:
        signed = awsign.SigV4(CREDENTIALS, "execute-api", "us-east-1").sign(
            awsign.Request("GET", "https://api.example.com/x"), at=AT
        )
        report = awsign.explain(awsign.Request.received("GET", "/x", signed.headers), CREDENTIALS, None, AT)
        assert (report.matches, report.checked, report.notes) == (True, True, ())

    def test_a_body_that_was_not_read(self) -> None:
        import io

        signed = awsign.SigV4(CREDENTIALS, "execute-api", "us-east-1").sign(
            awsign.Request("POST", "https://api.example.com/x", {"content-length": "3"}, b"abc"), at=AT
        )
        for body in (None, io.BytesIO(b"abc")):
            report = awsign.explain(awsign.Request.received("POST", "/x", signed.headers, body), CREDENTIALS, None, AT)
            assert (report.matches, report.checked) == (True, False) and report.notes

    def test_what_signing_gave(self) -> None:
        for signer, url in (
            (awsign.SigV4(CREDENTIALS), "https://photos.s3.us-east-1.amazonaws.com/k"),
            (awsign.SigV4A(CREDENTIALS), "https://photos.s3.us-east-1.amazonaws.com/k"),
        ):
            request = awsign.Request("PUT", url, body=b"x")
            assert awsign.explain(signer.sign(request, at=AT), CREDENTIALS, None, AT).matches
            assert awsign.explain(signer.presign(request, at=AT), CREDENTIALS, None, AT).matches
            other = awsign.Credentials(KEY, "another")
            assert awsign.explain(signer.sign(request, at=AT), other, None, AT).causes[0].kind == "wrong-secret"

    def test_a_provider(self) -> None:
        class Provider:
            def get(self) -> awsign.Credentials:
                return CREDENTIALS

        signed = awsign.SigV4(CREDENTIALS).sign(awsign.Request("GET", "https://photos.s3.us-east-1.amazonaws.com/k"), at=AT)
        assert awsign.explain(signed, Provider(), None, AT).checked


class TestLogs:
    """What a signer's log says that it signed, beside what was sent."""

    def log(self, canonical: str, target: str, headers: dict[str, str]) -> str:
        given = {
            **headers,
            "Authorization": "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260115/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature="
            + "0" * 64,
        }
        return (
            "botocore.auth [DEBUG] Calculating signature using v4 auth.\nbotocore.auth [DEBUG] CanonicalRequest:\n" + canonical + "\n"
            f"botocore.endpoint [DEBUG] Sending http request: <AWSPreparedRequest stream_output=False, method=GET, url=https://h.example.com{target}, headers={given!r}>\n"
        )  # fmt: skip

    def canonical(self, path: str, query: str = "", host: str = "h.example.com") -> str:
        empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        names = "host;x-amz-content-sha256;x-amz-date"
        return f"GET\n{path}\n{query}\nhost:{host}\nx-amz-content-sha256:{empty}\nx-amz-date:20260115T123045Z\n\n{names}\n{empty}"

    HEADERS = {  # noqa: RUF012
        "X-Amz-Date": "20260115T123045Z", "X-Amz-Content-SHA256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "Host": "h.example.com",
    }  # fmt: skip

    @pytest.mark.parametrize(
        ("signed", "sent", "kind"),
        [
            (("/zzz",), "/k", "path-rewritten"), (("/a%2520b",), "/a%20b", "path-encoded-twice"), (("/k", "a=1"), "/k?a=1&b=2", "parameter-added"),
            (("/k", "", "other.example.com"), "/k", "other-host"), (("/a/b",), "/a//b", "path-normalized"), (("/k", "a=1&b=2"), "/k?a=1", "query-rewritten"),
        ],
    )  # fmt: skip
    def test_without_the_secret(self, signed, sent: str, kind: str) -> None:
        canonical = self.canonical(*signed)
        [cause] = awsign.explain(self.log(canonical, sent, self.HEADERS), None, None, AT).causes
        assert cause.kind == kind
        assert cause.theirs is not None and cause.theirs in canonical and cause.ours not in canonical.split("\n")


class TestBodies:
    def test_lines_that_look_like_a_message(self) -> None:
        """A body may hold an answer, or a request: its length says where it ends."""
        body = b"log: HTTP/1.1 200 OK\nHTTP/1.1 200 OK\nGET /x HTTP/1.1\nHost: y\n"
        message = (
            b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % len(body) + body + b"\nHTTP/1.1 403 Forbidden\n\nno"
        )
        material = read(message)
        assert material.request.body == body and material.response is not None and material.response.status == 403


def test_a_prompt_with_many_variables_is_read_at_once() -> None:
    with pytest.raises(awsign.InvalidRequest):
        awsign.explain("$ " + 'a="" ' * 5000 + "x")


def test_masking_takes_no_time() -> None:
    from awsign.redact import masked

    assert masked("\n" * 300_000) == "\n" * 300_000


def test_the_texts_are_those_of_signing() -> None:
    """A right signer as steps gives what canonical.py gives: for every request of the vectors' kind, made at random."""
    from awsign.canonical import canonical_path, canonical_request
    from awsign.explainer.cases import case_of
    from awsign.explainer.claimed import read_claim
    from awsign.query import canonical_query

    for seed in range(200):
        case = matching(Draw(seed))
        request = read(case.request).request
        claim = read_claim(request)
        assert claim is not None
        if claim.scheme != "sigv4":
            continue
        steps = case_of(request, claim, "", None)
        path = canonical_path(request.path, awsign.rules_for(claim.service))
        expected = canonical_request(
            request.method,
            path,
            canonical_query(request.query),
            request.fields,
            claim.signed_headers,
            steps.steps["payload"],
        )
        assert steps.recipe.texts()[0] == expected


class TestWhatANewUserMet:
    def test_the_difference_is_in_sight(self) -> None:
        """Of a presigned query, what differs stands far to the right."""
        from .explain.by_hand import link, with_

        made = link("", "/ph%2Bo.jpg")
        text = str(awsign.explain(with_(made, query=[*made.query, ("x", "1")]).url, CREDENTIALS, None, AT))
        assert "&x=1" in text.split("Fix:", maxsplit=1)[0] and "^" in text

    def test_a_charset_and_an_unsorted_query(self) -> None:
        """What requests and a signer by hand make together."""
        from .explain.by_hand import api, with_

        wire = with_(
            api("query-not-sorted", "/x?z=1&a=2", "POST", [("Content-Type", "application/json")], b"{}"),
            header_Content_Type="application/json; charset=utf-8",
        )
        kinds = {cause.kind for cause in awsign.explain(wire.message(), CREDENTIALS, None, AT).causes if cause.proved}
        assert kinds == {"content-type-changed", "query-not-sorted"}

    def test_an_answer_pasted_under_a_request(self) -> None:
        signed = TestForms().right(b'{"a": 1}', "POST")
        text = TestForms().message(signed) + "\n\n<Error><Code>SignatureDoesNotMatch</Code></Error>\n"
        material = read(text)
        assert material.request.body == b'{"a": 1}' and material.response is not None

    def test_an_answer_alone(self) -> None:
        for text in ("<?xml version='1.0'?><Error></Error>", "HTTP/1.1 403 Forbidden\n\n"):
            with pytest.raises(awsign.InvalidRequest, match="--response"):
                awsign.explain(text)

    def test_a_prepared_request(self) -> None:
        import requests

        signed = TestForms().right(b'{"a": 1}', "POST")
        prepared = requests.Request("POST", signed.url, dict(signed.headers), data=signed.body).prepare()
        assert awsign.explain(prepared, CREDENTIALS, None, AT).matches

    def test_on_a_terminal(self, tmp_path: Path) -> None:
        """In a terminal of 80 columns: colours, and every character of what differs."""
        import os
        import pty

        from .explain.by_hand import link, with_
        from .servers import AWSIGN

        made = link("", "/ph%2Bo.jpg")
        file = tmp_path / "url.txt"
        file.write_text(with_(made, query=[*made.query, ("x", "1")]).url)
        environ = os.environ | {
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "TERM": "xterm-256color",
            "COLUMNS": "80",
        }
        reading, terminal = pty.openpty()
        with subprocess.Popen([AWSIGN, "explain", str(file), "--at", "2026-01-15T12:30:45Z"], stdout=terminal, env=environ):
            os.close(terminal)
            shown = bytearray()
            with contextlib.suppress(OSError):  # Its other end is closed.
                while block := os.read(reading, 65536):
                    shown += block
        os.close(reading)
        text = re.sub(r"\x1b\[[0-9;]*m", "", shown.decode())
        assert "parameter-added" in text and "&x=1" in text and b"\x1b[" in shown
        assert max(len(line) for line in text.replace("\r", "").split("\n")) <= 80

    def test_options(self) -> None:
        from .explain.by_hand import link

        url = link("", "/a", "PUT").url
        told = command("explain", url, "-X", "PUT", "--key", f"{KEY}:{SECRET}", "--at", "2026-01-15T12:30:45Z", "--format", "json")
        assert json.loads(told.stdout)["matches"]
        assert command("explain", "").returncode == 2
        assert command("explain", "kinds", "--format", "html").returncode == 2


class TestRealServers:
    """What real servers answer to a request that is signed wrong, with the secret and without."""

    @pytest.mark.parametrize("name", ["swift", "ministack", "juicefs", "rgw", "serve"])
    def test_their_answers(self, name: str, request) -> None:
        from .wire import send

        given = request.getfixturevalue(name)
        url, key, secret = given if isinstance(given, tuple) else (given, KEY, SECRET)
        credentials = awsign.Credentials(key, secret)
        rules = awsign.rules_for("s3").replace(path="normalize", encode="twice")
        signed = awsign.SigV4(credentials, "s3", "us-east-1", rules=rules).sign(awsign.Request("GET", f"{url}/bucket/a%20b"))
        status, body = send(signed)
        assert status == 403, body
        report = awsign.explain(signed, credentials, awsign.Response(status, {}, body))
        assert [cause.kind for cause in report.causes if cause.proved] == ["path-encoded-twice"]
        assert not awsign.explain(signed, None, awsign.Response(status, {}, body)).matches
        wrong = awsign.SigV4(awsign.Credentials(key, "another"), "s3", "us-east-1").sign(awsign.Request("GET", f"{url}/bucket"))
        status, body = send(wrong)
        assert awsign.explain(wrong, None, body).causes[0].kind == "wrong-secret", body
        late = awsign.SigV4(credentials, "s3", "us-east-1").sign(
            awsign.Request("GET", f"{url}/bucket"), at=datetime(2026, 1, 1, tzinfo=UTC)
        )
        status, body = send(late)
        assert "clock-skew" in [
            cause.kind for cause in awsign.explain(late, credentials, awsign.Response(status, {}, body)).causes
        ], body
