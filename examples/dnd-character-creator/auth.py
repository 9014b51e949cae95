"""The auth service: signs tokens with a key of its own, whose public half is at /.well-known/jwks.json.

python -m examples.dnd-character-creator.auth --port 8070
"""

import json
import time
from typing import Annotated, Any, Literal

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import FastAPI, Form

from examples.serving import asgi

ISSUER, AUDIENCE, KEY_ID, LIVES_S = "dnd-auth", "dnd", "dnd-1", 900
app = FastAPI(title="D&D auth", version="2.0.0")
key = ec.generate_private_key(ec.SECP256R1())


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "healthy"}


@app.get("/.well-known/jwks.json")
def keys() -> dict[str, Any]:
    public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key.public_key()))
    return {"keys": [{**public, "kid": KEY_ID, "alg": "ES256", "use": "sig"}]}


@app.post("/api/v2/auth/token")
def token(
    name: Annotated[str, Form()], role: Annotated[Literal["player", "game-master"], Form()] = "player"
) -> dict[str, Any]:
    """Believes everybody, as it is an example."""
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": name, "name": name, "roles": [role]}
    signed = jwt.encode({**claims, "iat": now, "exp": now + LIVES_S}, key, "ES256", {"kid": KEY_ID})
    return {"access_token": signed, "token_type": "Bearer", "expires_in": LIVES_S}


if __name__ == "__main__":
    asgi(app)
