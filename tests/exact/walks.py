"""Funnels, retention, journeys and properties of events that pass filters, counted from docs/API.md, event by event; and
who is one person, from docs/PRIVACY.md."""

import collections
import datetime
import json
import re

import questions

HOUR = 3_600_000
# What the tracker measures stands between no two steps, unless it is one.
MEASURED = "page_leave web_vital identify".split()


def people(told):
    """Of each id that is one with another, a name that all of them share: from (site, user, anonymous id, ms, event id)."""
    holding = {}
    for site, user, anonymous, ms, id in told:
        ids = (user or "", anonymous or "")
        if "" in ids or any(re.fullmatch("anon-[0-9a-f]{32}", one) for one in ids) or user == anonymous:
            continue
        known = holding.get((site, anonymous))
        if known is None or (ms, id) < known[:2]:
            holding[site, anonymous] = (ms, id, user)
    near = collections.defaultdict(set)
    for (site, anonymous), (_, _, user) in holding.items():
        near[site, anonymous].add((site, user))
        near[site, user].add((site, anonymous))
    names = {}
    for start in sorted(near):
        if start in names:
            continue
        group, ahead = {start}, [start]
        while ahead:
            for other in near[ahead.pop()] - group:
                group.add(other)
                ahead.append(other)
        names |= {one: min(group)[1] for one in group}
    return names


def join(lake):
    """Ids that are one person become one id in the table `wide`."""
    told = lake.execute("SELECT siteId, userId, eventData->>'$.anonymousId', ms, eventId FROM wide WHERE type = 'identify'")
    names = people(told.fetchall())
    lake.execute("CREATE TABLE one_person (site VARCHAR, id VARCHAR, name VARCHAR)")
    if names:
        lake.executemany("INSERT INTO one_person VALUES (?, ?, ?)", [[*one, name] for one, name in names.items()])
    lake.execute("""UPDATE wide SET anyone = o.name, person = o.name FROM one_person AS o
        WHERE o.site = wide.site AND o.id = wide.person""")


Event = collections.namedtuple("Event", "who ms id type page feature session day passes goal by at")


def look(lake, ask, steps, until=None):
    """Events in their order, with the steps that each is, and the range."""
    body = ask["body"]
    zone, span, _ = questions.spans(ask)
    questions.look(lake, ask, zone, (span[0], span[1] if until is None else until))
    goal = questions.passing(body["goal"]) if body.get("goal") else "true"
    by = questions.dimension(body["by"]) if body.get("by") else "NULL"
    columns = "".join(f", {questions.passing(step)}" for step in steps)
    rows = lake.execute(f"""SELECT person, ms, eventId, type, viewed, "at.feature", session, clock,
        {questions.passing(body.get("filters"))}, {goal}, {by}::VARCHAR{columns} FROM seen ORDER BY ms, eventId""").fetchall()
    first = datetime.date(1970, 1, 1)
    events = [Event(*row[:7], (row[7].date() - first).days, *row[8:11], row[11:]) for row in rows]
    return zone, span, events


def meta(ask, zone, span):
    return {"from": span[0], "to": span[1], "timeZone": zone.name, "coveredFrom": ask["told"]["coveredFrom"]}


def step_filter(step):
    """A simple step as a filter; of a page, it is a view."""
    if isinstance(step, list):
        return step
    parts = [["is", "eventType", step["eventType"]]]
    parts += [["is", name, step[name]] for name in ("page", "feature") if name in step]
    return ["and", *parts] + ([["is", "eventType", "page_view"]] if "page" in step else [])


