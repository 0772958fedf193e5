#!/usr/bin/env python3
"""Holds an OpenAPI 3.1 document against its own schemas, and answers against them.

check_openapi.py DOCUMENT                  every schema is one, every example is as its schema says, references resolve
check_openapi.py DOCUMENT SCHEMA < ANSWER  an answer is as the schema of that name says
Prints what is wrong; the exit status says whether anything is.
"""
import json
import sys

import jsonschema


def validator(document, name):
    schema = {"$ref": "#/components/schemas/" + name, "components": document["components"]}
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())


def faults_of(document, name, value):
    return [f"{name}: {error.json_path}: {error.message}" for error in validator(document, name).iter_errors(value)]


def references(node):
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def whole(document):
    components = document["components"]
    for name, schema in components["schemas"].items():
        jsonschema.Draft202012Validator.check_schema(schema)
        if name not in components["examples"]:
            yield f"{name} has no example"
        else:
            yield from faults_of(document, name, components["examples"][name]["value"])
    for reference in references(document):
        node = document
        for step in reference.removeprefix("#/").split("/"):
            node = node.get(step) if isinstance(node, dict) else None
        if node is None:
            yield f"{reference} leads nowhere"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        document = json.load(file)
    if len(sys.argv) == 2:
        faults = list(whole(document))
    else:
        faults = faults_of(document, sys.argv[2], json.load(sys.stdin))
    print("\n".join(faults))
    sys.exit(1 if faults else 0)


main()
