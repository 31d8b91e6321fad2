"""The scene of a question: day, hour, weather and place; and which scene a strategy waits for.

Day and hour follow from the time of the question by the shop's clock, unless the request gives the
customer's own hour. Weather and place are known only when the request says them: what it does not
say is never guessed, and a strategy that needs it says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from pydantic import Field, model_validator

from mkt_models.columns import DayPart, Place, Weather
from mkt_models.decisions.occasions import FURTHEST, OCCASIONS, Occasion, next_holiday, occasions
from mkt_models.decisions.texts import either
from mkt_models.decisions.words import Code, Reason, Words, reason
from mkt_models.sections import Section

WEATHER: Mapping[Weather, Words] = {
    Weather.CLEAR: ("clear weather", "晴天"),
    Weather.CLOUDY: ("a cloudy day", "阴天"),
    Weather.RAIN: ("a rainy day", "雨天"),
    Weather.SNOW: ("a snowy day", "雪天"),
    Weather.HEAT: ("a hot day", "高温天"),
    Weather.COLD: ("a cold day", "冷天"),
    Weather.WIND: ("a windy day", "大风天"),
    Weather.FOG: ("a foggy day", "雾天"),
}
PLACES: Mapping[Place, Words] = {
    Place.HOME: ("at home", "在家"),
    Place.WORK: ("at work", "在上班"),
    Place.STORE: ("in the store", "在门店"),
    Place.TRAVELLING: ("on the road", "在旅途中"),
}
DAY_PARTS: Mapping[DayPart, Words] = {
    DayPart.NIGHT: ("in the small hours", "凌晨"),
    DayPart.MORNING: ("this morning", "今天上午"),
    DayPart.AFTERNOON: ("this afternoon", "今天下午"),
    DayPart.EVENING: ("this evening", "今晚"),
}


@dataclass(frozen=True, slots=True)
class Scene:
    """When and where a question is asked.

    ``day`` and ``hour`` are local; ``days`` says what the day is, by name. ``weather`` and
    ``place`` are null when the request does not say them.
    """

    day: date
    hour: int
    days: Mapping[Occasion, Words]
    country: str
    region: str | None = None
    weather: Weather | None = None
    place: Place | None = None

    @classmethod
    def on(cls, day: date, hour: int, country: str, region: str | None = None, **said: Any) -> Self:
        """The scene of a local day and hour; ``said`` are weather and place, where known."""
        return cls(day, hour, occasions(country, day, region), country, region, **said)

    @property
    def day_part(self) -> DayPart:
        """The quarter of the day."""
        return tuple(DayPart)[self.hour // 6]


class HolidayAhead(Section):
    """How many days before a public holiday, both ends included."""

    least: int = Field(ge=1, le=FURTHEST)
    most: int = Field(ge=1, le=FURTHEST)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.least > self.most:
            raise ValueError(f"least == {self.least} must not exceed most == {self.most}")
        return self


class When(Section):
    """The scene that a strategy waits for: every condition that is given must hold.

    Of the words of one condition any will do. Days and hours are always known; weather and place
    must be in the request.
    """

    days: tuple[Occasion, ...] = ()
    holiday_ahead: HolidayAhead | None = None
    weather: tuple[Weather, ...] = ()
    places: tuple[Place, ...] = ()
    day_parts: tuple[DayPart, ...] = ()

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not any((self.days, self.holiday_ahead, self.weather, self.places, self.day_parts)):
            raise ValueError("when names no condition: leave it out, or give at least one")
        return self

    @property
    def placeholders(self) -> tuple[str, ...]:
        """The words in braces that it fills in a text."""
        return ("occasion", "ahead") if self.holiday_ahead else ("occasion",)


def unmet(when: When, scene: Scene) -> Reason | None:
    """Say which condition does not hold, or what the request would have to say; None if all do."""
    if when.days and not any(one in scene.days for one in when.days):
        return _not(scene.day, [OCCASIONS[one] for one in when.days])
    if when.holiday_ahead is not None and _ahead(when.holiday_ahead, scene) is None:
        least, most = when.holiday_ahead.least, when.holiday_ahead.most
        wanted = (
            f"{least} to {most} days before a public holiday",
            f"公共假日前 {least} 至 {most} 天",
        )
        return _not(scene.day, [wanted])
    if when.weather:
        if scene.weather is None:
            return reason(Code.CONTEXT_NOT_GIVEN, what=("weather", "天气"))
        if scene.weather not in when.weather:
            return _not(WEATHER[scene.weather], [WEATHER[one] for one in when.weather])
    if when.places:
        if scene.place is None:
            return reason(Code.CONTEXT_NOT_GIVEN, what=("place", "所在场所"))
        if scene.place not in when.places:
            return _not(PLACES[scene.place], [PLACES[one] for one in when.places])
    if when.day_parts and scene.day_part not in when.day_parts:
        return _not(DAY_PARTS[scene.day_part], [DAY_PARTS[one] for one in when.day_parts])
    return None


def told(when: When, scene: Scene) -> tuple[dict[str, Words], tuple[dict[str, str], ...]]:
    """The words that a scene fills into a text, and the reasons that it gives; its ``when`` holds.

    ``occasion`` is the first condition that is given, in the order of :class:`When`.
    """
    found: list[tuple[str, Words, Words]] = []
    words: dict[str, Words] = {}
    named = next((scene.days[one] for one in when.days if one in scene.days), None)
    if named is not None:
        found.append(("occasion", named, (f"today: {named[0]}", f"今天：{named[1]}")))
    if when.holiday_ahead is not None and (ahead := _ahead(when.holiday_ahead, scene)):
        days, (en, zh) = ahead
        words["ahead"] = ("tomorrow", "明天") if days == 1 else (f"in {days} days", f"{days} 天后")
        soon = words["ahead"]
        found.append(("holiday", (en, zh), (f"{soon[0]}: {en}", f"{soon[1]}：{zh}")))
    if when.weather and scene.weather is not None:
        en, zh = WEATHER[scene.weather]
        found.append(("weather", (en, zh), (f"the weather: {en}", f"天气：{zh}")))
    if when.places and scene.place is not None:
        en, zh = PLACES[scene.place]
        found.append(("place", (en, zh), (f"where: {en}", f"场所：{zh}")))
    if when.day_parts:
        en, zh = DAY_PARTS[scene.day_part]
        found.append(("time", (en, zh), (f"time of day: {en}", f"时段：{zh}")))
    words["occasion"] = found[0][1]
    reasons = tuple({"source": source, "en": en, "zh": zh} for source, _, (en, zh) in found)
    return words, reasons


def _ahead(wanted: HolidayAhead, scene: Scene) -> tuple[int, Words] | None:
    found = next_holiday(scene.country, scene.day, scene.region)
    return found if found is not None and wanted.least <= found[0] <= wanted.most else None


def _not(now: object, wanted: list[Words]) -> Reason:
    return reason(Code.NOT_THE_OCCASION, day=now, wanted=either(wanted))
