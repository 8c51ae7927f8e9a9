"""Requests made from the OpenAPI document by schemathesis, sent through Django's WSGI app."""
