# SPDX-License-Identifier: Apache-2.0
"""breaches.py: which breach events `callmill replay --breaches` must write, worked out from docs/rules.md.

The other half of the oracle. model.walk() has said which legs count, and from when to when. Here each rule is
looked at for itself: its units' figures at a step are added up afresh from the legs, and a unit is looked at
again at the first step at which a leg comes or goes, or one of its timers runs out. In between nothing can
happen, so that is the same as looking at every step.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

import model

OPS = model.Rule.OPS
N_OF = {
    **dict.fromkeys(("aht_ms", "asa_ms", "handle_ms", "handle_max_ms", *model.QUANTILES), "answered"),
    **dict.fromkeys(
        ("checked", "compliant", "check_weight", "check_weight_passed", "vetoes", "compliance_rate", "compliant_rate"),
        "checked",
    ),
    **dict.fromkeys(("rating_avg", "rating_sum"), "ratings"),
}
NOTHING = {name: 0 for name in model.FIGURES} | {
    name: None
    for name in ("aht_ms", "asa_ms", *model.QUANTILES, "abandon_rate", "service_level", "compliance_rate",
                 "compliant_rate", "rating_avg", "occupancy")
}


def first_from(ms, step):
    """The first multiple of step that is not below ms."""
    return -(-ms // step) * step


class Condition:
    def __init__(self, text):
        self.text = text
        op, number = text.split()
        self.op, self.number = OPS[op], Decimal(number)

    def holds(self, value):
        return self.op(Decimal(value), self.number)


class BreachRule:
    def __init__(self, spec, config):
        self.name, self.kind, self.metric = spec["name"], spec["kind"], spec["metric"]
        self.ids = set(spec["ids"]) if "ids" in spec else None
        names = [window.name for window in config.windows]
        self.index = names.index(spec["window"])
        self.window = config.windows[self.index]
        self.warn, self.critical, self.clear = (
            Condition(spec[key]) if key in spec else None for key in ("warn", "critical", "clear")
        )
        self.hold, self.keep, self.cooldown = (
            model.duration_ms(spec.get(key, "0s")) for key in ("for", "keep", "cooldown")
        )
        self.min_n = spec.get("min_n", 1)
        ladder = [(model.duration_ms(rung["after"]), rung["to"]) for rung in spec.get("escalate", [])]
        self.ladder = sorted(ladder, key=lambda rung: rung[0])

    def level(self, value, n):
        if value is None or n < self.min_n:
            return 0
        if self.critical and self.critical.holds(value):
            return 2
        return 1 if self.warn and self.warn.holds(value) else 0

    def is_clear(self, value, n):
        if value is None or n < self.min_n:
            return True
        return self.clear.holds(value) if self.clear else self.level(value, n) == 0

    def threshold(self, kind, level):
        if kind == "cleared":
            return (self.clear or self.warn or self.critical).text
        return (self.critical if level == 2 else self.warn).text


@dataclass
class Watch:
    """A rule's state for one unit."""

    rule: BreachRule
    id: str
    state: str = "ok"
    since: int = 0
    raised: int = 0
    recovering: int = 0
    level: int = 0  # the highest reached
    rung: int = 0
    cooldown_end: float = -model.FOREVER
    events: list = field(default_factory=list)

    def say(self, kind, at, value, n, to=None):
        rule = self.rule
        name = rule.name.replace("%", "%25").replace(":", "%3A")
        event = {
            "type": f"callmill.breach.{kind}", "rule": rule.name, "kind": rule.kind, "id": self.id,
            "window": rule.window.name, "metric": rule.metric, "value": value,
            "threshold": rule.threshold(kind, self.level), "level": ("none", "warn", "critical")[self.level], "n": n,
            "since": self.since, "asof": at,
        }
        if to is not None:
            event["escalated_to"] = to
        event["dedup_key"] = f"{name}:{rule.kind}:{self.id}:{rule.window.name}"
        self.events.append(event)

    def climb(self, at, value, n):
        while self.rung < len(self.rule.ladder) and at >= self.raised + self.rule.ladder[self.rung][0]:
            self.say("escalated", at, value, n, self.rule.ladder[self.rung][1])
            self.rung += 1

    def look(self, at, value, n):
        """One step. Returns when to look again although no figure changed; FOREVER: not at all."""
        rule = self.rule
        level = rule.level(value, n)
        if self.state in ("ok", "pending"):
            if level == 0:
                self.state = "ok"
                return model.FOREVER
            if self.state == "ok":
                self.state, self.since = "pending", at
            due = max(self.since + rule.hold, self.cooldown_end)
            if at < due:
                return due
            self.state, self.level, self.raised, self.rung = "firing", level, at, 0
            self.say("raised", at, value, n)
            self.climb(at, value, n)
            return at + 1 if rule.is_clear(value, n) else self.next_rung()
        if not rule.is_clear(value, n):
            self.state = "firing"
            if level > self.level:
                self.level = level
                self.say("escalated", at, value, n)
            self.climb(at, value, n)
            return self.next_rung()
        if self.state == "firing":
            self.state, self.recovering = "recovering", at
        if at < self.recovering + rule.keep:
            return self.recovering + rule.keep
        self.say("cleared", at, value, n)
        self.state, self.cooldown_end = "ok", at + rule.cooldown
        return at + 1 if level else model.FOREVER

    def next_rung(self):
        return self.raised + self.rule.ladder[self.rung][0] if self.rung < len(self.rule.ladder) else model.FOREVER


