"""P: An OpenAPI document for tests of importing."""

from copy import deepcopy
from typing import Any

_ITEM = {"$ref": "#/components/schemas/Item"}
_OK = {"responses": {"200": {"description": "ok"}}}
_SHOP: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Shop", "version": "1"},
    "servers": [{"url": "https://{host}/v1/", "variables": {"host": {"default": "shop.example.com"}}}],
    "security": [{"bearer": []}],
    "paths": {
        "/orders": {
            "parameters": [{"$ref": "#/components/parameters/Tenant"}],
            "get": {
                "operationId": "listOrders",
                "parameters": [
                    {"name": "page", "in": "query", "schema": {"type": "integer", "minimum": 1}},
                    {"name": "tag", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
                    {"name": "filter", "in": "query", "style": "deepObject", "schema": {"type": "object"}},
                ],
                **_OK,
            },
            "post": {
                "operationId": "createOrder",
                "security": [{"key": []}],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}},
                },
                **_OK,
            },
        },
        "/orders/{id}": {
            "get": {
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
                "security": [],
                **_OK,
            }
        },
        "/files/{name}.{ext}": {
            "put": {
                "operationId": "upload",
                "requestBody": {
                    "content": {
                        "multipart/form-data": {
                            "schema": {
                                "type": "object",
                                "properties": {"picture": {"type": "string", "format": "binary"}},
                            },
                            "encoding": {"picture": {"contentType": "image/png, image/jpeg"}},
                        }
                    }
                },
                **_OK,
            }
        },
    },
    "components": {
        "securitySchemes": {
            "bearer": {"type": "http", "scheme": "bearer"},
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            "basic": {"type": "http", "scheme": "basic"},
            "oauth": {"type": "oauth2", "flows": {}},
        },
        "parameters": {
            "Tenant": {
                "name": "X-Tenant",
                "in": "header",
                "required": True,
                "schema": {"type": "string", "enum": ["acme", "umbrella"]},
            }
        },
        "schemas": {
            "Order": {
                "type": "object",
                "required": ["id", "customer", "items"],
                "properties": {
                    "id": {"type": "string", "format": "uuid", "readOnly": True},
                    "customer": {"type": "string", "minLength": 1},
                    "note": {"type": "string", "nullable": True, "example": "soon"},
                    "price": {"type": "number", "minimum": 0, "exclusiveMinimum": True},
                    "items": {"type": "array", "items": _ITEM},
                },
            },
            "Item": {
                "type": "object",
                "required": ["sku"],
                "properties": {
                    "sku": {"type": "string", "pattern": "^[a-z]+$"},
                    "parts": {"type": "array", "items": _ITEM},
                },
            },
        },
    },
}


def shop() -> dict[str, Any]:
    """A copy that a test may change."""
    return deepcopy(_SHOP)
