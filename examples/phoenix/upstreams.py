"""Phoenix's services, as stand-ins that keep everything in memory and say who asked.

python -m examples.phoenix.upstreams chat --port 8000
JWT_SECRET_KEY=… python -m examples.phoenix.upstreams auth --port 5000
"""

import os
import time
from typing import Any

import jwt

from examples.upstream import Answer, Request, main

histories: dict[str, list[dict[str, str]]] = {}
avatars: dict[str, str] = {}
passwords: dict[str, str] = {}


def chat(request: Request) -> Answer:
    """Messages and their history by account; an avatar, which anybody may see."""
    head: dict[str, Any] = {"service": "chat", "caller": request.caller}
    owner = request.caller["consumer"] if request.caller else ""
    history = histories.setdefault(owner, [])
    match request.method, request.path.removeprefix("/api/chat/"):
        case "POST", "message" if "message" in request.fields:
            message = str(request.fields["message"])
            history.append({"message": message, "reply": f"You said: {message}"})
            return 200, {**head, **history[-1]}
        case "GET", "history":
            start, count = int(request.query.get("offset", 0)), int(request.query.get("limit", 20))
            return 200, {**head, "total": len(history), "history": history[start : start + count]}
        case "GET", "avatar":
            return 200, {**head, "avatar": avatars.get(owner, "none yet")}
        case "POST", "avatar":
            avatars[owner] = f"avatar of {owner}"
            return 201, {**head, "avatar": avatars[owner]}
    return 400, {**head, "error": 'send JSON such as {"message": "hello"}'}


def auth(request: Request) -> Answer:
    """An auth service of somebody's own, for auth-service.yaml: accounts, and tokens that its secret signs."""
    name, password = str(request.fields.get("username", "")), str(request.fields.get("password", ""))
    match request.method, request.path.removeprefix("/api/auth/"):
        case "POST", "register" if name and name not in passwords:
            passwords[name] = password
            return 201, {"user": {"username": name}}
        case "POST", "login" if name and passwords.get(name) == password:
            return 200, {"access": token_for(name), "user": {"username": name}}
        case "POST", "logout":
            return 204, {}
        case ("POST", "refresh") | ("GET", "validate" | "profile"):
            return account_of(request.token)
    return 400, {"error": "no"}


def token_for(name: str) -> str:
    now = int(time.time())
    claims = {"iss": "auth-service", "sub": f"account-{name}", "username": name, "iat": now, "exp": now + 900}
    return jwt.encode(claims, os.environ["JWT_SECRET_KEY"], "HS256")


def account_of(token: str) -> Answer:
    try:
        claims = jwt.decode(token, os.environ["JWT_SECRET_KEY"], ["HS256"], issuer="auth-service")
    except jwt.InvalidTokenError:
        return 401, {"error": "sign in first"}
    name = claims["username"]
    return 200, {"access": token_for(name), "valid": True, "user": {"username": name}}


if __name__ == "__main__":
    main({"chat": chat, "auth": auth})
