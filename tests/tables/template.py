"""Reads a CloudFormation template and resolves what this project's templates use of its functions.

In: {"template": text, "parameters": {name: value}}. Parameters have their defaults unless given, references to
resources become their logical ids, base64 stays text. Out: {"resources": {id: resource}}, those whose condition holds.
"""

import json
import re
import sys

import yaml


class Loader(yaml.SafeLoader):
    pass


def tag(loader, suffix, node):
    name = suffix if suffix in ("Ref", "Condition") else "Fn::" + suffix
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {name: value}


Loader.add_multi_constructor("!", tag)
task = json.load(sys.stdin)
template = yaml.load(task["template"], Loader)
values = {name: str(each.get("Default")) for name, each in template["Parameters"].items()} | task["parameters"]


def holds(condition):
    return resolved({"Condition": condition} if isinstance(condition, str) else condition)


def sub(argument):
    text, own = (argument, {}) if isinstance(argument, str) else argument
    own = {name: resolved(value) for name, value in own.items()}
    text = re.sub(r"\$\{([^!}]+)\}", lambda found: own.get(found[1]) or values.get(found[1], found[1]), text)
    return text.replace("${!", "${")


def resolved(value):
    if isinstance(value, list):
        return [resolved(each) for each in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        (name, argument), = value.items()
        match name:
            case "Ref":
                return values.get(argument, argument)
            case "Condition" if isinstance(argument, str) and argument in template["Conditions"]:
                return resolved(template["Conditions"][argument])
            case "Fn::Equals":
                left, right = resolved(argument)
                return left == right
            case "Fn::Or":
                return any(resolved(argument))
            case "Fn::If":
                return resolved(argument[1] if holds(argument[0]) else argument[2])
            case "Fn::GetAtt":
                return argument
            case "Fn::Base64":
                return resolved(argument)
            case "Fn::Join":
                return argument[0].join(resolved(argument[1]))
            case "Fn::Sub":
                return sub(argument)
            case _ if name.startswith("Fn::"):
                raise ValueError(f"{name} is not known here")
    return {name: resolved(each) for name, each in value.items()}


resources = {
    name: {part: resolved(each) for part, each in resource.items() if part != "Condition"}
    for name, resource in template["Resources"].items()
    if "Condition" not in resource or holds(resource["Condition"])
}
json.dump({"resources": resources}, sys.stdout)
