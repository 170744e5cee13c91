"""How HTTP meets the rules: routes with their types, one wrapper around every handler, problems, OpenAPI."""