def ways(events, count, window, order):
    """Of one user's events: how many steps were done, and how long all of them took, where they were."""
    if order == "any":
        best, took = 0, None
        for end, last in enumerate(events):
            if not any(last.at):
                continue
            done = set()
            # From the end back: the latest beginning that has all of them is met first.
            for event in reversed(events[: end + 1]):
                if last.ms - event.ms > window:
                    break
                new = {n for n, is_step in enumerate(event.at) if is_step}
                done |= new
                best = max(best, len(done))
                if new and len(done) == count and took is None:
                    took = last.ms - event.ms
        return best, took
    best, ended = 0, None
    for begin, event in enumerate(events):
        if not event.at[0]:
            continue
        at = {begin}
        best = max(best, 1)
        for n in range(1, count):
            then = set()
            for place in at:
                for after in range(place + 1, len(events)):
                    if events[after].ms - event.ms > window:
                        break
                    if events[after].at[n]:
                        then.add(after)
                    if order == "strict" and (events[after].type not in MEASURED or any(events[after].at)):
                        break
            # In sequence the first that is the next step is as good as any.
            at = then if order == "strict" else set(sorted(then)[:1])
            if not at:
                break
            best = max(best, n + 1)
        else:
            end = (min(at), -begin)
            if ended is None or end < ended[0]:
                ended = end, events[min(at)].ms - event.ms
    return best, ended and ended[1]


