"""What schemathesis has to be told beside the description: what no schema can say."""

import json
from datetime import date, timedelta

import schemathesis


# What is asked of a goal alone.
OF_GOALS = ("conversions", "converted", "conversionRate")


@schemathesis.serializer("application/x-ndjson")
def lines(context, value):
    """JSON lines are text."""
    return (value if isinstance(value, str) else json.dumps(value)).encode()


def is_range(fields, most):
    """Whether two dates are a range, of so many days at most."""
    try:
        last = date.fromisoformat(fields.get("endDate") or date.today().isoformat())
        first = fields.get("startDate")
        first = date.fromisoformat(first) if first else last - timedelta(days=29)
    except (AttributeError, TypeError, ValueError, OverflowError):
        return True
    return first <= last and (last - first).days < most


def is_plain(filter):
    """Whether a filter is made of no others: the description goes three levels deep and has four of them, the call
    takes sixteen and fifty."""
    return not isinstance(filter, list) or filter[:1] not in (["and"], ["or"], ["not"])


def is_question(body):
    """Whether a query's texts name what there is: of all zones, these; in `orderBy` what is asked for."""
    if not isinstance(body, dict):
        return True
    zone, order, dates = body.get("timeZone"), body.get("orderBy"), body.get("range")
    lists = [each for each in (body.get("metrics"), body.get("dimensions")) if isinstance(each, list)]
    asked = [name for each in lists for name in each]
    pairs = order if isinstance(order, list) else []
    names = [pair[0] for pair in pairs if isinstance(pair, list) and pair and isinstance(pair[0], str)]
    dates = dict(zip(("startDate", "endDate"), dates)) if isinstance(dates, list) else {}
    is_zone = not isinstance(zone, str) or zone in ("UTC", "Europe/Berlin", "Asia/Kathmandu")
    has_goal = body.get("goal") is not None or not any(name in OF_GOALS for name in asked)
    # No site has a goal of a made-up name.
    is_goal = not isinstance(body.get("goal"), str) and is_plain(body.get("goal"))
    panels = body.get("panels") if isinstance(body.get("panels"), list) else []
    filters = [panel.get("filters") for panel in panels if isinstance(panel, dict)]
    are_questions = all(map(is_question, panels)) and all(map(is_plain, filters))
    is_named = is_zone and has_goal and is_goal and are_questions
    return is_named and all(name in asked for name in names) and is_range(dates, 366)


def is_breakdown(query):
    """Whether there is no cursor, range or filter, whose forms no schema tells, and the zone is one of these."""
    if not isinstance(query, dict):
        return True
    # The platform's figures take no zone at all.
    return not any(query.get(name) for name in ("cursor", "range", "filters", "timeZone"))


def is_walk(path, body):
    """Whether a funnel, cohorts or journeys have one range, one end, and a page of users of a step that they have."""
    if not isinstance(body, dict):
        return True
    steps = body.get("steps") if isinstance(body.get("steps"), list) else []
    after = body.get("droppedAfter")
    is_page = not isinstance(after, int) or after < len(steps)
    if path.endswith("/funnel") and after is None:
        is_page = body.get("limit") is None and body.get("cursor") is None
    is_one_range = body.get("range") is None or (body.get("startDate") is None and body.get("endDate") is None)
    has_one_end = body.get("from") is None or body.get("to") is None
    return is_page and is_one_range and has_one_end and all(map(is_plain, [*steps, body.get("filters")]))


# What takes filters, a range and a zone as parameters.
OF_EVENTS = tuple(f"/v1/analytics/{name}" for name in (
    "metrics/breakdown", "metrics/features", "metrics/platform", "metrics/vitals", "properties"))


@schemathesis.hook
def filter_case(context, case):
    path = case.operation.path
    most = 31 if path.endswith("/products") else 366
    # A cursor is one that a step answered.
    begun = path == "/v1/rebuild" and isinstance(case.body, dict) and case.body.get("cursor")
    is_asked = not path.startswith("/v1/analytics/query") or is_question(case.body)
    is_asked = is_asked and (not path.startswith("/v1/analytics/query/") or is_walk(path, case.body))
    is_shown = path not in OF_EVENTS or is_breakdown(case.query)
    zone = case.body.get("timeZone") if isinstance(case.body, dict) else None
    is_zone = not path.startswith("/v1/sites") or not zone or zone in ("UTC", "Europe/Berlin", "Asia/Kathmandu")
    is_asked = is_asked and is_zone
    return not begun and is_asked and is_shown and is_range(case.query, most) and is_range(case.body, most)


@schemathesis.hook
def before_call(context, case, kwargs):
    """A site's id stands in the path and in the body, and is the same."""
    positive = case.meta is None or case.meta.generation.mode.is_positive
    if case.operation.label == "PUT /v1/sites/{siteId}" and positive and isinstance(case.body, dict):
        case.body["siteId"] = case.path_parameters["siteId"]
