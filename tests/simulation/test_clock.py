"""Shop time runs faster on busy days; local time becomes UTC, also where clocks change."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from mkt_models.simulation.clock import BUSY_DAY, ShopClock

SHANGHAI = ZoneInfo("Asia/Shanghai")


def clock(zone: ZoneInfo = SHANGHAI, busy: tuple[str, ...] = ()) -> ShopClock:
    return ShopClock(date(2024, 1, 1), 364, 56, zone, busy)


def test_the_days_of_the_data_have_a_mean_weight_of_one():
    assert clock().shop_time(364) == pytest.approx(364)


def test_shop_time_and_days_are_inverse():
    days = np.linspace(0, 420, 1001)
    assert clock().day_of(clock().shop_time(days)) == pytest.approx(days)


def test_a_busy_day_counts_for_more_than_its_neighbours():
    plain, busy = clock(), clock(busy=("06-18",))
    day = (date(2024, 6, 18) - date(2024, 1, 1)).days

    def weight(one: ShopClock, i: int) -> float:
        return float(one.shop_time(i + 1) - one.shop_time(i))

    before = weight(plain, day) / weight(plain, day - 7)
    after = weight(busy, day) / weight(busy, day - 7)
    assert after / before == pytest.approx(BUSY_DAY)


def test_weekends_are_busier():
    lengths = np.diff(clock().shop_time(np.arange(365)))  # from a Monday on
    by_weekday = lengths.reshape(-1, 7).mean(axis=0)
    assert by_weekday.argmax() == 5
    assert by_weekday[5:].min() > by_weekday[:5].max()


def test_the_year_has_a_wave_of_its_height():
    flat, waving = clock(), ShopClock(date(2024, 1, 1), 364, 0, SHANGHAI, (), 0.2)
    ratio = np.diff(waving.shop_time(np.arange(365))) / np.diff(flat.shop_time(np.arange(365)))
    assert ratio.max() / ratio.min() == pytest.approx(1.2 / 0.8, rel=0.001)
    assert ratio.argmax() == 329  # the 330th day


def test_the_hidden_days_go_on():
    one = clock()
    assert one.ahead(56) == pytest.approx(float(one.shop_time(420) - one.shop_time(364)))


@pytest.mark.parametrize(
    ("zone", "moments"),
    [
        (SHANGHAI, [(0, 0), (0, 9 * 3600), (100, 86_399)]),
        # New York moves its clocks on 2024-03-10 (day 69) and 2024-11-03 (day 307)
        (ZoneInfo("America/New_York"), [(69, 1800), (69, 4 * 3600), (307, 1800), (307, 20 * 3600)]),
    ],
)
def test_utc_is_that_of_the_zone(zone: ZoneInfo, moments: list[tuple[int, int]]):
    local = np.array([day * 86_400 + second for day, second in moments])
    for (day, second), found in zip(moments, clock(zone).utc(local), strict=True):
        wall = datetime(2024, 1, 1, tzinfo=zone) + timedelta(days=day, seconds=second)
        expected = wall.astimezone(UTC)
        assert datetime.fromtimestamp(int(found) / 1e6, UTC) == expected


def test_dates_count_from_1970():
    assert clock().date_number(np.array([0, 1])).tolist() == [19_723, 19_724]