def period_end_ms(name, ts, zone):
    """Where the calendar period ends that holds ts."""
    at = model.local_day(ts, zone)
    start = model.period_start_ms(name, ts + 1, zone)
    for days in range(1, 100):
        end = model.day_start_ms(at + timedelta(days=days), zone)
        if end > ts and model.period_start_ms(name, end + 1, zone) != start:
            return end
    raise ValueError(f"no end of {name} after {ts}")


class Steps:
    """When something shows up in a window and when it leaves, in steps of the window."""

    def __init__(self, window, seen, config):
        self.window, self.seen, self.config = window, seen, config

    def enter(self, ts, arrived):
        """The first step at which it is in."""
        known = self.seen.clocks[arrived - 1] - self.seen.lateness if arrived else -model.FOREVER
        return model.first_after(max(ts, known), self.window.step)

    def leave(self, ts):
        """The first step at which it has slid out."""
        if self.window.length:
            return model.first_after(ts + self.window.length, self.window.step)
        return model.first_after(period_end_ms(self.window.name, ts, self.config.zone), self.window.step)


def moments_of(rule, seen, config):
    """By unit name: the steps at which a figure may change, and whether time runs on in it."""
    steps = Steps(rule.window, seen, config)
    found = {}

    def note(units, *times):
        for name in (name for _, _, kind, name in units if kind == rule.kind):
            if rule.ids is None or name in rule.ids:
                found.setdefault(name, set()).update(times)

    for item in seen.legs + seen.judgements:
        ts = item.event.ts if isinstance(item, model.Leg) else item.ts
        enter, leave = steps.enter(item.event.ts, item.arrived), steps.leave(ts)
        if enter <= leave:  # otherwise it came when the window was gone for more than a step
            note(item.units, enter, leave)
        if isinstance(item, model.Leg):
            if item.taken_away != model.FOREVER and enter < leave:
                note(item.units, max(enter, steps.enter(-model.FOREVER, item.taken_away)))
            for judgement in item.judgements:
                note(item.units, *([max(enter, steps.enter(judgement.event.ts, judgement.arrived))] if enter < leave else []))
    for changes in seen.changes.values():
        for change in changes:
            note(change.units, steps.enter(change.event.ts, change.arrived))
    return found


def watch_unit(rule, unit, content, changes, seen, config, last):
    """All events of a rule for one unit, whose figures may change at those steps, or at any when time runs in it."""
    step, name, cache = rule.window.step, unit[3], {}
    watch = Watch(rule, name)
    changes = sorted(at for at in changes if at <= last)
    at = changes[0] if changes else model.FOREVER
    while at <= last:
        what = content.content(unit, rule.window.start(at, config.zone), at, seen.freeze(at))
        if rule.metric == "occupancy":
            watch.look(at, model.occupancy(what), -(-model.signed_on_ms(what) // 1000))
            at += step
            continue
        key = what.key()
        if key not in cache:
            f = model.figures_of(what, config) if not what.is_empty() else NOTHING
            cache[key] = f[rule.metric], f[N_OF.get(rule.metric, "offered")]
        wake = watch.look(at, *cache[key])
        at = min(
            next((change for change in changes if change > at), model.FOREVER),
            max(first_from(wake, step), at + step) if wake != model.FOREVER else model.FOREVER,
        )
    return watch.events


def breaches(seen, config):
    """The breach events in their order, each a dict: type, then the fields of `data`."""
    last = seen.clocks[-1] if seen.clocks else -model.FOREVER
    if last == -model.FOREVER or not config.breach_rules:
        return []
    found, units = [], model.units_in(seen)
    for number, rule in enumerate(BreachRule(spec, config) for spec in config.breach_rules):
        end = model.first_after(last, rule.window.step)
        for name, changes in moments_of(rule, seen, config).items():
            unit = (rule.kind.encode(), name.encode("utf-8"), rule.kind, name)
            for place, event in enumerate(watch_unit(rule, unit, units[unit], changes, seen, config, end)):
                found.append(((event["asof"], rule.index, number, name.encode("utf-8"), place), event))
    return [event for _, event in sorted(found, key=lambda item: item[0])]
