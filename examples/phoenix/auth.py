"""Phoenix's auth service, which may answer /api/auth/… in the gateway's place (auth-service.yaml).

JWT_SECRET_KEY=… python -m examples.phoenix.auth --port 5000
Accounts are kept in memory; tokens are signed with the secret that the gateway knows, too.
"""

import os
import secrets
import time
from typing import Any

import jwt
from flask import Flask, Response, jsonify, request
from werkzeug.security import check_password_hash, generate_password_hash

from examples.serving import said, wsgi

NAME = "auth"
ISSUER = "auth-service"
LIVES_S = 900
COOKIE = "access_token"
app = Flask(__name__)
passwords: dict[str, str] = {}
refreshing: dict[str, str] = {}
"""Refresh tokens that were not used yet, and whose they are."""
revoked: set[str] = set()
"""The `jti` of tokens that were signed out."""


class Refused(Exception):  # noqa: N818 - an answer
    """Nobody is signed in."""


@app.errorhandler(Refused)
def refused(_: Refused) -> tuple[Response, int]:
    return jsonify({"error": "sign in first"}), 401


@app.before_request
def say() -> None:
    if request.path != "/health":
        said(NAME, request.method, request.path, request.headers)


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "healthy"}


@app.post("/api/auth/register")
def register() -> tuple[dict[str, Any], int]:
    name, password = _given("username"), _given("password")
    if not name or len(password) < 8:
        return {"error": "a username and a password of 8 characters or more are needed"}, 400
    if name in passwords:
        return {"error": "there is such an account already"}, 409
    passwords[name] = generate_password_hash(password)
    return {"user": {"username": name}}, 201


@app.post("/api/auth/login")
def login() -> Response | tuple[dict[str, Any], int]:
    name = _given("username")
    if not check_password_hash(passwords.get(name, ""), _given("password")):
        return {"error": "name or password is wrong"}, 401
    return _pair_for(name)


@app.post("/api/auth/refresh")
def refresh() -> Response:
    """A refresh token is good once."""
    name = refreshing.pop(_given("refresh_token") or request.cookies.get("refresh_token", ""), None)
    if name is None:
        raise Refused
    return _pair_for(name)


@app.post("/api/auth/logout")
def logout() -> Response:
    revoked.add(_claims()["jti"])
    response = Response(status=204)
    response.delete_cookie(COOKIE)
    return response


@app.get("/api/auth/validate")
def validate() -> dict[str, Any]:
    claims = _claims()
    return {"valid": True, "user": {"username": claims["username"]}, "expires_at": claims["exp"]}


@app.get("/api/auth/profile")
def profile() -> dict[str, Any]:
    return {"user": {"username": _claims()["username"]}}


def _given(name: str) -> str:
    document = request.get_json(silent=True)
    return str(document.get(name, "")) if isinstance(document, dict) else ""


def _pair_for(name: str) -> Response:
    now = int(time.time())
    claims = {"iss": ISSUER, "sub": f"account-{name}", "username": name, "jti": secrets.token_hex(8)}
    access = jwt.encode({**claims, "iat": now, "exp": now + LIVES_S}, os.environ["JWT_SECRET_KEY"], "HS256")
    again = secrets.token_urlsafe(24)
    refreshing[again] = name
    response = jsonify(
        {"access_token": access, "refresh_token": again, "expires_in": LIVES_S, "user": {"username": name}}
    )
    response.set_cookie(COOKIE, access, httponly=True, samesite="Lax", max_age=LIVES_S)
    return response


def _claims() -> dict[str, Any]:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token if scheme == "Bearer" else request.cookies.get(COOKIE, "")
    try:
        claims = jwt.decode(token, os.environ["JWT_SECRET_KEY"], ["HS256"], issuer=ISSUER)
    except jwt.InvalidTokenError as error:
        raise Refused from error
    if claims["jti"] in revoked:
        raise Refused
    return dict(claims)


if __name__ == "__main__":
    wsgi(app)
