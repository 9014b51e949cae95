"""The reference of the API, from a small OpenAPI document."""

import yaml

from scripts.docsite.endpoints import PAGES, Endpoints

DOCUMENT = yaml.safe_load(
    """
paths:
  /control/v1/things/{name}:
    put:
      operationId: makeAThing
      summary: Make a thing
      description: Makes {it}.
      tags: [Control]
      security: [{bearer: []}, {session: []}]
      parameters: [{name: name, in: path, required: true, schema: {type: string}}]
      requestBody: {content: {application/json: {schema: {$ref: "#/components/schemas/Thing"}}}}
      responses:
        "200": {description: "", content: {application/json: {schema: {$ref: "#/components/schemas/RouteSpec"}}}}
        "404": {description: a|b, content: {application/json: {schema: {$ref: "#/components/schemas/ErrorEnvelope"}}}}
components:
  schemas:
    Thing:
      type: object
      required: [size]
      properties:
        size: {type: integer, description: In bytes.}
        route: {$ref: "#/components/schemas/RouteSpec"}
    RouteSpec: {type: object, properties: {hidden: {type: string}}}
    ErrorEnvelope: {type: object}
"""
)


def test_an_operation_is_told() -> None:
    """Who may, what it takes, what it answers; parts of the configuration are linked, not repeated."""
    found = Endpoints(DOCUMENT, {"RouteSpec": "route"})
    page = found.page("control")
    assert "### Make a thing { #make-a-thing }" in page
    assert "```http\nPUT /control/v1/things/{name}\n```" in page
    assert "*Who:* bearer token, session cookie" in page
    assert "`name` (path) — text; **required**" in page
    assert "- `size` — integer; **required**: In bytes." in page
    assert "| 200 | [Route](configuration.md#route) |" in page
    assert "| 404 | [error](../errors.md) | a\\|b |" in page
    assert "hidden" not in page
    assert found.tags() == {"Control"}
    assert {tag for _, tags in PAGES.values() for tag in tags} > found.tags()
