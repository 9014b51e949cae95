"""I: Answers that the gateway gives itself, sent through the exchange in one place."""

from authproxy import problems
from authproxy.exchange import Exchange
from authproxy.headers import Pair, with_own
from authproxy.rejections import Rejection
from authproxy.securityfields import completed
from resilience.clock import http_date, timestamp


async def answer(exchange: Exchange, status: int, headers: list[Pair], body: bytes) -> None:
    """Send a complete answer: `Content-Length` and the correlation fields are added here."""
    exchange.status = status
    exchange.sent = len(body)
    if exchange.answer_fields:
        headers = with_own(headers, exchange.answer_fields)
    sent_headers = [
        *headers,
        (b"content-length", str(len(body)).encode("ascii")),
        (b"date", http_date()),
        (b"x-request-id", exchange.request_id),
    ]
    if exchange.traceparent:
        sent_headers.append((b"traceparent", exchange.traceparent))
    await exchange.send({"type": "http.response.start", "status": status, "headers": sent_headers})
    await exchange.send({"type": "http.response.body", "body": body})


async def refuse(exchange: Exchange, rejection: Rejection) -> None:
    """Turn a refusal into the error envelope."""
    exchange.refusal = rejection
    request_id = exchange.request_id.decode("ascii")
    body = problems.envelope(rejection, request_id=request_id, timestamp=timestamp())
    headers: list[Pair] = [(b"content-type", b"application/json"), *rejection.headers]
    if rejection.close:
        headers.append((b"connection", b"close"))
    origin = getattr(exchange, "origin", None)  # not known yet if the gateway itself went wrong
    headers = completed(headers, exchange.safety.own["http" if origin is None else origin.scheme])
    await answer(exchange, rejection.status, headers, body)