def median(took):
    took = sorted(one for one in took if one is not None)
    return took[(len(took) + 1) // 2 - 1] if took else None


def funnel(lake, ask, share):
    body = ask["body"]
    order, count = body.get("order", "sequence"), len(body["steps"])
    zone, span, events = look(lake, ask, [step_filter(step) for step in body["steps"]])
    walked = collections.defaultdict(list)
    for event in events:
        if event.who is not None and event.passes:
            walked[event.who].append(event)
    found = {}
    for who, theirs in walked.items():
        reached, took = ways(theirs, count, body.get("windowHours", 168) * HOUR, order)
        if reached:
            is_first = (lambda event: any(event.at)) if order == "any" else (lambda event: event.at[0])
            found[who] = reached, took, next(event.by for event in theirs if is_first(event))
    def users(some):
        return [sum(reached > n for reached, _, _ in some) for n in range(count)]
    all_users = users(found.values())
    steps = []
    for n, step in enumerate(body["steps"]):
        told = {"filter": step} if isinstance(step, list) else dict(step)
        before = all_users[max(n - 1, 0)]
        steps.append({**told, "users": all_users[n], "conversion": share(all_users[n], all_users[0]), "fromPrevious": share(all_users[n], before)})
    answer = {
        "windowHours": body.get("windowHours", 168), "order": order, "steps": steps,
        "medianMs": median(took for _, took, _ in found.values()), "meta": meta(ask, zone, span),
    }
    if body.get("by"):
        groups = collections.defaultdict(list)
        for one in found.values():
            groups[one[2]].append(one)
        answer["by"] = body["by"]
        answer["groups"] = [
            {"value": value, "users": users(some), "conversion": share(users(some)[-1], users(some)[0]), "medianMs": median(one[1] for one in some)}
            for value, some in sorted(groups.items(), key=lambda group: group[0] or "")
        ]
    if "dropped" in ask:
        # The ids are of people, each once: any of a person's.
        names = dict(lake.execute("SELECT id, name FROM one_person WHERE site = ?", [ask["site"]]).fetchall())
        told = [names.get(id, id) for id in ask["dropped"]]
        want = sorted(who for who, (reached, _, _) in found.items() if reached == body["droppedAfter"])
        answer["dropped"] = want
        return answer, {"dropped": sorted(told)}
    return answer, None


def period_of(body, day):
    # Weeks begin on Mondays; 1970-01-05 was one.
    return day if body["period"] == "day" else (day - 4) // 7


def retention(lake, ask, share):
    body = ask["body"]
    zone, span, _ = questions.spans(ask)
    day = lambda ms: (zone.local(ms).date() - datetime.date(1970, 1, 1)).days
    days = body["periods"] * (1 if body["period"] == "day" else 7) + 14
    _, _, events = look(lake, ask, [], span[1] + days * 24 * HOUR)
    came = {}
    if not body.get("goal"):
        sql = "SELECT DISTINCT person FROM wide WHERE site = ? AND ms < ? AND person IS NOT NULL"
        came = {who for (who,) in lake.execute(sql, [ask["site"], span[0]]).fetchall()}
    today = day(ask["before"])
    now = period_of(body, today)
    first, there = {}, collections.defaultdict(set)
    for event in events:
        if event.who is None or event.who in came or not event.passes:
            continue
        there[event.who].add(period_of(body, event.day))
        if event.goal and event.ms < span[1]:
            first.setdefault(event.who, period_of(body, event.day))
    last = min(day(span[1] - 1), today)
    cohorts = {n: [] for n in range(period_of(body, day(span[0])), period_of(body, last) + 1)}
    for who, n in first.items():
        cohorts[n].append(there[who])
    begins = (lambda n: n) if body["period"] == "day" else (lambda n: n * 7 + 4)
    return {"period": body["period"], "meta": meta(ask, zone, span), "cohorts": [
        {
            "date": (datetime.date(1970, 1, 1) + datetime.timedelta(begins(n))).isoformat(), "users": len(people),
            "retained": [sum(n + age in periods for periods in people) for age in range(min(body["periods"], now - n) + 1)],
        }
        for n, people in cohorts.items()
    ]}, None


def journeys(lake, ask, share):
    body = ask["body"]
    zone, span, events = look(lake, ask, [])
    walked = collections.defaultdict(list)
    for event in events:
        step = ["page", event.page] if event.page is not None else ["feature", event.feature]
        if event.passes and event.session is not None and step[1] is not None:
            theirs = walked[event.session]
            if not theirs or theirs[-1] != step:
                theirs.append(step)
    depth, found = body.get("depth", 5), collections.Counter()
    for steps in walked.values():
        if body.get("from") is not None:
            page = ["page", body["from"]]
            steps = steps[steps.index(page):] if page in steps else []
        if body.get("to") is not None:
            page = ["page", body["to"]]
            steps = steps[: steps.index(page) + 1][-depth:] if page in steps else []
        if steps:
            found[json.dumps(steps[:depth], separators=(",", ":"), ensure_ascii=False)] += 1
    sessions = found.total()
    most = sorted(found.items(), key=lambda one: (-one[1], one[0].encode()))[: body.get("limit", 20)]
    paths = [{"steps": json.loads(path), "sessions": n, "share": share(n, sessions)} for path, n in most]
    return {"sessions": sessions, "paths": paths, "meta": meta(ask, zone, span)}, None


def leaves(value, name=""):
    """Names and types of what stands in an event's data."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{name}.{key}" if name else key)
    elif name and len(name.encode()) <= 100:
        kind = {bool: "booleans", int: "numbers", float: "numbers", str: "texts"}.get(type(value))
        if kind:
            yield name, kind


def properties(lake, ask, share):
    zone, span, _ = questions.spans(ask)
    rows = lake.execute("SELECT type, eventData FROM wide WHERE site = ? AND ms >= ? AND ms < ?", [ask["site"], *span]).fetchall()
    counts, kinds = collections.Counter(), collections.defaultdict(collections.Counter)
    wanted = ask["body"].get("eventType")
    for kind, text in rows:
        if wanted is not None and kind != wanted:
            continue
        data = json.loads(text) if isinstance(text, str) else text or {}
        of = kind, data.get("name") if kind == "custom" else None
        counts[of] += 1
        for name, how in leaves(data):
            kinds[of, name][how] += 1
    events = []
    for (kind, event), n in counts.items():
        found = [{"name": name, **{how: types[how] for how in ("texts", "numbers", "booleans")}} for (of, name), types in kinds.items() if of == (kind, event)]
        found.sort(key=lambda one: one["name"])
        events.append({"eventType": kind, **({"event": event} if event is not None else {}), "events": n, "properties": found})
    events.sort(key=lambda one: (one["eventType"], one.get("event", "")))
    return {"events": events, "otherProperties": 0, "meta": meta(ask, zone, span)}, None


KINDS = {"funnel": funnel, "retention": retention, "journeys": journeys, "properties": properties}


def answer(lake, ask, share):
    counted, told = KINDS[ask["kind"]](lake, ask, share)
    if told is not None and told["dropped"] == counted["dropped"]:
        counted["dropped"] = ask["dropped"]
    return counted, None
